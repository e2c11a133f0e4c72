"""Figures as files."""

from xml.etree import ElementTree

from tests.made_runs import (
    report,
    write_rated,
    write_run,
)


def test_every_figure_is_a_file_that_a_browser_shows(tmp_path):
    write_run(tmp_path, "a")
    write_rated(tmp_path, "b")
    report(tmp_path, ["a", "b"])
    names = {"a": {"confusion", "loss"}, "b": {"arousal", "dominance", "valence"}}
    for run, wanted in names.items():
        images = list((tmp_path / "plots" / run).iterdir())
        assert wanted <= {image.stem for image in images}
        for image in images:
            ElementTree.parse(image)  # of what is no XML a browser shows nothing
