"""Stage extract: what the feature's function says, clip by clip, and settings out of bounds."""

import hashlib
import importlib

import numpy as np
import pytest

from pipeline import parallel
from pipeline.config import code
from pipeline.config.records import Engine
from pipeline.errors import InputError
from pipeline.features import cepstral, functions, recipes
from pipeline.features.cepstral import Mfcc
from pipeline.features.transform import Stft
from pipeline.files import drafts, stores
from pipeline.files.spec import Spec
from pipeline.settings import fields, flat
from pipeline.stages.extract import extract
from tests import specs

stage = importlib.import_module("pipeline.stages.extract")
WAVEFORM = specs.SOUND.to_json() | {"length": "start", "samples": 4000}


def write_waveforms(path, clips, spec=WAVEFORM, *, made_from=None, code=""):
    """Write a store of waveforms, clips of any length with zeros after them."""
    longest = max(map(len, clips))
    x = np.stack(
        [np.pad(clip, ((0, longest - len(clip)), *[(0, 0)] * (clip.ndim - 1))) for clip in clips]
    )
    valid = np.array([len(clip) for clip in clips])
    content = np.array(
        [list(hashlib.sha256(clip.tobytes()).digest()) for clip in made_from or clips]
    )
    facts = {"clips_sha256": "of the clips", "content": content.astype(np.uint8), "code": code}
    with drafts.create(path, x.shape, spec, **facts) as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], valid[rows] + 7, valid[rows]))
    return path


def noise(number, samples=4000):
    return np.random.default_rng(number).normal(0, 0.1, samples).astype(np.float32)


@pytest.fixture(scope="module")
def waveforms(tmp_path_factory):
    """Give a store of 40 waveforms (two chunks) of 0.25 s; one is silent."""
    clips = [noise(number) for number in range(40)]
    clips[3] = np.zeros_like(clips[3])
    return write_waveforms(tmp_path_factory.mktemp("features") / "waveforms.zarr", clips)


def run(waveforms, store, *, after=None, function="cepstral.mfcc", **settings):
    """Run the stage with settings, and what comes after the function; return what it wrote."""
    line = {"function": function, **(after or {}), **settings}
    feature = recipes.read_feature(line, "features.mfcc13")
    extract(waveforms, store, feature=feature, engine=Engine("jax", "auto", 100, "threads"))
    return stores.read(store)


def test_the_store_holds_what_the_function_gives(waveforms, tmp_path):
    store = run(waveforms, tmp_path / "f.zarr", n_mfcc=13, hop=256)
    signals = stores.read(waveforms).x[:]
    wanted = cepstral.mfcc(signals, 16000, Mfcc(13, Stft(hop=256)))
    np.testing.assert_array_equal(store.x[:], wanted)
    assert store.x.shape == (40, 16, 13)
    assert np.isfinite(store.x[3]).all()
    np.testing.assert_array_equal(store.valid[:], 16)


