"""Test on: a bundle on another corpus, whose words and clips it shares or does not."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from pipeline.commands import across as module
from pipeline.commands.across import across
from pipeline.commands.predict import load
from pipeline.config import params
from pipeline.config.records import Corpus
from pipeline.errors import InputError
from pipeline.files import checked, tables
from pipeline.stages.index import index
from tests import rated

WORDS = ("angry", "excited", "calm", "sad", "boredom", "frustrated")  # demo has angry, sad, boredom


def clips(*rows):
    return pd.DataFrame(rows, columns=["clip", "emotion"])


def test_classes_are_those_of_both_and_the_rest_is_counted():
    usable = clips(("a", "calm"), ("b", "excited"), ("c", "fear"), ("d", ""), ("e", "sad"),
                   ("f", "surprise"), ("g", "fear"))  # fmt: skip
    found = module.choose(usable, ("boredom", "happy", "neutral", "sad"), "common-1")
    assert found.classes == ("happy", "neutral", "sad")
    assert list(found.clips["clip"]) == ["a", "b", "e"]
    assert list(found.clips["label"]) == ["neutral", "happy", "sad"]
    assert found.left_out == {"": 1, "fear": 2, "surprise": 1}
    assert found.outputs == {"happy": "happy", "neutral": "neutral", "sad": "sad"}
    assert found.words == {"calm": "neutral", "excited": "happy", "sad": "sad"}


def test_one_class_is_no_test():
    with pytest.raises(InputError, match=r"^four-1 leaves sad that model and corpus have; wanted"):
        module.choose(clips(("a", "calm"), ("b", "sad")), ("happy", "sad"), "four-1")
    with pytest.raises(InputError, match=r"^four-1 does not know 'ire'; known: angry, "):
        module.choose(clips(("a", "ire"), ("b", "sad")), ("happy", "sad"), "four-1")


def test_people_of_one_parser_are_the_same_wherever_they_are_joined():
    joined = Corpus("both", {"of": {"sung": "ravdess", "own": "table"}}, "joined")
    rows = pd.DataFrame({"corpus": ["sung", "own", "own"], "speaker": ["sung-01", "own-1", ""]})
    assert list(module._people(rows, joined)) == ["ravdess 01", "table 1", ""]
    alone = pd.DataFrame({"corpus": ["", ""], "speaker": ["01", ""]})
    assert list(module._people(alone, Corpus("ravdess", {}, "ravdess"))) == ["ravdess 01", ""]


@pytest.fixture(scope="module")
def project(finished, tmp_path_factory):
    """Give a project with the demo corpus and another one, made of some of its clips."""
    folder = tmp_path_factory.mktemp("across")
    shutil.copytree(finished / "models" / "tiny", folder / "models" / "tiny")
    shutil.copytree(finished / "features" / "corpora", folder / "features" / "corpora")
    text = (finished / "params.yaml").read_text()
    added = "corpora:\n  studio: {parser: folders}\n  again: {parser: demo}\n"
    (folder / "params.yaml").write_text(text.replace("corpora:", added, 1))
    sounds = sorted((finished / "raw_data" / "demo" / "wav").glob("*.wav"))
    for place, path in enumerate(sounds[::7]):
        signal, rate = soundfile.read(path)
        if place:  # the first one is the same sound
            signal = signal * 0.7
        target = folder / "raw_data" / "studio" / WORDS[place % len(WORDS)] / f"{place}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, signal, rate, subtype="PCM_16")
    soundfile.write(folder / "raw_data" / "studio" / "sad" / "quiet.wav",
                    np.random.default_rng(0).normal(0, 3e-4, 16000), 16000)  # fmt: skip
    corpus = params.load(folder / "params.yaml").corpora["studio"]
    made = folder / "features" / "corpora" / "studio"
    made.mkdir(parents=True)
    index(folder / "raw_data" / "studio", made / "index.csv", made / "quality.json", corpus=corpus)
    return folder


@pytest.mark.slow
def test_another_corpus_is_answered_as_predict_does(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    across(Path("models/tiny"), ["studio"], fold=2)
    folder = project / "reports" / "across" / "tiny" / "studio-common-1"
    facts = checked.read(folder / "across.json")
    checked.expect(folder / "across.json", folder / "metrics.json", folder / "predictions.csv")
    table = pd.read_csv(folder / "predictions.csv", keep_default_na=False)
    assert facts["labels"] == ["angry", "happy", "neutral", "sad"]
    assert facts["words"] == {"angry": "angry", "calm": "neutral", "excited": "happy", "sad": "sad"}
    assert facts["left_out"] == {"boredom": 5, "frustrated": 5}
    assert facts["unanswered"] == {"silence: steady noise at -70 dB and nothing above it": 1}
    assert facts["leaks"] == {"pcm": 1, "speaker": None, "pretraining": 0}
    assert (facts["clips"], facts["fold"], facts["imported"]) == (len(table), 2, False)
    assert facts["unlike"]["predictions"] == len(table) == 20
    rows = tables.read(project / "features" / "corpora" / "studio" / "index.csv").set_index("clip")
    with load("models/tiny", fold=2) as predictor:
        for row in table.to_dict("records")[::5]:
            said = predictor(project / "raw_data" / "studio" / rows.path[row["clip"]])
            kept = [said[name] for name in facts["labels"]]
            found = [row[f"p_{name}"] for name in facts["labels"]]
            np.testing.assert_allclose(found, np.array(kept) / sum(kept), atol=1e-6)
            assert len(row["unlike"].split()) == len(said.unlike)
    right = table["label"] == table["predicted"]
    scores = tables.read_json(folder / "metrics.json")
    assert scores["uar"] == pytest.approx(right.groupby(table["label"]).mean().mean())
    out = capsys.readouterr().out
    assert out.startswith("reports/across/tiny/studio-common-1: UAR ")
    assert out.endswith(" of 20 clips in 4 classes (common-1)\n")


@pytest.mark.slow
def test_what_cannot_be_tested_is_refused(project, monkeypatch, tmp_path):
    monkeypatch.chdir(project)
    bundle = Path("models/tiny")
    with pytest.raises(InputError, match=r"^demo: models/tiny was trained on it; dvc repro evalua"):
        across(bundle, ["demo"])
    with pytest.raises(InputError, match=r"corpora: no 'studo'; did you mean studio\?"):
        across(bundle, ["studo"])
    with pytest.raises(InputError, match=r"ontology: there is no 'four'; did you mean four-1\?"):
        across(bundle, ["studio"], ontology="four")
    with pytest.raises(InputError, match=r"again/index\.csv: not there; run dvc repro index@again"):
        across(bundle, ["again"])
    rated.write(tmp_path / "rated", "arousal")
    with pytest.raises(InputError, match="rated: predicts attributes, wanted a bundle of emotions"):
        across(tmp_path / "rated", ["studio"])
    path = project / "raw_data" / "studio" / "angry" / "0.wav"
    before = path.read_bytes()
    soundfile.write(path, np.random.default_rng(1).normal(0, 0.1, 16000), 16000)
    with pytest.raises(InputError, match=r"0\.wav: changed since it was indexed; run dvc repro"):
        across(bundle, ["studio"])
    path.write_bytes(before)
