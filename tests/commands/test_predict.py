"""Predict: any sound file in, what evaluate gave out; what cannot be read is named."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from pipeline.commands import predict as module
from pipeline.commands.predict import load, predict
from pipeline.errors import InputError
from pipeline.inference import sounds as reading
from tests import rated
from tests.rewriting import rewrite

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def card(finished):
    return json.loads((finished / "models" / "tiny" / "card.json").read_text())


@pytest.fixture(scope="module")
def held_out(finished):
    """Give three clips of the first fold: name, path and what evaluate said of each."""
    found = pd.read_csv(finished / "reports" / "runs" / "tiny" / "predictions.csv")
    listed = finished / "features" / "corpora" / "demo" / "index.csv"
    index = pd.read_csv(listed, index_col="clip").path
    rows = found[found.fold == 1].iloc[[0, 5, 9]]
    return rows.assign(path=[str(finished / "raw_data" / "demo" / index[c]) for c in rows["clip"]])


@pytest.fixture(scope="module")
def sounds(held_out, tmp_path_factory):
    """Give one clip in many forms, and a folder of odd ones."""
    folder = tmp_path_factory.mktemp("sounds")
    signal, rate = soundfile.read(held_out.path.iloc[0])
    stereo = np.stack([signal, signal], axis=1)
    same = {
        "stereo.wav": (stereo, rate, "PCM_16"),
        "24.wav": (signal, rate, "PCM_24"),
        "float.wav": (signal, rate, "FLOAT"),
        "lossless.flac": (signal, rate, "PCM_16"),
        "odd.aiff": (signal, rate, "PCM_16"),
    }
    near = {
        f"{hertz}.wav": (soxr.resample(signal, rate, hertz, "VHQ"), hertz, "PCM_16")
        for hertz in (44100, 48000)
    }
    odd = {
        "8000.wav": (soxr.resample(signal, rate, 8000, "VHQ"), 8000, "PCM_16"),
        "lossy.ogg": (signal, rate, "VORBIS"),
        "lossy.mp3": (signal, rate, "MPEG_LAYER_III"),
        "short.wav": (signal[8000:][: rate // 10], rate, "PCM_16"),
        "long.wav": (np.tile(signal, 20), rate, "PCM_16"),
        "six.wav": (np.stack([signal] * 6, axis=1), rate, "PCM_16"),
    }
    for kind, files in {"same": same, "near": near, "odd": odd}.items():
        (folder / kind).mkdir()
        for name, (samples, hertz, subtype) in files.items():
            soundfile.write(folder / kind / name, samples, hertz, subtype=subtype)
    return folder


@pytest.fixture(scope="module")
def answers(finished, environment, held_out, sounds):
    """Ask the model of the first fold, by command, with two broken files among the others."""
    (sounds / "broken.wav").write_text("no sound")
    soundfile.write(sounds / "infinite.wav", np.full(16000, np.inf), 16000, subtype="FLOAT")
    soundfile.write(sounds / "one.wav", [0.5], 16000)
    soundfile.write(sounds / "silent.wav", np.zeros(16000), 16000)
    arguments = ["models/tiny", "raw_data/demo/nothing.wav", *held_out.path]
    arguments += [*map(str, sounds.glob("*.wav")), *(str(sounds / k) for k in ("same", "near"))]
    arguments += [str(sounds / "odd"), "--fold", "1", "--csv", str(sounds / "answers.csv")]
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "predict", *arguments],
        **{"cwd": finished, "env": environment, "capture_output": True, "text": True},
    )


@pytest.fixture(scope="module")
def table(answers, sounds):
    assert answers.returncode == 1, answers.stderr
    return pd.read_csv(sounds / "answers.csv").set_index("path")


def probabilities(frame, card):
    return frame[[f"p_{label}" for label in card["labels"]]].to_numpy()


# ---- the same numbers ------------------------------------------------------------------------


def test_a_held_out_clip_gets_what_evaluate_gave_it(table, held_out, card):
    found = probabilities(table.loc[held_out.path], card)
    np.testing.assert_allclose(found, probabilities(held_out, card), rtol=0, atol=1e-6)
    assert list(table.loc[held_out.path].predicted) == list(held_out.predicted)


@pytest.mark.parametrize(("kind", "tolerance"), [("same", 1e-6), ("near", 1e-2)])
def test_containers_channels_and_rates_hardly_matter(
    table, held_out, sounds, card, kind, tolerance
):
    wanted = probabilities(held_out.iloc[:1], card)
    found = probabilities(table.loc[[str(p) for p in (sounds / kind).iterdir()]], card)
    assert np.abs(found - wanted).max() < tolerance


def test_any_length_and_quality_gets_an_answer(table, sounds, card):
    found = probabilities(table.loc[[str(p) for p in (sounds / "odd").iterdir()]], card)
    assert len(found) == 6
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_without_a_fold_the_answer_is_the_mean_of_all(finished, held_out, card, tmp_path, capsys):
    sound, found = [Path(held_out.path.iloc[0])], {}
    for fold in (None, 1, 2, 3, 4, 5):
        predict(finished / "models" / "tiny", sound, fold=fold, csv=tmp_path / "a.csv")
        found[fold] = probabilities(pd.read_csv(tmp_path / "a.csv"), card)[0]
    mean = found.pop(None)
    np.testing.assert_allclose(mean, np.mean(list(found.values()), axis=0), atol=1e-6)
    assert np.ptp(list(found.values()), axis=0).max() > 1e-3
    assert len(capsys.readouterr().out.splitlines()) == 6


@pytest.mark.parametrize("length", ["start", "whole"])
def test_clips_of_different_lengths_meet_a_model_that_pads(
    finished, held_out, sounds, tmp_path, length
):
    bundle = tmp_path / "tiny"
    shutil.copytree(finished / "models" / "tiny", bundle)
    card = json.loads((bundle / "card.json").read_text())
    card["spec"]["waveform"]["length"] = length
    rewrite(bundle / "card.json", spec=card["spec"])
    asked = [*map(Path, held_out.path[:2]), sounds / "odd" / "short.wav"]
    predict(bundle, asked, csv=tmp_path / "together.csv")
    together = probabilities(pd.read_csv(tmp_path / "together.csv"), card)
    for path, wanted in zip(asked, together, strict=True):
        predict(bundle, [path], csv=tmp_path / "alone.csv")
        (alone,) = probabilities(pd.read_csv(tmp_path / "alone.csv"), card)
        np.testing.assert_allclose(alone, wanted, atol=1e-6)
    if length == "whole":
        message = r"long\.wav: \d+ frames long, the model takes up to 108; cut it"
        with pytest.raises(InputError, match=message):
            predict(bundle, [sounds / "odd" / "long.wav"])


def test_two_lines_of_python_do_the_same(finished, held_out, card):
    answer = load(str(finished / "models" / "tiny"), fold=1)
    for path, wanted in zip(held_out.path, probabilities(held_out, card), strict=True):
        found = answer(path)
        assert list(found) == card["labels"]
        np.testing.assert_allclose(list(found.values()), wanted, atol=1e-6)
    with pytest.raises(InputError, match=r"nothing\.wav: no such file"):
        answer("nothing.wav")


def test_a_dash_is_standard_input(finished, environment, held_out, card, tmp_path):
    sound, csv = Path(held_out.path.iloc[0]), tmp_path / "a.csv"
    arguments = ["models/tiny", "-", "--fold", "1", "--csv", str(csv)]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "predict", *arguments],
        **{"cwd": finished, "env": environment, "capture_output": True},
        input=sound.read_bytes(),
    )
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(csv)
    assert list(table.path) == ["-"]
    wanted = probabilities(held_out.iloc[:1], card)
    np.testing.assert_allclose(probabilities(table, card), wanted, rtol=0, atol=1e-6)


def test_standard_input_is_named_once(finished):
    with pytest.raises(InputError, match=r"^-: standard input is read once; name it once$"):
        predict(finished / "models" / "tiny", [Path("-"), Path("-")])


# ---- timelines -------------------------------------------------------------------------------


@pytest.fixture
def slid(finished, sounds, tmp_path):
    """Give ``slid(**options)``: the timeline of the long clip, asked of the first fold."""

    def run(**options):
        options = {"fold": 1, "csv": tmp_path / "a.csv", "picture": tmp_path / "a.png"} | options
        predict(finished / "models" / "tiny", [sounds / "odd" / "long.wav"], **options)
        return pd.read_csv(tmp_path / "a.csv")

    return run


def test_windows_are_answered_as_files_of_their_own(slid, finished, sounds, card, tmp_path, capsys):
    table = slid(window=2.5, hop=10.0)
    signal, rate = soundfile.read(sounds / "odd" / "long.wav", dtype="float32")
    long = len(signal) / rate
    starts = [*np.arange(0, long - 2.5, 10), long - 2.5]
    np.testing.assert_allclose(table.start, starts, atol=1 / rate)
    np.testing.assert_allclose(table.end, np.add(starts, 2.5), atol=1 / rate)
    assert len(capsys.readouterr().out.splitlines()) == len(table)
    for row in (1, len(table) - 1):
        first = round(starts[row] * rate)
        piece = signal[first : first + round(2.5 * rate)]
        soundfile.write(tmp_path / "piece.wav", piece, rate, subtype="FLOAT")
        alone = load(finished / "models" / "tiny", fold=1)(tmp_path / "piece.wav")
        found = probabilities(table.iloc[[row]], card)[0]
        np.testing.assert_allclose(list(alone.values()), found, atol=1e-6)


def test_windows_are_half_apart_and_drawn(slid, tmp_path):
    table = slid(window=10.0)
    assert np.diff(table.start)[:-1] == pytest.approx(5)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0.0}, "window: must be above 0 s, got 0"),
        ({"window": 1.0, "hop": -1.0}, "hop: must be above 0 s, got -1"),
        ({"hop": 1.0, "picture": None}, "hop: belongs to a timeline; give --window as well"),
        ({}, "picture: belongs to a timeline; give --window as well"),
        ({"window": 1.0, "picture": Path("a.pdf")}, r"a\.pdf: wanted a name that ends in \.png"),
    ],
)
def test_timelines_that_cannot_be(slid, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        slid(**options)
    assert not list(tmp_path.iterdir())


def test_a_picture_shows_one_recording(finished, sounds, tmp_path):
    with pytest.raises(InputError, match="picture: shows one recording, got 6; ask for each alone"):
        predict(
            finished / "models" / "tiny", [sounds / "odd"], window=1.0, picture=tmp_path / "a.png"
        )


# ---- attributes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rates(tmp_path_factory):
    """Give a folder of bundles: one of two attributes, one of each alone."""
    folder = tmp_path_factory.mktemp("rates")
    rated.write(folder / "two", "arousal", "valence")
    for seed, name in enumerate(module.SCORES, start=1):
        rated.write(folder / name, name, seed=seed)
    return folder


@pytest.fixture(scope="module")
def noises(tmp_path_factory):
    """Give a folder of sound files of many lengths, some in a folder below."""
    folder = tmp_path_factory.mktemp("noises")
    (folder / "below").mkdir()
    rng = np.random.default_rng(0)
    seconds = {"b.wav": 1.0, "a.wav": 3.0, "below/c.wav": 15.0, "below/a.wav": 0.15}
    for name, duration in seconds.items():
        signal = rng.normal(0, 0.1, round(16000 * duration))
        soundfile.write(folder / name, signal, 16000, subtype="FLOAT")
    soundfile.write(folder / "short.wav", rng.normal(0, 0.1, 1600), 16000, subtype="FLOAT")
    return folder


@pytest.fixture
def asked(rates, noises, tmp_path):
    """Give ``asked(bundle, **options)``: what a bundle says of all files."""

    def run(bundle="two", sounds=noises, **options):
        predict(rates / bundle, [sounds], csv=tmp_path / "a.csv", **options)
        return pd.read_csv(tmp_path / "a.csv")

    return run


def test_attributes_stand_in_the_place_of_emotions(asked, rates, noises, capsys):
    table = asked()
    assert list(table.columns) == ["path", "arousal", "valence"]
    assert len(table) == 5
    values = table[["arousal", "valence"]].to_numpy()
    assert np.isfinite(values).all() and np.ptp(values, axis=0).min() > 1e-3
    answer = load(rates / "two")
    for line, row in zip(capsys.readouterr().out.splitlines(), table.itertuples(), strict=True):
        assert line.split("  ")[0].strip() == row.path
        assert line.endswith(f"  arousal {row.arousal:.2f}  valence {row.valence:.2f}")
        found = answer(row.path)
        assert list(found) == ["arousal", "valence"]
        assert found == pytest.approx({"arousal": row.arousal, "valence": row.valence}, abs=1e-5)


def test_bundles_also_each_other_say_what_they_say_alone(asked, rates):
    together = asked("valence", also=[rates / "arousal", rates / "dominance"])
    assert list(together.columns) == ["path", "valence", "arousal", "dominance"]
    for name in module.SCORES:
        alone = asked(name)
        assert list(alone.path) == list(together.path)
        np.testing.assert_allclose(together[name], alone[name], rtol=0, atol=1e-6)


def test_the_authors_table_of_scores(asked, rates, tmp_path):
    also = [rates / "dominance", rates / "arousal"]
    table = asked("valence", also=also, scores=tmp_path / "pred_result.csv")
    lines = (tmp_path / "pred_result.csv").read_text().splitlines()
    assert lines[0] == "File_Name,Aro-Score,Dom-Score,Val-Score"
    names = [line.split(",")[0] for line in lines[1:]]
    assert names == ["a.wav", "b.wav", "a.wav", "c.wav", "short.wav"]
    scores = [[float(value) for value in line.split(",")[1:]] for line in lines[1:]]
    np.testing.assert_array_equal(scores, table[["arousal", "dominance", "valence"]])
    assert any(len(line) > len("a.wav,4.00,4.00,4.00") for line in lines[1:])  # not rounded


def test_many_files_are_asked_a_few_at_once(asked, monkeypatch, noises, tmp_path):
    wanted = asked()
    monkeypatch.setattr(module, "AT_ONCE", 4)
    pd.testing.assert_frame_equal(asked(), wanted, rtol=0, atol=1e-6)
    shutil.copytree(noises, tmp_path / "noises")
    (tmp_path / "noises" / "b.wav").write_text("no sound")
    with pytest.raises(InputError, match=r"b\.wav: not a sound file libsndfile can read"):
        asked(sounds=tmp_path / "noises")
    found = pd.read_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(found.valence, wanted.valence.drop(1), rtol=0, atol=1e-6)


def test_answers_are_printed_as_soon_as_they_are_there(asked, monkeypatch, capsys):
    read, printed = reading.read, []

    def seen(*given):
        """Count the lines that were printed since the file before."""
        printed.append(capsys.readouterr().out.count("\n"))
        return read(*given)

    monkeypatch.setattr(reading, "read", seen)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    asked()
    assert printed == [0, 1, 1, 1, 1]


def test_a_silent_window_gets_no_answer_but_the_reason(asked, tmp_path, capsys):
    rng = np.random.default_rng(0)
    signal = np.concatenate([rng.normal(0, 0.1, 48000), np.zeros(32000), rng.normal(0, 0.1, 16000)])
    soundfile.write(tmp_path / "gap.wav", signal, 16000)
    table = asked("valence", tmp_path / "gap.wav", window=1.0, hop=1.0, picture=tmp_path / "a.png")
    assert table.valence.isna().tolist() == [False, False, False, True, True, False]
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith("no answer: silent: every sample is 0") for line in lines] == [
        *(False, False, False, True, True, False)
    ]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_attributes_over_time(asked, rates, noises, tmp_path):
    options = {"window": 4.0, "hop": 3.0, "picture": tmp_path / "a.png"}
    table = asked("valence", noises / "below" / "c.wav", also=[rates / "arousal"], **options)
    assert list(table.columns) == ["path", "start", "end", "valence", "arousal"]
    assert table.start.tolist() == [0, 3, 6, 9, 11]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    signal, rate = soundfile.read(noises / "below" / "c.wav", dtype="float32")
    piece = signal[3 * rate : 7 * rate]
    soundfile.write(tmp_path / "piece.wav", piece, rate, subtype="FLOAT")
    alone = load(rates / "valence")(tmp_path / "piece.wav")
    assert alone["valence"] == pytest.approx(table.valence[1], abs=1e-5)


@pytest.mark.parametrize(
    ("also", "options", "message"),
    [
        (["two"], {}, "two gives valence, so does .*valence; ask one"),
        (["emotions"], {}, "emotions predicts emotions, wanted bundles of attributes only"),
        (["arousal"], {"onnx": Path("a.onnx")}, "also: belongs to bundles; leave out --tflite"),
        (["arousal"], {"scores": Path("s.csv")}, "scores: .*valence: gives no dominance; add"),
        ([], {"scores": Path("s.csv"), "window": 1.0}, "scores: has a line for each file; leave"),
    ],
    ids="twice emotions exported incomplete windows".split(),
)
def test_what_cannot_stand_next_to_each_other(asked, rates, tmp_path, also, options, message):
    if not (rates / "emotions").exists():
        shutil.copytree(rates / "arousal", rates / "emotions")
        rewrite(rates / "emotions" / "card.json", attributes=[], labels=["sad"])
    with pytest.raises(InputError, match=message):
        asked("valence", also=[rates / name for name in also], **options)
    assert not list(tmp_path.iterdir())


# ---- what is said ----------------------------------------------------------------------------


def test_broken_files_are_named_and_the_others_answered(answers, table, sounds):
    said = answers.stderr.strip().splitlines()[-1]
    assert said.startswith("predict: raw_data/demo/nothing.wav: no such file; ")
    assert f"{sounds / 'broken.wav'}: not a sound file libsndfile can read" in said
    assert f"{sounds / 'infinite.wav'}: holds values that are not numbers" in said
    assert f"{sounds / 'one.wav'}: too short: 0.0001 s; wanted 0.1 s or more" in said
    assert f"{sounds / 'silent.wav'}: silent: every sample is 0" in said
    assert [line for line in answers.stderr.splitlines() if not line.startswith("predict: ")] == []
    assert len(table) == 3 + 5 + 2 + 6
    assert str(sounds / "broken.wav") not in table.index


def test_a_line_is_printed_for_each_clip(answers, table, card):
    lines = answers.stdout.splitlines()
    assert len(lines) == len(table)
    for line, (path, row) in zip(lines, table.iterrows(), strict=True):
        shown = [f"{label} {100 * row[f'p_{label}']:.1f}" for label in card["labels"]]
        assert line.split("  ")[0].strip() == path
        assert line.partition("  unlike the training: ")[0].endswith("  ".join(shown))
        assert row.predicted in line


# ---- what is refused -------------------------------------------------------------------------


def test_a_folder_that_is_no_bundle(tmp_path):
    with pytest.raises(InputError, match=r"not a model bundle \(no card\.json\); train it with"):
        predict(tmp_path, [tmp_path / "a.wav"])


def test_a_fold_that_is_not_there(finished, tmp_path):
    with pytest.raises(InputError, match="tiny: no fold 6; it has 1 to 5"):
        predict(finished / "models" / "tiny", [tmp_path / "a.wav"], fold=6)


@pytest.mark.parametrize("options", [{"onnx": Path("a.onnx")}, {"fold": 1}])
def test_a_file_is_asked_alone(finished, tmp_path, options):
    with pytest.raises(InputError, match="tflite: the file is one model; leave out --onnx and"):
        predict(
            finished / "models" / "tiny", [tmp_path / "a"], tflite=tmp_path / "a.tflite", **options
        )
