"""Results in words."""

import json

import pytest

from pipeline.features import framing
from pipeline.reporting import wording
from pipeline.reporting.page import page
from pipeline.reporting.results import LENGTHS, read_run
from pipeline.reporting.summary import summary
from pipeline.reporting.wording import length_words
from tests.made_runs import (
    RUNS,
    text_of,
    write_run,
)

DASH = "\N{EN DASH}"


@pytest.mark.parametrize(
    ("policy", "changed", "words"),
    [
        ("start", {}, "brought to 2.00 s from their start: none of 3 cut; 1 padded, by 0.50 s in"),
        ("whole", {"samples": None}, "taken whole: none of 3 cut; 1 padded, by 0.50 s in"),
        (
            "segments",
            {},
            "taken whole, in segments of 2.00 s: none of 3 cut; 1 padded, by 0.50 s in",
        ),
        ("centre", {"padded": 0}, "brought to 2.00 s about their middle: none of 3 cut; none padd"),
    ],
)
def test_every_policy_has_its_words(policy, changed, words):
    length = {"policy": policy, "samples": 32000, "sample_rate": 16000, "clips": 3, "cut": 0}
    length |= {"largest_cut": 0.0, "padded": 1, "median_padding": 0.5}
    assert length_words(length | changed).startswith(f"Clips {words}")


def test_pieces_of_whole_clips_have_words():
    length = {"policy": "whole", "chunks": 11, "samples": None, "sample_rate": 16000, "clips": 3}
    length |= {"cut": 0, "largest_cut": 0.0, "padded": 0, "median_padding": 0.0}
    assert length_words(length).startswith("Clips taken whole, in 11 chunks that reach from the")
    assert length_words(length | {"chunks": 0}).startswith("Clips taken whole: none of 3 cut")


def test_no_policy_lacks_words():
    assert set(LENGTHS) == set(framing.POLICIES)


def test_corpora_are_cited_once_each(reports):
    emodb = {"name": "EMO-DB", "citation": "B (2005)", "licence": "CC BY 4.0", "address": "Zenodo"}
    for name in ("tim_net-ravdess", "tim_net-ravdess-authors"):
        file = reports / name / "run.json"
        facts = json.loads(file.read_text())
        facts["quality"]["sources"] = [emodb, emodb | {"name": "A & B", "licence": "<own>"}]
        file.write_text(json.dumps(facts))
    found = [read_run(reports / name) for name in RUNS]
    rows = [["ravdess", "EMO-DB", "B (2005)", "CC BY 4.0", "Zenodo"]]
    rows += [["ravdess", "A & B", "B (2005)", "<own>", "Zenodo"]]
    held = [(one.facts["corpus"], wording.sources_of(one)) for one in found]
    assert wording.sources(held) == [*rows, ["demo", *[DASH] * 4]]
    cited = summary(found, []).partition("**Corpora**, to be cited with these results:\n")[2]
    assert "| ravdess | A &amp; B | B (2005) | &lt;own> | Zenodo |\n" in cited
    shown = text_of(page(found, []).partition('id="corpora"')[2])
    assert "EMO-DB ravdess B (2005) CC BY 4.0 Zenodo" in shown
    assert "EMO-DB. B (2005). Licence: CC BY 4.0." in shown  # at each run too


def test_warnings_in_words(tmp_path):
    held = {"predictions": 240, "warned": 12, "kinds": {"level": 9, "vector": 5}}
    right = {"like": 0.912, "unlike": 0.5}
    run = read_run(write_run(tmp_path, "a", unlike=held | {"right": right}))
    assert wording.unlike_words(run) == (
        "Unlike its training clips in length, level, noise, bandwidth or vector: 12 of 240 "
        "held-out predictions (level 9, vector 5); right are 50.0 % of these, and 91.2 % of the "
        "others."
    )
    none = {"predictions": 240, "warned": 0, "kinds": {}, "right": {"like": 0.9, "unlike": None}}
    run = read_run(write_run(tmp_path, "b", unlike=none))
    assert wording.unlike_words(run).endswith(": 0 of 240 held-out predictions.")
    assert wording.unlike_words(read_run(write_run(tmp_path, "c"))) == ""
