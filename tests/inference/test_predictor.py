"""A predictor: one sound or many, of any form, by any thread, until it is closed."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from pipeline.engine import machines
from pipeline.errors import InputError
from pipeline.inference import cards, inputs, models, predictor, sounds
from pipeline.scoring.targets import Attributes
from tests import rated
from tests.engine import test_machines
from tests.inference import trained

RATE = 16000


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Give a bundle of two attributes."""
    folder = tmp_path_factory.mktemp("predictor") / "two"
    rated.write(folder, "arousal", "valence")
    return folder


@pytest.fixture(scope="module")
def asked(bundle):
    return predictor.load(bundle)


@pytest.fixture(scope="module")
def noises():
    """Give ten sounds of different lengths, float32."""
    rng = np.random.default_rng(0)
    lengths = np.linspace(0.3, 3, 20) * RATE
    return [rng.normal(0, 0.1, round(length)).astype(np.float32) for length in lengths]


def wav(signal):
    """Content of a WAV file."""
    file = io.BytesIO()
    soundfile.write(file, signal, RATE, format="WAV", subtype="FLOAT")
    return file.getvalue()


def test_one_sound_in_every_form_gets_one_answer(asked, noises, tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(noises[0]))
    wanted = asked(noises[0], RATE)
    assert list(wanted) == ["arousal", "valence"]
    forms = [tmp_path / "a.wav", str(tmp_path / "a.wav"), io.BytesIO(wav(noises[0]))]
    forms += [(noises[0], RATE), (np.stack([noises[0]] * 2, axis=1), RATE)]
    for form in forms:
        assert asked(form) == wanted
    forms[2].seek(0)
    together = asked([*forms, noises[0]], RATE)
    assert len(together) == 6
    assert all(one == pytest.approx(wanted, abs=1e-6) for one in together)


def test_a_list_is_answered_as_its_members(asked, noises):
    alone = [asked(noise, RATE) for noise in noises]
    assert np.ptp([one["valence"] for one in alone]) > 1e-3
    for count in (0, 1, 5, 9, 16, 20):
        found = asked(noises[:count], RATE)
        assert len(found) == count
        for one, wanted in zip(found, alone, strict=False):
            assert one == pytest.approx(wanted, rel=0, abs=1e-6)


def test_windows_are_answered_as_sounds_of_their_own(asked, noises, tmp_path, monkeypatch):
    signal = np.concatenate([noises[5], np.zeros(RATE, np.float32), noises[6]])
    (tmp_path / "a.wav").write_bytes(wav(signal))
    forms = [tmp_path / "a.wav", io.BytesIO(wav(signal)), (signal, RATE)]
    for form in forms:
        found = list(asked.windows(form, window=0.5))
        starts = [*np.arange(0, len(signal) / RATE - 0.5, 0.25), len(signal) / RATE - 0.5]
        assert [one.start for one in found] == pytest.approx(starts)
        for one in found:
            first = round(one.start * RATE)
            assert one.end == pytest.approx(one.start + 0.5)
            part = signal[first : first + RATE // 2]
            if one.answer is None:
                assert (one.empty, part.any()) == ("silent: every sample is 0", False)
            else:
                assert one.empty == ""
                assert one.answer == pytest.approx(asked(part, RATE), rel=0, abs=1e-6)
        assert sum(one.answer is None for one in found) == 2
    monkeypatch.setattr(predictor, "AT_ONCE", 1)
    assert [one.start for one in asked.windows(signal, 1, 0.7, RATE)][:3] == [0, 0.7, 1.4]


def test_windows_come_as_they_are_answered(asked, noises, monkeypatch):
    read, opened = [], sounds.opened((np.concatenate(noises), RATE))
    signal = next(opened.decoded())

    def counted():
        for first in range(0, len(signal), RATE):
            read.append(first)
            yield signal[first : first + RATE]

    monkeypatch.setattr(sounds, "opened", lambda *_: opened._replace(decoded=counted))
    found = asked.windows("a.wav", window=1, hop=0.5)
    once = -(-len(signal) // RATE)
    next(found)
    assert once < len(read) < 1.5 * once  # checked to its end; of the second time not half
    assert len(list(found)) > predictor.AT_ONCE
    assert len(read) == 2 * once


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((np.zeros(RATE, np.float32), 0.5), "array: no sample rate"),
        ((np.zeros(RATE, np.float32), 0, None, RATE), "window: must be above 0 s, got 0"),
        ((np.zeros(RATE, np.float32), 1, -1, RATE), "hop: must be above 0 s, got -1"),
        ((np.ones(RATE, np.float32), 0.5, None, RATE), "array: constant: every sample is 1.0000"),
        (("nothing.wav", 1), "nothing.wav: no such file"),
    ],
)
def test_windows_that_cannot_be(asked, given, message):
    with pytest.raises(InputError, match=message):
        list(asked.windows(*given))


