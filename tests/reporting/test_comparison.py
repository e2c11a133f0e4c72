"""When a published number may be compared with ours: one test for each way to differ."""

import copy
from pathlib import Path

import pytest

from pipeline import models, settings
from pipeline.config import params
from pipeline.protocols.protocol import Protocol
from pipeline.reporting import comparison
from pipeline.reporting.comparison import differences, references
from pipeline.reporting.results import Result
from pipeline.scoring import targets

ROOT = Path(__file__).parents[2]
RAVDESS = "angry calm disgust fear happy neutral sad surprise".split()
EMODB = "angry boredom disgust fear happy neutral sad".split()
FACTS = {
    "corpus": "ravdess",
    "quality": {"parser": "ravdess", "parser_settings": {"song": False}},
    "leaks": {"clip": {"of": 1440}, "speaker": None},
    "labels": RAVDESS,
    "protocol_settings": {
        **{"kind": "kfold", "folds": 10, "seed": 46, "validation": 0, "hidden": 0.0, "test": []},
        **{"allow": ["speaker"], "labels": {}, "where": {}, "clips": None, "share": None},
    },
    "selection": "last",
    "weights": None,
    "training": {"epochs": 500, "batch": 64},
    "settings": {"blocks": 8},
    "spec": {
        "function": "cepstral.mfcc",
        "deltas": "none",
        "settings": {"n_mfcc": 39, "n_fft": 2048},
        "waveform": {"sample_rate": 22050, "resampler": "kaiser_best", "samples": 110000},
    },
}
CONDITIONS = {
    "copy": {"song": False},
    "clips": 1440,
    "classes": RAVDESS,
    "folds": {"kind": "kfold", "folds": 10, "seed": 46},
    "selection": "last",
    "epochs": 500,
    "feature": {"function": "cepstral.mfcc", "n_mfcc": 39, "resampler": "kaiser_best"},
    "settings": {"batch": 64, "blocks": 8},
}


def changed(place, value, facts=FACTS):
    """Facts with one value changed, ``"training.epochs"``."""
    facts = copy.deepcopy(facts)
    inner = facts
    *above, last = place.split(".")
    for key in above:
        inner = inner[key]
    inner[last] = value
    return facts


def test_a_run_made_as_the_publication_s_is_compared():
    assert differences(FACTS, CONDITIONS) == []


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("leaks.clip.of", 1435, "1435 clips, not 1440"),
        ("quality.parser_settings.song", True, "corpus: song true, not false"),
        ("labels", RAVDESS[1:], "classes: without angry"),
        ("labels", [*RAVDESS, "bored"], "classes: with bored"),
        ("labels", ["bored", *RAVDESS[1:]], "classes: without angry; with bored"),
        (
            "protocol_settings",
            {"kind": "speakers", "folds": 5},
            "folds: speakers, folds 5; not kfold, folds 10, seed 46",
        ),
        (
            "protocol_settings.folds",
            5,
            "folds: kfold, folds 5, seed 46; not kfold, folds 10, seed 46",
        ),
        (
            "protocol_settings.seed",
            0,
            "folds: kfold, folds 10, seed 0; not kfold, folds 10, seed 46",
        ),
        (
            "protocol_settings.validation",
            2,
            "folds: kfold, folds 10, seed 46, validation 2; not kfold, folds 10, seed 46",
        ),
        (
            "protocol_settings.hidden",
            0.5,
            "folds: kfold, folds 10, hidden 0.5, seed 46; not kfold, folds 10, seed 46",
        ),
        ("protocol_settings", None, "folds: not recorded"),
        ("selection", "leaky", "epoch picked on test, not last epoch"),
        ("training.epochs", 60, "60 of 500 epochs"),
        ("training.epochs", 600, "600 epochs, not 500"),
        ("spec.settings.n_mfcc", 40, "features: n_mfcc 40, not 39"),
        (
            "spec.waveform.resampler",
            "soxr_hq",
            "features: resampler soxr_hq, not kaiser_best",
        ),
        ("spec", None, "features: not recorded"),
        ("training.batch", 12, "settings: batch 12, not 64"),
        ("settings.blocks", 10, "settings: blocks 10, not 8"),
    ],
)
def test_each_way_to_differ_is_said_in_words(place, value, words):
    assert differences(changed(place, value), CONDITIONS) == [words]


