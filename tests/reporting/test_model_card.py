"""Model cards: what every card says, and what only some do."""

from pipeline.reporting import across, model_card
from pipeline.reporting.results import read_recorded, read_run
from tests.made_runs import FLOORS, SHARED, write_rated, write_recorded, write_run
from tests.reporting import test_across

QUALITY = {
    "quarantined": {},
    "duplicates": [["a", "b"]],
    "sources": [{"name": "EMO-DB", "citation": "B (2005).", "licence": "CC0", "address": "there"}],
    "contradictions": [{"clips": ["a", "b"], "emotions": ["happy", "sad"]}],
}


def test_a_card_says_what_how_good_and_for_what(tmp_path):
    run = read_run(write_run(tmp_path, "tim", quality=QUALITY, floors=FLOORS, right=0.6))
    card = model_card.card(run)
    titles = [line[3:] for line in card.splitlines() if line.startswith("## ")]
    assert titles == ["What it is", "Data", "Protocol", "Numbers", "Groups", "Limits",
                      "How to use it", "How it was made"]  # fmt: skip
    assert card.startswith("# tim\n")
    assert "| UAR % | **60.0** [55.7, 63.7] | 60.1 | 3.1 |" in card
    assert "| epochs | 8 | 500 |" in card
    assert "- **EMO-DB**: B (2005). Licence: CC0. there" in card
    assert "Honest: no test clip" in card
    assert "**The run is UAR below svm.**" in card or "below svm.**" in card
    assert "differ by 8.9 points in the mean" in card
    assert "| f | 120 | 8 |" in card
    assert "a = b are one sound under two labels, happy and sad." in card
    assert "ser predict models/tim CLIP.wav" in card


def test_a_leaky_run_is_called_so_and_a_partial_one_too(tmp_path):
    folder = write_run(tmp_path, "a", leaks=SHARED, selection="leaky", tested_folds=[1, 2])
    card = model_card.card(read_run(folder))
    assert "**Not an honest number**: samples shared, speakers shared, picked on test." in card
    assert "Only 2 of 6 folds were trained and tested." in card


def test_cards_of_attributes_and_of_recorded_runs(tmp_path):
    rated = read_run(write_rated(tmp_path, "b"))
    card = model_card.card(rated)
    assert "predicts attributes: arousal, dominance, valence." in card
    assert "Calibration" not in card
    kept = read_recorded(write_recorded(tmp_path, "<i>", note="<b>"))
    model_card.write([rated, kept], tmp_path / "cards")
    text = (tmp_path / "cards" / "<i>.md").read_text()
    assert "# &lt;i>" in text
    assert (
        "&lt;b>; AMD EPYC 9654, 2 cores, jax, 3 h 10 min, 2026-11-20; commit `c09dac00ede0`."
        in text
    )
    assert "## Groups" not in text  # its predictions were not kept


def test_tests_on_other_corpora_are_on_the_card_of_their_run(tmp_path):
    transfers = across.read(test_across.write(tmp_path / "across", run="a"))
    card = model_card.card(read_run(write_run(tmp_path, "a")), transfers)
    words = "UAR % 41.2 [35.0, 47.8] (3 classes, guessing 33.3; 260 clips; left out: boredom 81)"
    assert f"## Other corpora\n\n- `emodb`, common-1: {words}" in card
    other = model_card.card(read_run(write_run(tmp_path, "b")), transfers)
    assert "Other corpora" not in other
