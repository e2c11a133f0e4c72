"""Mistakes in params.yaml: each is one line with the place, what was found and what was wanted."""

import pytest

from tests.config.written import ENGINE, RATED, TEXT, refusal

NAMED = (
    "is no name; wanted letters, digits, ., _ and -, the first a letter, a digit or _, and at "
    "most 100"
)
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
    ("samples: 55125", f"samples: {'[' * 30}", "line 12: nested too deep, wanted at most 30"),
    ("one: {model", f"{'o' * 101}: {{model", "runs: 'ooooo"),
    ("one: {model", "../../one: {model", "runs: '../../one' is no name; "),
    ("one: {model", "$(touch one): {model", "runs: '$(touch one)' is no name; "),
    ("demo-mfcc39: {sound", "a/b: {sound", "data: 'a/b' is no name; "),
    ("loso: {kind", "lo;so: {kind", "protocols: 'lo;so' is no name; "),
]


@pytest.mark.parametrize(("found", "edited", "message"), EDITS, ids=[edit[2] for edit in EDITS])
def test_a_mistake_is_one_line(read, found, edited, message):
    assert TEXT.count(found) == 1
    assert refusal(read, TEXT.replace(found, edited)).startswith(message)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("learning_rate: -1", "learning_rate: must be above 0, got -1.0"),  # of the training
        ("dropout: 7", "dropout: must be at least 0 and below 1, got 7.0"),  # of the network
        ("patience: 3", "patience: needs selection: best_validation, got last"),
    ],
)
def test_a_setting_out_of_bounds_is_one_line(read, setting, message):
    text = TEXT.replace("demo-random5}", f"demo-random5, settings: {{{setting}}}}}")
    assert refusal(read, text) == f"runs.one.settings.{message}"


SEGMENTS = "freeze: true, cnn_weights: cnn.h5, segment_epochs: 2"


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        (
            "deep_emo_cluster",
            "sampler: chunks",
            "sampler: chunks puts chunks of several clips together, but temporal gru takes all of "
            "one clip in order; set temporal to none, or sampler to clips",
        ),
        (
            "dcnn_blstm",
            SEGMENTS,
            "segment_epochs: they train the CNN, which freeze leaves as it starts; set freeze to "
            "false, or segment_epochs to 0",
        ),
        (
            "dcnn_blstm",
            "epochs: 30, segment_epochs: 30",
            "segment_epochs: must be below epochs, 30, which they are a part of, got 30",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_one_line(read, model, given, message):
    text = TEXT.replace("model: tim_net,", f"model: {model}, settings: {{{given}}},")
    assert refusal(read, text) == f"runs.one.settings.{message}"


def test_attributes_are_learnt_from_chunks_of_whole_clips(read):
    assert refusal(read, RATED.replace("length: whole", "length: centre, samples: 9")) == (
        "runs.one.data: deep_emo_cluster takes whole clips; set waveforms.centred.length to "
        "whole, or name other data"
    )
    assert refusal(read, RATED.replace(", segment: 62, chunks: 11", "")) == (
        "runs.one.data: deep_emo_cluster is trained on chunks of a clip; give features.mfcc39 "
        "segment and chunks, or name other data"
    )