def test_a_run_of_some_folds_is_compared_with_nothing():
    some = FACTS | {"folds": 10, "tested_folds": [1, 2, 3, 4, 5, 6]}
    assert differences(some, CONDITIONS) == ["6 of 10 folds"]
    assert differences(some | {"tested_folds": [*range(1, 11)]}, CONDITIONS) == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("clips", "clips: not stated by the publication"),
        ("folds", "folds: not stated by the publication"),
        ("selection", "choice of the epoch: not stated by the publication"),
        ("epochs", "epochs: not stated by the publication"),
        ("feature", "features: not stated by the publication"),
    ],
)
def test_what_the_publication_does_not_state_is_a_difference(key, words):
    stated = {k: v for k, v in CONDITIONS.items() if k != key}
    assert differences(FACTS, stated) == [words]


def test_a_publication_that_states_nothing_is_never_compared():
    for conditions in (None, {}):
        assert differences(FACTS, conditions) == ["how the published number was made is not stated"]


def test_what_does_not_decide_the_folds_may_differ():
    facts = changed("protocol_settings.allow", ["speaker", "near"])
    facts["protocol_settings"] |= {"clips": 1440, "labels": {word: word for word in RAVDESS}}
    assert differences(facts, CONDITIONS) == []


def test_some_seed_will_do_where_that_of_the_authors_is_not_known():
    some = CONDITIONS | {"folds": {"kind": "kfold", "folds": 10, "seed": "any"}}
    assert differences(changed("protocol_settings.seed", 0), some) == []
    assert differences(changed("protocol_settings.seed", None), some) == [
        "folds: kfold, folds 10; not kfold, folds 10, seed any"
    ]


def test_the_test_part_of_a_corpus_is_tested_unasked():
    own = CONDITIONS | {"folds": {"kind": "partition"}}
    for tested in ([], ["test"]):
        facts = FACTS | {"protocol_settings": {"kind": "partition", "test": tested}}
        assert differences(facts, own) == []
    facts = FACTS | {"protocol_settings": {"kind": "partition", "test": ["test2"]}}
    assert differences(facts, own) == ["folds: partition, test test2; not partition"]


def test_a_release_is_compared_where_the_copy_is_whole():
    whole = CONDITIONS | {"clips": "whole"}
    assert differences(FACTS, whole) == []
    assert differences(changed("quality.partial", {"found": 3}), whole) == ["part of the corpus"]


def test_imported_weights_are_as_their_authors_trained_them():
    facts = FACTS | {"weights": {"1.hdf5": "0"}, "training": None}
    assert differences(facts, CONDITIONS) == []
    assert differences(changed("settings.blocks", 10, facts), CONDITIONS) == [
        "settings: blocks 10, not 8"
    ]
    assert differences(facts | {"selection": "leaky"}, CONDITIONS) == [
        "epoch picked on test, not last epoch"
    ]


def test_a_setting_that_is_younger_than_the_run_is_not_compared():
    assert differences(changed("settings", {}), CONDITIONS) == []


def test_several_ways_are_all_named():
    facts = changed("training.epochs", 4, changed("selection", "best_validation"))
    assert differences(facts, CONDITIONS) == [
        "epoch picked on validation, not last epoch",
        "4 of 500 epochs",
    ]


# ---- reference numbers -----------------------------------------------------------------------

LISTED = {"kind": "listed_speakers", "list": "ravdess", "validation": 0}


@pytest.mark.parametrize("validation", [0, 2])
def test_reference_numbers_stand_next_to_runs_on_their_folds(validation):
    facts = FACTS | {"protocol_settings": LISTED | {"validation": validation}}
    found = {row["system"]: row for row in references(facts)}
    assert len(found) == 8
    assert found["wav2vec 2.0 XLSR"]["value"] == 81.8
    (ours,) = (row for name, row in found.items() if name.startswith("ResLSTM-SA"))
    assert (ours["value"], ours["deviation"]) == (62.3, 1.2)
    assert "hyperparameters were searched" in ours["caveat"]
    assert "not checked" in found["GResNet"]["caveat"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("protocol_settings.kind", "speakers"),
        ("protocol_settings.list", "emodb"),
        ("quality.parser", "emodb"),
        ("leaks.clip.of", 1439),
        ("labels", RAVDESS[1:]),
        ("protocol_settings.hidden", 0.5),
    ],
)
def test_reference_numbers_stand_nowhere_else(place, value):
    assert references(changed(place, value, FACTS | {"protocol_settings": dict(LISTED)})) == []


