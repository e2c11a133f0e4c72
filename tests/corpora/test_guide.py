"""The guide to corpora: its own parser runs to a report on sound made here."""

import shutil
from itertools import product

from tests import guides
from tests.copies.sound import noise

GUIDE = guides.RAW_DATA


def test_the_own_parser_runs_to_a_report(finished, tmp_path, repro):
    ignored = shutil.ignore_patterns("__pycache__")
    clone = shutil.copytree(finished, tmp_path / "clone", ignore=ignored)
    guides.add_own_part(GUIDE, clone)
    names = product(("f1", "f2", "m1", "m2"), "ahns", ("01", "02"))
    for seed, name in enumerate(names):
        noise(clone / "raw_data" / "studio" / f"{'-'.join(name)}.wav", seed, seconds=0.5)

    assert guides.blocks(GUIDE, "sh own") == ["dvc repro\n"]
    assert repro(clone) == [
        "check",
        "index@studio",
        "split@studio-speakers2",
        "waveforms@studio-centred",
        "extract@studio-mfcc39",
        "train@tim_net-studio",
        "evaluate@tim_net-studio",
        "report",
    ]
    summary = (clone / "reports" / "summary.md").read_text()
    assert "| tim_net-studio | tim_net | studio |" in summary
