"""params.yaml: what is read, and that any mistake in it becomes one line."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline.config import params
from pipeline.config.records import Corpus, Engine, Sound
from pipeline.errors import InputError
from pipeline.features.cepstral import Mfcc
from pipeline.features.recipes import FeatureRecipe, WaveformRecipe
from pipeline.models import tim_net
from pipeline.protocols.protocol import Protocol
from pipeline.settings import flat
from tests.config.written import ENGINE, RATED, TEXT, refusal

ROOT = Path(__file__).parents[2]
# ---- what is read ----------------------------------------------------------------------------


def test_the_file_of_the_repository_is_valid():
    held = params.load(ROOT / "params.yaml")
    assert "demo" in held.corpora
    assert held.runs


def test_records_hold_what_the_file_says(read):
    held = read(TEXT)
    assert held.corpora == {"demo": Corpus("demo", {}, "demo")}
    recipe = WaveformRecipe(22050, "soxr_hq", "centre")
    assert held.waveforms == {"centred": recipe}
    sound = Sound("demo-centred", recipe, corpus="demo", waveform="centred", samples=55125)
    assert held.sounds == {"demo-centred": sound}
    random = Protocol("kfold", 5, 1, 0, ("speaker", "sentence"))
    assert held.protocols["random5"] == random
    run = held.runs["one"]
    assert (run.name, run.selection, run.seeds, run.weights) == ("one", "last", (0,), "")
    assert (run.waveform, run.feature, run.protocol) == ("centred", "mfcc39", "random5")
    assert held.folds["demo-random5"].rule == random
    assert run.engine == Engine("tensorflow", "auto", 100, "threads")


def test_settings_are_complete_and_hold_the_differences(read):
    held = read(TEXT.replace("demo-random5}", "demo-random5, settings: {blocks: 4, epochs: 2}}"))
    run = held.runs["one"]
    assert (run.settings.blocks, run.settings.filters) == (4, 39)  # the run's, the paper's
    assert (run.training.epochs, run.training.batch) == (2, 64)
    assert held.features == {"mfcc39": FeatureRecipe("cepstral.mfcc", Mfcc(39))}


def test_without_settings_all_is_the_paper_s(read):
    run = read(TEXT).runs["one"]
    assert (run.settings, run.training) == (tim_net.Settings(), tim_net.TRAINING)


def test_a_feature_says_how_it_is_cut(read):
    held = read(TEXT.replace("n_mfcc: 39}", "n_mfcc: 39, segment: 62, chunks: 11}"))
    feature = held.features["mfcc39"]
    assert (feature.segment, feature.segment_hop, feature.chunks) == (62, 0, 11)
    held = read(TEXT.replace("n_mfcc: 39}", "n_mfcc: 39, segment: 62, segment_hop: 31}"))
    feature = held.features["mfcc39"]
    assert (feature.segment, feature.segment_hop, feature.chunks) == (62, 31, 0)


def test_a_run_may_say_what_computes_it(read):
    text = TEXT.replace("demo-random5}", "demo-random5, backend: jax}")
    text = text.replace(
        "engine:", TEXT[TEXT.index("  one:") : -len(ENGINE)].replace("one", "two") + "engine:"
    )
    held = read(text)
    assert held.runs["one"].engine == Engine("jax", "auto", 100, "threads")
    assert held.runs["two"].engine == held.engine == Engine("tensorflow", "auto", 100, "threads")


def test_a_run_on_attributes_says_which(read):
    run = read(RATED).runs["one"]
    assert run.training.attributes == ("arousal",)  # the paper's
    assert (run.training.clusters, run.training.unlabeled) == (10, 0)
    assert run.settings.temporal == "gru"
    line = "demo-random5, settings: {attributes: [valence, dominance], clusters: 2, unlabeled: 9}}"
    run = read(RATED.replace("demo-random5}", line)).runs["one"]
    assert run.training.attributes == ("valence", "dominance")  # in the order of the answers
    assert (run.training.clusters, run.training.unlabeled) == (2, 9)
    assert read(TEXT).runs["one"].training.attributes == ()


@pytest.mark.parametrize("text", ["1e-3", "0.001", "1.0e-03", "1.0E-3", ".001"])
def test_decimals_may_be_written_as_yaml_allows(read, text):
    held = read(
        TEXT.replace("demo-random5}", f"demo-random5, settings: {{learning_rate: {text}}}}}")
    )
    assert held.runs["one"].training.learning_rate == 1e-3


def test_whole_numbers_pass_for_decimals_and_null_where_a_function_takes_it(read):
    line = "{function: cepstral.mfcc, power: 1, top_db: null, fmax: 8000, mel_norm: null}"
    held = read(TEXT.replace("{function: cepstral.mfcc, n_mfcc: 39}", line))
    found = flat(held.features["mfcc39"].settings)
    assert (found["power"], found["fmax"]) == (1.0, 8000.0)
    assert isinstance(found["power"], float) and isinstance(found["fmax"], float)
    assert found["top_db"] is None and found["mel_norm"] is None


# ---- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "# only a comment\n", "null"])
def test_an_empty_file_is_refused(read, text):
    assert refusal(read, text) == "top level: wanted a mapping, got nothing"


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    path = tmp_path / "params.yaml"
    with pytest.raises(InputError, match=r"params\.yaml: no such file; run this where dvc\.yaml"):
        params.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"params\.yaml: not YAML: 'utf-8' codec"):
        params.load(path)


def places(data, place=()):
    """Every key of the data, at any depth."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*place, key)
            yield from places(value, (*place, key))


DATA = YAML(typ="safe", pure=True).load(TEXT)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(["demo", "tim_net", "corpus", "kfold", "centre", "best_validation", "one"])
JUNK = st.recursive(
    SCALARS | NAMES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=3) | NAMES, inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.sampled_from(sorted(places(DATA))), junk=JUNK)
@example(place=("protocols", "random5", "allow"), junk=[["speaker"]])
@example(place=("runs", "one", "settings"), junk={"learning_rate": 10**400})
@example(place=("runs", "one", "model"), junk=False)
def test_no_value_anywhere_gives_a_traceback(read, place, junk):
    data = copy.deepcopy(DATA)
    line = data
    for key in place[:-1]:
        line = line[key]
    line[place[-1]] = junk
    text = json.dumps(data).replace("NaN", ".nan").replace("Infinity", ".inf")
    try:
        read(text)  # JSON is YAML
    except InputError as error:
        assert len(str(error).splitlines()) == 1