@pytest.mark.parametrize(
    ("parser", "labels", "clips", "protocol", "value"),
    [
        ("emodb", EMODB, 535, {"kind": "leave_one_speaker_out"}, 73),
        ("emodb", ["angry", "happy", "neutral", "sad"], 150, LISTED | {"list": "emodb"}, 52),
        ("cremad", ["angry", "happy", "neutral", "sad"], 900, LISTED | {"list": "cremad"}, 45),
    ],
)
def test_each_table_has_runs_to_stand_next_to(parser, labels, clips, protocol, value):
    facts = changed("quality.parser", parser)
    facts |= {"labels": labels, "protocol_settings": protocol, "leaks": {"clip": {"of": clips}}}
    assert [row["value"] for row in references(facts)] == [value]


# ---- length ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("epochs", "words"), [(60, "60 of 500 epochs"), (500, "500 epochs")])
def test_a_run_shorter_than_its_paper_says_so(epochs, words):
    facts = changed("training.epochs", epochs) | {"epochs_of_paper": 500}
    assert Result("one", facts, targets.of((), RAVDESS), {}).protocol.endswith(
        f"last epoch, {words}"
    )


def test_a_name_of_its_own_does_not_hide_a_corpus():
    assert comparison.parser(FACTS | {"corpus": "mine"}) == "ravdess"
    assert comparison.parser({"corpus": "ravdess", "quality": {}}) == "ravdess"


# ---- what is published -----------------------------------------------------------------------

# A line of each model, and lines of params.yaml that make a run like it.
MADE_ALIKE = {
    "tim_net": ("ravdess", 1, 110000, "centred-kaiser", "mfcc39", "random10-46"),
    "gm_tcnet": ("ravdess", 2, 110000, "centred-kaiser", "mfcc39", None),
    "cpac": ("ravdess", 1, 110000, "centred-kaiser", "mfcc39", None),
    "light_sernet": ("emodb", 0, None, "light-sernet-3s", "mfcc40-tf", None),
    "deep_emo_cluster": ("msp_podcast", 0, None, "whole-16k", "mel128-chunks", None),
}


SEEDS = {"gm_tcnet": 32, "cpac": 98}  # of folds that no line of params.yaml has
CHANGED = {"deep_emo_cluster": {"select_by": "chunk_loss"}}  # where ours is not the publication's


@pytest.mark.parametrize("model", MADE_ALIKE)
def test_a_run_can_be_made_as_a_publication_states(model):
    corpus, which, samples, waveform, feature, protocol = MADE_ALIKE[model]
    held = params.load(ROOT / "params.yaml")
    facts = models.facts(model)
    line = [line for line in facts.published if line["corpus"] == corpus][which]
    stated = line["conditions"]
    recipe = held.waveforms[waveform]
    length = recipe.samples if isinstance(recipe.samples, int) else samples
    run = {
        "corpus": "mine",
        "quality": {"parser": corpus, "parser_settings": stated.get("copy", {}), "partial": None},
        "leaks": {"clip": {"of": stated["clips"]}},
        "labels": stated["classes"],
        "protocol_settings": stated["folds"] | {"seed": stated["folds"].get("seed") and 46},
        "selection": stated["selection"],
        "weights": None,
        "training": settings.flat(facts.training) | CHANGED.get(model, {}),
        "settings": settings.flat(facts.settings()),
        "spec": held.features[feature].spec(recipe.spec(length)).to_json(),
    }
    if protocol:
        run["protocol_settings"] = held.protocols[protocol].recorded()
    if model in SEEDS:
        run["protocol_settings"] |= {"seed": SEEDS[model]}
    assert differences(run, stated) == []
    for key, value in CHANGED.get(model, {}).items():
        own = run["training"] | {key: getattr(facts.training, key)}
        words = f"settings: {key} {own[key]}, not {value}"
        assert differences(run | {"training": own}, stated) == [words]


@pytest.mark.parametrize("model", models.names())
def test_what_a_publication_states_can_be_compared(model):
    facts = models.facts(model)
    own = settings.flat(facts.settings()).keys() | settings.flat(facts.training).keys()
    for line in facts.published:
        stated = line.get("conditions", {})
        assert stated.keys() <= CONDITIONS.keys()
        assert stated.get("settings", {}).keys() <= own
        if stated:
            folds = stated["folds"] | ({"seed": 0} if "seed" in stated["folds"] else {})
            settings.read(Protocol, folds, "folds")