def test_lengths_and_clips_are_handed_on_and_nothing_is_left_unsaid(waveforms, tmp_path):
    store = run(waveforms, tmp_path / "f.zarr", n_mfcc=13)
    np.testing.assert_array_equal(store.length[:], 4007)
    assert store.clips_sha256 == "of the clips"
    settings = flat(Mfcc(13))
    assert store.spec == {
        "waveform": WAVEFORM,
        "function": "cepstral.mfcc",
        "settings": settings,
        "deltas": "none",
        "segment": 0,
        "segment_hop": 0,
        "chunks": 0,
    }
    assert {"n_fft", "window", "mel_norm", "top_db"} <= set(settings)


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_bytes_do_not_depend_on_the_number_of_workers(waveforms, tmp_path, monkeypatch):
    found = []
    for count in (1, 2, 4):
        monkeypatch.setattr(parallel, "cores", lambda count=count: count)
        run(waveforms, tmp_path / f"{count}.zarr")
        found.append(digests(tmp_path / f"{count}.zarr"))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"fmax": 9e3},
            r"f\.zarr: fmax: must be at most 8000 Hz, .*; see features in params\.yaml",
        ),
        ({"fmin": 8e3}, r"f\.zarr: fmin: must be below 8000 Hz, .*; see features in params\.yaml"),
    ],
)
def test_a_setting_that_does_not_suit_the_sound_is_named_with_the_store(
    waveforms, tmp_path, settings, message
):
    with pytest.raises(InputError, match=message) as error:
        run(waveforms, tmp_path / "f.zarr", **settings)
    assert len(str(error.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_waveforms_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"waveforms\.zarr: not a store of this pipeline"):
        run(tmp_path / "waveforms.zarr", tmp_path / "f.zarr")


# ---- clips of all lengths --------------------------------------------------------------------

# frames by the shared transform; tests/features has the bits of the others
FUNCTIONS = [
    name
    for name in functions.known()
    if {"hop", "precision"} <= {field.name for field, _ in fields(functions.load(name).record)}
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("after", [{}, {"deltas": "regression"}, {"segment": 7, "segment_hop": 3}])
def test_of_whole_clips_each_is_computed_by_itself(tmp_path, function, after):
    """Any zero after a clip would change its features, and any neighbour could."""
    clips = [noise(number, 5000 + 517 * (number % 7)) for number in range(35)]
    source = write_waveforms(tmp_path / "w.zarr", clips, WAVEFORM | {"length": "whole"})
    settings = {"after": after, "function": function, "hop": 512, "precision": "float32"}
    store = run(source, tmp_path / "f.zarr", **settings)
    for number in (0, 1, 6, 13, 34):
        alone = write_waveforms(
            tmp_path / "w1.zarr", clips[number : number + 1], store.spec["waveform"]
        )
        wanted = run(alone, tmp_path / "f1.zarr", **settings).x[0]
        found, valid = store.x[number], int(store.valid[number])
        assert valid == len(wanted)
        np.testing.assert_array_equal(found[:valid], wanted)
        assert not found[valid:].any()
    assert len(set(store.valid[:])) > 1
    assert store.x.shape[1] == store.valid[:].max()


def test_of_chunks_every_clip_has_all(tmp_path):
    clips = [noise(number, 900 + 997 * number) for number in range(35)]
    clips[5][:] = 0
    source = write_waveforms(tmp_path / "w.zarr", clips, WAVEFORM | {"length": "whole"})
    settings = {"function": "spectral.mel", "hop": 256, "n_fft": 512, "n_mels": 20}
    store = run(source, tmp_path / "f.zarr", after={"segment": 30, "chunks": 4}, **settings)
    assert store.x.shape == (35, 4, 30, 20)
    np.testing.assert_array_equal(store.valid[:], 4)
    assert store.spec["chunks"] == 4
    for number in (0, 5, 6, 34):
        (wanted,) = recipes.feature([clips[number]], Spec.from_json(store.spec))
        np.testing.assert_array_equal(store.x[number], wanted)
        assert store.x[number].any() == (number != 5)
        (whole,) = recipes.whole([clips[number]], Spec.from_json(store.spec))
        assert store.sums[number, 0].tolist() == [1 + len(clips[number]) // 256] * 20
        np.testing.assert_allclose(store.sums[number, 1], whole.sum(0, dtype=float), rtol=1e-12)
        squares = np.square(whole, dtype=float).sum(0)
        np.testing.assert_allclose(store.sums[number, 2], squares, rtol=1e-12)


def test_only_of_chunks_there_are_sums(waveforms, tmp_path):
    after = {"segment": 8, "segment_hop": 4}
    assert run(waveforms, tmp_path / "f.zarr", after=after).sums is None
    assert not (tmp_path / "f.zarr" / "sums").exists()


def test_sound_is_read_in_its_own_chunks(tmp_path, monkeypatch):
    clips = [noise(number, 4000 + 512 * (number % 5)) for number in range(40)]
    wanted = run(write_waveforms(tmp_path / "w.zarr", clips), tmp_path / "f.zarr")
    monkeypatch.setattr(drafts, "CHUNK_CLIPS", 8)
    write_waveforms(tmp_path / "small.zarr", clips)
    monkeypatch.undo()
    assert stores.read(tmp_path / "small.zarr").x.chunk_clips == 8
    run(tmp_path / "small.zarr", tmp_path / "of_small.zarr")
    assert digests(tmp_path / "of_small.zarr") == digests(tmp_path / "f.zarr")
    assert len(set(wanted.valid[:])) == 5


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_clip_s_bits_do_not_depend_on_the_clips_of_its_block(waveforms, tmp_path, function):
    together = run(waveforms, tmp_path / "f.zarr", function=function, precision="float32").x[:]
    clips = stores.read(waveforms).x[:]
    for number in (0, 3, 39):
        alone = write_waveforms(tmp_path / "w1.zarr", clips[number : number + 1])
        found = run(alone, tmp_path / "f1.zarr", function=function, precision="float32")
        np.testing.assert_array_equal(found.x[0], together[number])


def test_segments_of_a_clip_have_features_each(tmp_path):
    in_segments = [noise(number, (1 + number % 3, 4000)) for number in range(34)]
    source = write_waveforms(tmp_path / "w.zarr", in_segments, WAVEFORM | {"length": "segments"})
    store = run(source, tmp_path / "f.zarr", n_mfcc=13, hop=256)
    assert store.x.shape == (34, 3, 16, 13)
    np.testing.assert_array_equal(store.valid[:], [len(one) for one in in_segments])
    for number in (0, 1, 33):
        count = len(in_segments[number])
        wanted = cepstral.mfcc(in_segments[number], 16000, Mfcc(13, Stft(hop=256)))
        np.testing.assert_array_equal(store.x[number][:count], wanted)
        assert not store.x[number][count:].any()


def test_a_clip_too_short_for_a_setting_is_known_before_anything_is_computed(tmp_path):
    source = write_waveforms(tmp_path / "w.zarr", [noise(0), noise(1, 1000)])
    message = r"f\.zarr: deltas: regression needs 9 frames, the clip has 8"
    with pytest.raises(InputError, match=message):
        run(source, tmp_path / "f.zarr", after={"deltas": "regression"}, hop=128)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".w.zarr.made", "w.zarr"]


# ---- what was computed before ----------------------------------------------------------------


@pytest.fixture
def computed(monkeypatch):
    """Give ``computed(**settings)``: run the stage; how many clips it computed."""
    calls, whole = [], recipes.whole

    def counted(waveforms, *arguments):
        calls.extend(clip.any() for clip in waveforms)  # silence tries the settings
        return whole(waveforms, *arguments)

    monkeypatch.setattr(recipes, "whole", counted)

    def count(*arguments, **settings):
        calls.clear()
        run(*arguments, **settings)
        return sum(calls)

    return count


@pytest.mark.parametrize("samples", [4000, 5000], ids=["same", "longer"])
def test_of_a_corpus_that_grew_only_the_new_clips_are_computed(tmp_path, computed, samples):
    source, store = tmp_path / "w.zarr", tmp_path / "f.zarr"
    old, new = [noise(n) for n in range(70)], [noise(n, samples) for n in range(80, 90)]
    write_waveforms(source, old)
    assert computed(source, store) == 70
    write_waveforms(source, [*old[:20], *new, *old[20:]], code="others")
    assert computed(source, store) == 10
    run(source, tmp_path / "fresh.zarr")
    assert digests(store) == digests(tmp_path / "fresh.zarr")


def test_what_changed_is_computed_anew(waveforms, tmp_path, computed, monkeypatch):
    store, level = tmp_path / "f.zarr", ["1"]
    monkeypatch.setattr(code, "sha256", lambda *modules: f"{modules} at level {level[0]}")
    assert computed(waveforms, store) == 39  # and a silent one
    assert computed(waveforms, store) == 0
    assert computed(waveforms, store, n_mfcc=12) == 39
    assert computed(waveforms, store, n_mfcc=12, after={"segment": 3, "segment_hop": 1}) == 39
    level[0] = "2"
    assert computed(waveforms, store, n_mfcc=12, after={"segment": 3, "segment_hop": 1}) == 39
    assert computed(waveforms, store, n_mfcc=12, after={"segment": 3, "segment_hop": 1}) == 0


def test_another_waveform_of_the_same_clip_is_computed_anew(tmp_path, computed):
    """Code that extract does not know may make other waveforms of the same clips."""
    source, store = tmp_path / "w.zarr", tmp_path / "f.zarr"
    clips = [noise(number) for number in range(40)]
    write_waveforms(source, clips)
    assert computed(source, store) == 40
    louder = [*clips[:7], clips[7] * 2, *clips[8:]]
    write_waveforms(source, louder, made_from=clips, code="other")
    assert computed(source, store) == 1
    run(source, tmp_path / "fresh.zarr")
    assert digests(store) == digests(tmp_path / "fresh.zarr")
