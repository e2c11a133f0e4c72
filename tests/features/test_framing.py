"""Lengths in samples and in frames: known answers, and librosa's own frame count."""

import json
from pathlib import Path

import librosa
import numpy as np
import pytest

from pipeline.features import framing

SHARED = Path(__file__).resolve().parents[3] / "shared"
CHUNKS = SHARED / "golden" / "deepemocluster" / "chunk_index.json"


def centred(signal, samples):
    """Cut and pad around the middle."""
    (part,) = framing.cut(signal, samples, where="centre")
    return framing.fix_length(part, samples)


@pytest.mark.parametrize(
    ("samples", "expected"),
    (
        (1, [2]),
        (2, [2, 3]),
        (3, [1, 2, 3]),
        (4, [1, 2, 3, 4]),
        (5, [1, 2, 3, 4, 0]),
        (6, [0, 1, 2, 3, 4, 0]),
        (7, [0, 1, 2, 3, 4, 0, 0]),
    ),
)
def test_centre_puts_the_odd_zero_behind_and_trims_the_odd_sample_there(samples, expected):
    signal = np.array([1, 2, 3, 4], np.float32)
    np.testing.assert_array_equal(
        centred(signal, samples), np.array(expected, np.float32), strict=True
    )


def test_trimming_an_odd_signal_starts_at_the_floor():
    np.testing.assert_array_equal(centred(np.arange(7), 4), [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("where", "samples", "expected"),
    [
        ("start", 3, [[0, 1, 2]]),
        ("start", 9, [[0, 1, 2, 3, 4, 5]]),
        ("whole", None, [[0, 1, 2, 3, 4, 5]]),
        ("segments", 3, [[0, 1, 2], [3, 4, 5]]),
        ("segments", 4, [[0, 1, 2, 3], [4, 5]]),
        ("segments", 7, [[0, 1, 2, 3, 4, 5]]),
    ],
)
def test_the_other_policies_cut_and_do_not_pad(where, samples, expected):
    parts = framing.cut(np.arange(6), samples, where=where)
    assert [part.tolist() for part in parts] == expected


@pytest.mark.parametrize("centre", (True, False))
@pytest.mark.parametrize("n_fft", (512, 401))
@pytest.mark.parametrize("samples", (512, 639, 640, 641, 5000))
def test_frames_are_as_many_as_librosa_makes(samples, n_fft, centre):
    spectrum = librosa.stft(np.zeros(samples), n_fft=n_fft, hop_length=128, center=centre)
    assert framing.frames(samples, length=n_fft, hop=128, centre=centre) == spectrum.shape[1]


def test_a_clip_shorter_than_one_frame_has_one():
    assert framing.frames(100, length=2048, hop=512, centre=False) == 1
    assert framing.frames(0, length=2048, hop=512, centre=False) == 1
    assert framing.frames(1, length=401, hop=128, centre=True) == 1


def test_segments_are_windows_of_frames():
    values = np.random.default_rng(0).normal(size=(2, 23, 3, 2))
    segments = framing.segments(values, 8, hop=5)
    assert segments.shape == (2, 4, 8, 3, 2)
    for i in range(4):
        np.testing.assert_array_equal(segments[:, i], values[:, 5 * i : 5 * i + 8])


@pytest.mark.parametrize(("frames", "count"), ((1, 1), (64, 1), (95, 1), (96, 2), (299, 8)))
def test_what_fills_no_segment_is_dropped(frames, count):
    assert framing.segments(np.zeros((1, frames, 2)), 64, hop=32).shape == (1, count, 64, 2)


def test_of_few_frames_the_last_is_repeated():
    values = np.array([[[1, 10], [2, 20]]])
    segments = framing.segments(values, 4, hop=2)
    np.testing.assert_array_equal(segments, [[[[1, 10], [2, 20], [2, 20], [2, 20]]]])


def test_chunks_reach_from_start_to_end():
    for frames in (62, 71, 72, 300, 1000):
        starts = framing.chunk_starts(frames)
        assert starts[0] == 0 and len(starts) == 11
        assert len(set(np.diff(starts))) == 1
        assert frames - 10 < starts[-1] + 62 <= frames


@pytest.mark.parametrize("frames", (1, 33, 61, 62, 71, 692, 1000))
def test_chunks_are_as_many_of_a_clip_of_any_length(frames):
    values = np.random.default_rng(0).uniform(1, 2, (2, frames, 3, 2))
    chunks = framing.chunks(values, 62, number=11)
    assert chunks.shape == (2, 11, 62, 3, 2)
    step = max(0, frames - 62) // 10
    for i in range(11):
        part = values[:, i * step : i * step + 62]
        np.testing.assert_array_equal(chunks[:, i, : part.shape[1]], part)
        assert not chunks[:, i, part.shape[1] :].any()  # there was no sound


def test_sums_of_clips_give_mean_and_deviation_of_all_their_frames():
    rng = np.random.default_rng(0)
    clips = [rng.gamma(0.1, 20, (n, 5)).astype(np.float32) for n in (1, 62, 700)]
    clips = [clip + np.float32([0, 1, 0, 1e3, 0.1]) * [1, 1, 0, 1, 1] for clip in clips]
    for clip in clips:
        clip[:, 2], clip[:, 4] = 0, 0.1  # bins that never change
    mean, std = framing.scales(np.sum([framing.sums(clip) for clip in clips], axis=0))
    frames = np.concatenate(clips).astype(float)
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, [*frames.std(axis=0)[:2], 0, frames[:, 3].std(), 0], rtol=1e-9)


def test_sums_run_over_all_axes_but_the_last():
    values = np.random.default_rng(0).normal(size=(7, 4, 3))
    np.testing.assert_array_equal(framing.sums(values), framing.sums(values.reshape(28, 3)))


@pytest.mark.corpus
@pytest.mark.skipif(not CHUNKS.exists(), reason="../shared/golden/deepemocluster not found")
def test_chunks_start_where_deep_emo_clusters_do():
    found = json.loads(CHUNKS.read_text())
    published = {int(frames): line["starts"] for frames, line in found.items() if "starts" in line}
    assert len(published) > 10
    for frames, starts in published.items():
        assert framing.chunk_starts(max(frames, 62)).tolist() == starts  # padded to one chunk
        (chunks,) = framing.chunks(np.arange(1, frames + 1)[None], 62, number=11)
        assert (chunks[:, 0] - 1).tolist() == starts
        assert chunks.max() - 1 == found[str(frames)]["last_frame_used"]
