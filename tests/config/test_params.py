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

ROOT = Path(__file__).parents[2]
TEXT = """\
corpora:
  demo: {parser: demo}
waveforms:
  centred: {sample_rate: 22050, resampler: soxr_hq, length: centre}
features:
  mfcc39: {function: cepstral.mfcc, n_mfcc: 39}
protocols:
  random5: {kind: kfold, folds: 5, seed: 1, allow: [speaker, sentence]}
  speakers5: {kind: speakers, folds: 5, validation: 2, allow: [sentence]}
  loso: {kind: leave_one_speaker_out}
sounds:
  demo-centred: {corpus: demo, waveform: centred, samples: 55125}
data:
  demo-mfcc39: {sound: demo-centred, feature: mfcc39}
folds:
  demo-random5: {corpus: demo, protocol: random5}
runs:
  one: {model: tim_net, corpus: demo, data: demo-mfcc39, folds: demo-random5}
engine:
  backend: tensorflow
  folds: auto
  memory_mb: 100
  workers: threads
"""
ENGINE = TEXT[TEXT.index("engine:") :]
RATED = (
    TEXT.replace("tim_net", "deep_emo_cluster")
    .replace("length: centre", "length: whole")
    .replace(", samples: 55125", "")
    .replace("cepstral.mfcc, n_mfcc: 39", "spectral.mel, segment: 62, chunks: 11")
)


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Give ``read(text)``: load it as ``params.yaml``."""
    monkeypatch.chdir(tmp_path)

    def load(text):
        Path("params.yaml").write_text(text, encoding="utf-8")
        return params.load(Path("params.yaml"))

    return load


def refusal(read, text):
    """Return the message with which ``text`` is refused; it is one line."""
    with pytest.raises(InputError) as error:
        read(text)
    message = str(error.value)
    assert len(message.splitlines()) == 1
    assert message.startswith("params.yaml: ")
    return message.removeprefix("params.yaml: ")


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

NAMED = "is no name; wanted letters, digits, ., _ and -, the first a letter, a digit or _"
EDITS = [
    # unknown keys
    ("engine:", "engines:", "engines: no such table; did you mean engine?"),
    ("{parser: demo}", "{parsr: demo}", "corpora.demo.parser: missing"),
    ("backend: t", "backnd: t", "engine.backnd: no such key; did you mean backend?"),
    ("n_mfcc: 39", "n_mfc: 39", "features.mfcc39.n_mfc: no such key; did you mean n_mfcc?"),
    ("folds: 5, s", "fold: 5, s", "protocols.random5.fold: no such key; did you mean folds?"),
    (
        "demo-random5}",
        "demo-random5, settings: {epoch: 3}}",
        "runs.one.settings.epoch: no such key; did you mean epochs?",
    ),
    (
        "demo-random5}",
        "demo-random5, sed: 1}",
        "runs.one.sed: no such key; did you mean seeds?",
    ),
    (
        "demo-random5}",
        "demo-random5, settings: {dropuot: 0.1}}",
        "runs.one.settings.dropuot: no such key; did you mean dropout?",
    ),
    (
        "demo-random5}",
        "demo-random5, training: {epochs: 3}}",
        "runs.one.training: no such key; ",
    ),
    (
        "length: centre",
        "length: centre, 1: 2",
        "waveforms.centred.1: no such key; known: sample_rate, resampler, length, samples",
    ),
    (
        "demo-random5}",
        "demo-random5, settings: {seed: 1}}",
        "runs.one.settings.seed: no such key; known: blocks, ",
    ),
    ("runs:", "models: {tim_net: {}}\nruns:", "models: no such table; known: corpora, waveforms, "),
    # missing keys
    (ENGINE, "", "engine: missing"),
    ("  backend: tensorflow\n", "", "engine.backend: missing"),
    (", samples: 55125", "", "sounds.demo-centred.samples: missing; waveforms.centred leaves it"),
    (", length: centre", "", "waveforms.centred.length: missing"),
    ("function: cepstral.mfcc, ", "", "features.mfcc39.function: missing"),
    ("kind: kfold, ", "", "protocols.random5.kind: missing"),
    ("tim_net, corpus: demo, ", "tim_net, ", "runs.one.corpus: missing"),
    (
        "tim_net, corpus: demo, data: demo-mfcc39, ",
        "tim_net, corpus: demo, ",
        "runs.one.data: missi",
    ),
    # wrong types
    (
        "samples: 55125",
        "samples: long",
        "sounds.demo-centred.samples: wanted a whole number or null, got",
    ),
    (
        "samples: 55125",
        "samples: 2.5",
        "sounds.demo-centred.samples: wanted a whole number or null, g",
    ),
    (
        "samples: 55125",
        "samples: true",
        "sounds.demo-centred.samples: wanted a whole number or null",
    ),
    (
        "samples: 55125",
        "samples: 1e3",
        "sounds.demo-centred.samples: wanted a whole number or null",
    ),
    (
        "samples: 55125",
        "samples: ",
        "sounds.demo-centred.samples: missing; waveforms.centred leaves",
    ),
    ("parser: demo", "parser: [demo]", "corpora.demo.parser: no ['demo']; "),
    ("parser: demo", "parser: 1", "corpora.demo.parser: no 1; "),
    (
        "22050",
        "2026-02-03",
        "waveforms.centred.sample_rate: wanted a whole number, got datetime.date(2026, 2, 3)",
    ),
    (
        "length: centre",
        "length: centre, samples: p",
        "waveforms.centred.samples: wanted a whole number or p0..p100, got 'p'",
    ),
    (
        "length: centre",
        "length: centre, samples: [1]",
        "waveforms.centred.samples: wanted a whole number or a text or null, got [1]",
    ),
    ("n_mfcc: 39", "n_mfcc: null", "features.mfcc39.n_mfcc: wanted a whole number, got nothing"),
    ("n_mfcc: 39", "centre: 1", "features.mfcc39.centre: wanted true or false, got 1"),
    (
        "n_mfcc: 39",
        "top_db: high",
        "features.mfcc39.top_db: wanted a number or null, got 'high'",
    ),
    ("n_mfcc: 39", "top_db: .inf", "features.mfcc39.top_db: wanted a number or null, got inf"),
    (
        "folds: 5, s",
        "folds: five, s",
        "protocols.random5.folds: wanted a whole number or null, got 'five'",
    ),
    (
        "allow: [sentence]",
        "allow: sentence",
        "protocols.speakers5.allow: wanted a list, got 'sentence'",
    ),
    (
        "allow: [sentence]",
        "allow: [[sentence]]",
        "protocols.speakers5.allow: wanted a text, got ['sentence']",
    ),
    ("demo-random5}", "demo-random5, settings: 0}", "runs.one.settings: wanted a mapping, got 0"),
    ("demo-random5}", "demo-random5, settings: []}", "runs.one.settings: wanted a mapping, got []"),
    (
        "demo-random5}",
        "demo-random5, settings: }",
        "runs.one.settings: wanted a mapping, got nothing",
    ),
    ("model: tim_net", "model: [tim_net]", "runs.one.model: no model "),
    (
        "demo-random5}",
        "demo-random5, seeds: [0, 1.5]}",
        "runs.one.seeds: wanted a whole number, got 1.5",
    ),
    ("demo-random5}", "demo-random5, seeds: 3}", "runs.one.seeds: wanted a list, got 3"),
    (ENGINE, "engine: jax", "engine: wanted a mapping, got 'jax'"),
    ("backend: tensorflow", "backend: ", "engine.backend: wanted a text, got nothing"),
    ("  demo: {parser: demo}", "  [demo]", "corpora: wanted a mapping, got ['demo"),
    # unknown names
    ("parser: demo", "parser: demo, settings: {}", "corpora.demo.settings: no such key; "),
    ("parser: demo", "parser: ravdess, song: 1", "corpora.demo.song: wanted true or false, got 1"),
    (
        "parser: demo",
        "parser: demo, limits: {clipt: 1}",
        "corpora.demo.limits: no 'clipt'; did you mean clipped?",
    ),
    (
        "parser: demo",
        "parser: demo, limits: {clipped: -1}",
        "corpora.demo.limits.clipped: must be at least 0, got -1",
    ),
    ("parser: demo", "parser: dmeo", "corpora.demo.parser: no 'dmeo'; did you mean demo?"),
    ("soxr_hq", "soxr_qq", "waveforms.centred.resampler: no 'soxr_qq'; did you mean soxr_hq?"),
    ("length: centre", "length: center", "waveforms.centred.length: no 'center'; did you mean"),
    (
        "cepstral.mfcc",
        "cepstral.mfc",
        "features.mfcc39.function: no 'cepstral.mfc', a function of pipeline/",
    ),
    ("cepstral.mfcc", "[mfcc]", "features.mfcc39.function: wanted a text, got ['mfcc']"),
    ("kind: kfold", "kind: kfolds", "protocols.random5.kind: no 'kfolds'; did you mean kfold?"),
    ("[speaker,", "[speakr,", "protocols.random5.allow: no 'speakr'; did you mean speaker?"),
    ("model: tim_net", "model: timnet", "runs.one.model: no model 'timnet'; did you mean tim_net?"),
    (
        "tim_net, corpus: demo",
        "tim_net, corpus: emodb",
        "runs.one.corpus: no 'emodb' under corpora; ",
    ),
    (
        "waveform: centred",
        "waveform: center",
        "sounds.demo-centred.waveform: no 'center' under wavef",
    ),
    (
        "feature: mfcc39",
        "feature: mfcc40",
        "data.demo-mfcc39.feature: no 'mfcc40' under features; d",
    ),
    ("protocol: random5", "protocol: random", "folds.demo-random5.protocol: no 'random' under pro"),
    ("sound: demo-centred", "sound: demo", "data.demo-mfcc39.sound: no 'demo' under sounds; "),
    (
        "data: demo-mfcc39",
        "data: demo-mfcc13",
        "runs.one.data: no 'demo-mfcc13' under data; did you mean demo-mfcc39?; or add under data: "
        "demo-mfcc13: {sound: demo-WAVEFORM, feature: FEATURE}",
    ),
    (
        "folds: demo-random5",
        "folds: mine",
        "runs.one.folds: no 'mine' under folds; known: demo-random5; or add under folds: "
        "mine: {corpus: demo, protocol: PROTOCOL}",
    ),
    ("demo-random5}", "demo-random5, selection: best}", "runs.one.selection: no 'best'; "),
    ("backend: tensorflow", "backend: torch", "engine.backend: no 'torch'; known: jax, tensorflow"),
    ("demo-random5}", "demo-random5, backend: torch}", "runs.one.backend: no 'torch'; "),
    ("demo-random5}", "demo-random5, engine: jax}", "runs.one.engine: no such key; "),
    ("folds: auto", "folds: stack", "engine.folds: no 'stack'; did you mean stacked?"),
    # names that make no folder
    ("  demo: {p", "  de/mo: {p", f"corpora: 'de/mo' {NAMED}"),
    ("  one: {m", "  $(touch x): {m", f"runs: '$(touch x)' {NAMED}"),
    ("  one: {m", "  ../one: {m", f"runs: '../one' {NAMED}"),
    ("  demo: {p", "  -demo: {p", f"corpora: '-demo' {NAMED}"),
    ("  demo: {p", '  "": {p', f"corpora: '' {NAMED}"),
    ("  demo: {p", '  "a\\nb": {p', f"corpora: 'a\\nb' {NAMED}"),
    ("  one: {m", "  1: {m", "runs.1: a name is a text, got 1; put it in quotes"),
    ("  one: {m", "  ? [one]\n  : {m", "runs.('one',): a name is a text, got ('one',); put it"),
    # out of bounds
    (
        "samples: 55125",
        "samples: 0",
        "sounds.demo-centred.samples: must be at least 1 samples, got 0",
    ),
    ("22050", "44", "waveforms.centred.sample_rate: must be at least 1000 Hz, got 44"),
    (
        "length: centre",
        "length: centre, samples: p101",
        "waveforms.centred.samples: wanted a whole number or p0..p100",
    ),
    (
        "length: centre",
        "length: centre, normalise: loud",
        "waveforms.centred.normalise: no 'loud'; known: none, peak, percentile",
    ),
    (
        "length: centre",
        "length: centre, pre_emphasis: 1",
        "waveforms.centred.pre_emphasis: must be at least 0 and below 1, got 1.0",
    ),
    (
        "length: centre",
        "length: centre, pcm16: 1",
        "waveforms.centred.pcm16: wanted true or false, got 1",
    ),
    (
        "length: centre",
        "length: centre, samples: -1",
        "waveforms.centred.samples: must be at least 1 samples, got -1",
    ),
    ("folds: 5, s", "folds: 1, s", "protocols.random5.folds: must be at least 2, got 1"),
    (
        "seed: 1",
        "seed: -1",
        "protocols.random5.seed: must be at least 0 and at most",
    ),
    (", seed: 1", "", "protocols.random5.seed: kfold draws clips at random and needs one"),
    (
        "validation: 2",
        "validation: -2",
        "protocols.speakers5.validation: must be at least 0, got -2",
    ),
    (
        "leave_one_speaker_out}",
        "leave_one_speaker_out, folds: 3}",
        "protocols.loso.folds: leave_one_speaker_out makes one per speaker; remove it",
    ),
    ("demo-random5}", "demo-random5, seeds: [-1]}", "runs.one.seeds: must be at least 0, got -1"),
    (
        "demo-random5}",
        "demo-random5, seeds: []}",
        "runs.one.seeds: wanted one or more, all different",
    ),
    (
        "demo-random5}",
        "demo-random5, seeds: [1, 1]}",
        "runs.one.seeds: wanted one or more, all different",
    ),
    (
        "workers: threads",
        "workers: thread",
        "engine.workers: wanted threads, processes or tcp://HOST:PORT of a dask scheduler, got",
    ),
    ("n_mfcc: 39", "win_length: 5.5", "features.mfcc39.win_length: wanted a whole number or null"),
    ("n_mfcc: 39", "deltas: slope", "features.mfcc39.deltas: no 'slope'; known: none, regression"),
    ("n_mfcc: 39", "segment: -1", "features.mfcc39.segment: must be at least 0 frames, got -1"),
    ("n_mfcc: 39", "segment: 64", "features.mfcc39.segment_hop: must be at least 1 where"),
    ("n_mfcc: 39", "chunks: -1", "features.mfcc39.chunks: must be at least 0, got -1"),
    (
        "n_mfcc: 39",
        "segment: 9, chunks: 1",
        "features.mfcc39.chunks: must be 0, or at least 2, got 1",
    ),
    ("n_mfcc: 39", "chunks: 11", "features.mfcc39.chunks: needs segment, the frames of each; set"),
    (
        "n_mfcc: 39",
        "segment: 62, segment_hop: 5, chunks: 11",
        "features.mfcc39.segment_hop: chunks decides how far apart they are; remove it",
    ),
    ("n_mfcc: 39", "chunks: 2.5", "features.mfcc39.chunks: wanted a whole number, got 2.5"),
    (
        "seed: 1,",
        "seed: 1, hidden: 1,",
        "protocols.random5.hidden: must be at least 0 and below 1",
    ),
    ("seed: 1,", "seed: 1, hidden: all,", "protocols.random5.hidden: wanted a number, got 'all'"),
    ("memory_mb: 100", "memory_mb: 0", "engine.memory_mb: must be at least 1 MB, got 0"),
    # together
    (
        "demo-random5}",
        "demo-random5, selection: best_validation}",
        "runs.one.selection: best_validation needs validation speakers; "
        "set protocols.random5.validation to 1 or more",
    ),
    (
        "{model: tim_net,",
        "{model: svm, selection: leaky,",
        "runs.one.selection: svm has no epochs to choose from; remove it",
    ),
    (
        "{model: tim_net,",
        "{model: svm, backend: jax,",
        "runs.one.backend: svm is computed by scikit-learn; remove it",
    ),
    (
        "{model: tim_net,",
        "{model: svm, settings: {c: []},",
        "runs.one.settings.c: wanted one or more values, got none",
    ),
    # not YAML
    ("{parser: demo", "{parser: [demo", "not YAML: line 2: did not find expected ',' or ']'"),
    (
        "engine:",
        "\tengine:",
        "not YAML: line 19: found character that cannot start any token",
    ),
    ("engine:", "corpora:", 'not YAML: line 19: found duplicate key "corpora"'),
    ("samples: 55125", "samples: 2026-02-30", "not YAML: day is out of range for month"),
    ("samples: 55125", "samples: !!bool x", "not YAML: 'x'"),
    ("samples: 55125", "samples: !new x", "not YAML: line 12: could not determine a constructor"),
    ("samples: 55125", f"samples: {'[' * 3000}", "not YAML: line 12: did not find expected node"),
    (
        "samples: 55125",
        f"samples: {'[' * 3000}{']' * 3000}",
        "nested too deep",
    ),
]


@pytest.mark.parametrize(("found", "edited", "message"), EDITS, ids=[edit[2] for edit in EDITS])
def test_a_mistake_is_one_line(read, found, edited, message):
    assert TEXT.count(found) == 1
    assert refusal(read, TEXT.replace(found, edited)).startswith(message)


ATTRIBUTES = [
    ("attributes: [arousl]", "attributes: no 'arousl'; did you mean arousal?"),
    ("attributes: [arousal, anger]", "attributes: no 'anger'; known: arousal, dominance, valence"),
    ("attributes: []", "attributes: wanted one or more, each once, got []"),
    (
        "attributes: [arousal, arousal]",
        "attributes: wanted one or more, each once, got ['arousal', 'a",
    ),
    ("attributes: arousal", "attributes: wanted a list, got 'arousal'"),
    ("attributes: [1]", "attributes: wanted a text, got 1"),
    ("attributes: null", "attributes: wanted a list, got nothing"),
    ("attribute: [arousal]", "attribute: no such key; did you mean attributes?"),
    ("clusters: 1", "clusters: must be at least 2, got 1"),
    ("clusters: ten", "clusters: wanted a whole number, got 'ten'"),
    ("unlabeled: -1", "unlabeled: must be at least 0, got -1"),
    ("unlabeled: 0.5", "unlabeled: wanted a whole number, got 0.5"),
    ("unlabelled: 9", "unlabelled: no such key; did you mean unlabeled?"),
]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("learning_rate: -1", "learning_rate: must be above 0, got -1.0"),
        ("learning_rate: 0", "learning_rate: must be above 0, got 0.0"),
        ("learning_rate: .nan", "learning_rate: wanted a number, got nan"),
        ("learning_rate: true", "learning_rate: wanted a number, got true"),
        ("label_smoothing: 5", "label_smoothing: must be at least 0 and below 1, got 5.0"),
        ("beta_1: 2", "beta_1: must be at least 0 and below 1, got 2.0"),
        ("epsilon: -1", "epsilon: must be above 0, got -1.0"),
        ("decay_every: 0", "decay_every: must be at least 1, got 0"),
        ("decay_from: -3", "decay_from: must be at least 1, got -3"),
        ("optimiser: sgd", "optimiser: no 'sgd'; known: adam, adamw"),
        ("loss: hinge", "loss: no 'hinge'; known: cross_entropy, focal, margin"),
        ("schedule: linear", "schedule: no 'linear'; known: constant, steps, cosine"),
        ("clip_norm: -1", "clip_norm: must be at least 0, got -1.0"),
        ("weight_decay: -1", "weight_decay: must be at least 0, got -1.0"),
        ("patience: -1", "patience: must be at least 0, got -1"),
        ("patience: 3", "patience: needs selection: best_validation, got last"),
        ("balance: weight", "balance: no 'weight'; did you mean weights?"),
        ("dropout: 7", "dropout: must be at least 0 and below 1, got 7.0"),
        ("epochs: 0", "epochs: must be at least 1, got 0"),
    ],
)
def test_a_setting_out_of_bounds_is_one_line(read, setting, message):
    text = TEXT.replace("demo-random5}", f"demo-random5, settings: {{{setting}}}}}")
    assert refusal(read, text) == f"runs.one.settings.{message}"


def test_a_run_with_weights_starts_from_nothing(read):
    text = TEXT.replace("demo-random5}", "demo-random5, weights: a, start_from: models/b}")
    assert refusal(read, text) == (
        "runs.one.start_from: a run with weights is not trained; leave one of them out"
    )


@pytest.mark.parametrize(("setting", "message"), ATTRIBUTES, ids=[line[0] for line in ATTRIBUTES])
def test_a_mistake_in_a_run_on_attributes_is_one_line(read, setting, message):
    text = RATED.replace("demo-random5}", f"demo-random5, settings: {{{setting}}}}}")
    assert refusal(read, text).startswith(f"runs.one.settings.{message}")


def test_attributes_are_learnt_from_chunks_of_whole_clips(read):
    assert refusal(read, RATED.replace("length: whole", "length: centre, samples: 9")) == (
        "runs.one.data: deep_emo_cluster takes whole clips; set waveforms.centred.length to "
        "whole, or name other data"
    )
    assert refusal(read, RATED.replace(", segment: 62, chunks: 11", "")) == (
        "runs.one.data: deep_emo_cluster is trained on chunks of a clip; give features.mfcc39 "
        "segment and chunks, or name other data"
    )


@pytest.mark.parametrize("setting", ["attributes: [arousal]", "clusters: 10", "unlabeled: 0"])
def test_other_models_know_nothing_of_attributes(read, setting):
    key = setting.partition(":")[0]
    text = TEXT.replace("demo-random5}", f"demo-random5, settings: {{{setting}}}}}")
    assert f".{key}: no such key; " in refusal(read, text)


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
