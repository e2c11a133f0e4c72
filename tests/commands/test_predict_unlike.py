"""Predict: a clip unlike the training is marked, a held-out clip of the same corpus seldom is."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy import signal as filters

from pipeline.commands.predict import load, predict
from pipeline.errors import InputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def held_out(finished):
    """Give the clips of the first fold: path, and what evaluate found unlike."""
    found = pd.read_csv(finished / "reports" / "runs" / "tiny" / "predictions.csv",
                        keep_default_na=False)  # fmt: skip
    listed = finished / "features" / "corpora" / "demo" / "index.csv"
    index = pd.read_csv(listed, index_col="clip").path
    rows = found[found.fold == 1]
    return rows.assign(path=[finished / "raw_data" / "demo" / index[c] for c in rows["clip"]])


@pytest.fixture(scope="module")
def predictor(finished):
    """Give the models of the first fold, which held these clips out."""
    with load(finished / "models" / "tiny", fold=1) as found:
        yield found


def hiss(samples, level):
    return np.random.default_rng(0).normal(0, 10 ** (level / 20), samples)


def telephone(sound, rate):
    """Pass 300 to 3400 Hz."""
    return filters.sosfiltfilt(filters.butter(8, [300, 3400], "band", fs=rate, output="sos"), sound)


CHANGES = {
    "level": lambda sound, rate: sound * 0.003,
    "noise": lambda sound, rate: sound + hiss(len(sound), -30),
    "sound up to": telephone,
    "s long": lambda sound, rate: np.tile(sound, 6),
}


def test_few_held_out_clips_are_marked_and_evaluate_says_the_same(finished, predictor, held_out):
    facts = json.loads((finished / "reports" / "runs" / "tiny" / "run.json").read_text())
    assert facts["unlike"]["predictions"] == 210
    assert facts["unlike"]["warned"] <= 0.1 * 210
    for row in held_out.iloc[::8].to_dict("records"):
        assert len(predictor(row["path"]).unlike) == len(row["unlike"].split())


@pytest.mark.parametrize("what", CHANGES)
def test_other_recordings_are_marked(predictor, held_out, what):
    for path in held_out.path.iloc[[0, 20, 40]]:
        sound, rate = soundfile.read(path)
        words = predictor(CHANGES[what](sound, rate).astype(np.float32), rate).unlike
        assert any(what in one for one in words), words


def test_what_is_no_speech_is_marked_by_its_vector(predictor):
    rng = np.random.default_rng(0)
    for sound in (hiss(32000, -25), np.sin(np.arange(32000) * 0.4), rng.uniform(-1, 1, 32000) ** 9):
        answer = predictor(sound.astype(np.float32), 16000)
        assert any("in the model's vector" in one for one in answer.unlike), answer.unlike


def test_the_command_marks_it_in_words_and_in_the_table(finished, held_out, tmp_path, capsys):
    sound, rate = soundfile.read(held_out.path.iloc[0])
    soundfile.write(tmp_path / "long.wav", np.tile(sound, 6), rate)
    sounds = [Path(held_out.path.iloc[0]), tmp_path / "long.wav"]
    predict(finished / "models" / "tiny", sounds, csv=tmp_path / "a.csv")
    first, second = capsys.readouterr().out.splitlines()
    assert "unlike" not in first
    assert "  unlike the training: " in second
    table = pd.read_csv(tmp_path / "a.csv", keep_default_na=False)
    assert table.columns[-1] == "unlike"
    assert table.unlike[0] == ""
    assert f"{len(sound) * 6 / rate:.1f} s long, of training clips " in table.unlike[1]


def test_steady_hiss_gets_no_answer(finished, tmp_path, capsys):
    soundfile.write(tmp_path / "hiss.wav", hiss(32000, -70), 16000)
    message = r"hiss\.wav: silence: steady noise at -70 dB and nothing above it"
    with pytest.raises(InputError, match=message):
        predict(finished / "models" / "tiny", [tmp_path / "hiss.wav"])
    predict(finished / "models" / "tiny", [tmp_path / "hiss.wav"], window=1.0)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all("no answer: silence: steady noise" in line for line in lines)