def test_all_that_is_wrong_in_a_list_is_named(asked, noises):
    silent, bad = np.zeros(RATE, np.float32), np.full(RATE, np.nan)
    with pytest.raises(InputError) as error:
        asked([noises[0], silent, "nothing.wav", bad, noises[1][:100]], RATE)
    assert str(error.value).split("; ") == [
        "[1] array: silent: every sample is 0",
        "[2] nothing.wav: no such file",
        "[3] array: holds values that are not numbers",
        "[4] array: too short: 0.0063 s",
        "wanted 0.1 s or more",
    ]
    with pytest.raises(InputError, match=r"^\[0\] wanted a path, .*, got list$"):
        asked([[noises[0]]], RATE)
    with pytest.raises(InputError, match=r"^array: no sample rate"):
        asked(noises[0])


def test_threads_get_what_one_gets(bundle, noises):
    with predictor.load(bundle) as fresh, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda noise: fresh(noise, RATE), noises * 3))
        assert found == [fresh(noise, RATE) for noise in noises] * 3


def test_what_is_closed_answers_no_more(bundle, noises):
    with predictor.load(bundle) as one:
        one(noises[0], RATE)
    one.close()
    with pytest.raises(InputError, match="two: the predictor is closed; load it again"):
        one(noises[0], RATE)


def test_folds_are_asked_alone_or_together(tmp_path):
    card = trained.write(tmp_path / "own")
    folds = tuple(replace(one, temperature=1 + one.fold) for one in card.folds)
    cards.write(card := replace(card, folds=folds), card.folder)
    one, other, both = (predictor.load(card.folder, fold=fold) for fold in (1, 2, None))
    clips = [np.random.default_rng(n).normal(size=(6, 5)).astype(np.float32) for n in range(3)]
    taken = [inputs.Input("", 0, 1, clip) for clip in clips]
    ask = models.asked(card)
    wanted = [ask(model, clips)[0] for model in card.folds]
    np.testing.assert_allclose(one.answer(taken)[0], wanted[0], atol=1e-6)
    np.testing.assert_allclose(other.answer(taken)[0], wanted[1], atol=1e-6)
    np.testing.assert_allclose(both.answer(taken)[0], np.mean(wanted, axis=0), atol=1e-6)
    (card.folder / "fold-02.keras").unlink()
    np.testing.assert_array_equal(other.answer(taken[:1])[0], other.answer(taken[:1])[0])
    predictor.load(card.folder, fold=1)
    with pytest.raises(InputError, match=r"fold-02\.keras: no such file, but card\.json names it"):
        predictor.load(card.folder)


def test_a_classical_model_is_held_too(tmp_path):
    machine = test_machines.linear()
    machines.write(machine, tmp_path / "fold-01.npz")
    card = rated.card(tmp_path, Attributes(("arousal",)), backend=machines.LIBRARY)
    folds = (replace(card.folds[0], file="fold-01.npz"),)
    ask = models.held(replace(card, folds=folds), folds)
    clips = [np.full((frames, 1), frames, np.float32) for frames in (1, 7)]
    (tmp_path / "fold-01.npz").unlink()
    answers, vectors = ask(folds[0], clips)
    np.testing.assert_array_equal(answers, machine.of_clips(clips))
    assert vectors is None


def test_a_bundle_is_opened_without_reading_its_models(tmp_path):
    card = trained.write(tmp_path / "own")
    for one in card.folds:
        (card.folder / one.file).write_bytes(b"no model")
    opened = predictor.opened(card.folder)
    assert opened.card == cards.read(card.folder)
    with pytest.raises(InputError, match=r"fold-01\.keras: not as it was written, by its SHA"):
        opened.held()
