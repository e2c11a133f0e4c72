"""Sections of the page: which there are, in which order, and what is left out."""

from pipeline.reporting import sections
from pipeline.reporting.results import read_recorded, read_run
from tests.made_runs import ARTICLE, RUNS, SHARED, same, write_rated, write_recorded, write_run


def test_sections_that_have_nothing_to_say_are_left_out(tmp_path):
    run = read_run(write_run(tmp_path, "a"))
    found = sections.contents([run], [])
    assert [one.place for one in found.of_runs] == ["results", "epochs"]
    assert found.of_recorded == []
    assert [table.name for table in found.tables] == ["results-emotions", "epochs-emotions",
                                                      "corpora"]  # fmt: skip


def test_every_section_in_order(reports):
    runs = [read_run(reports / name) for name in RUNS]
    runs.append(read_run(write_rated(reports, "rated", published=[ARTICLE])))
    kept = read_recorded(write_recorded(reports, "kept", tables=True))
    found = sections.contents(runs, [kept])
    places = [one.place for one in found.of_runs]
    assert places == ["results", "leaks", "pairs", "published", "epochs"]
    titles = [[block.title for block in one.blocks] for one in found.of_runs]
    assert titles == [["Emotions", "Attributes"], ["Emotions"], ["Emotions"],
                      ["Emotions", "Attributes"], ["Emotions", "Attributes"]]  # fmt: skip
    (recorded,) = found.of_recorded
    assert [block.title for block in recorded.blocks] == ["", "The last epoch and the best"]
    names = [table.name for table in found.tables]
    assert len(set(names)) == len(names)  # they are names of files
    assert found.places == {name: f"run-{n}" for n, name in enumerate([*RUNS, "rated"], 1)}


def test_words_have_the_unit_of_their_kind(tmp_path):
    published = [{"protocol": "p", "uar": 91.93, "war": 92.08, "source": "s",
                  "conditions": same()}]  # fmt: skip
    runs = [read_run(write_run(tmp_path, "a", published=published)),
            read_run(write_rated(tmp_path, "b", published=[ARTICLE], leaks=SHARED))]  # fmt: skip
    found = {one.place: one.blocks for one in sections.contents(runs, []).of_runs}
    ours, rated = (block.words for block in found["published"])
    assert ours.startswith("Percent; the difference is ours less published, in points. It is")
    assert rated.startswith("CCC; the difference is ours less published. It is")
