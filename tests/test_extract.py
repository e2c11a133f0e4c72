"""Stage extract: what the feature's function says, clip by clip, and settings out of bounds."""

import hashlib

import numpy as np
import pytest

from pipeline import plugins, workers
from pipeline.errors import InputError
from pipeline.extract import extract
from pipeline.features import cepstral
from pipeline.files import stores
from pipeline.params import Engine, Feature

DEFAULTS = plugins.defaults("features", "cepstral", "mfcc")
WAVEFORM = {"sample_rate": 16000, "samples": 4000}


@pytest.fixture(scope="module")
def waveforms(tmp_path_factory):
    """Give a store of 40 waveforms (two chunks) of 0.25 s; one is silent."""
    path = tmp_path_factory.mktemp("features") / "waveforms.zarr"
    x = np.random.default_rng(0).normal(0, 0.1, (40, 4000)).astype(np.float32)
    x[3] = 0
    facts = {"clips_sha256": "of the clips", "content": np.zeros((40, 32), np.uint8), "code": ""}
    with stores.create(path, x.shape, WAVEFORM, **facts) as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], rows, np.full(len(rows), 4000)))
    return path


def run(waveforms, store, **settings):
    """Run the stage with settings; return what it wrote."""
    feature = Feature("mfcc13", "cepstral.mfcc", DEFAULTS | {"n_mfcc": 13} | settings)
    extract(waveforms, store, feature=feature, engine=Engine("jax", "auto", 100, "threads"))
    return stores.read(store)


def test_the_store_holds_what_the_function_gives(waveforms, tmp_path):
    store = run(waveforms, tmp_path / "f.zarr", hop=256)
    signals = stores.read(waveforms).x[:]
    wanted = cepstral.mfcc(signals, 16000, n_mfcc=13, hop=256)
    np.testing.assert_array_equal(store.x[:], wanted)
    assert store.x.shape == (40, 16, 13)
    assert np.isfinite(store.x[3]).all()


def test_lengths_and_clips_are_handed_on_and_nothing_is_left_unsaid(waveforms, tmp_path):
    store = run(waveforms, tmp_path / "f.zarr")
    np.testing.assert_array_equal(store.length[:], np.arange(40))
    assert store.clips_sha256 == "of the clips"
    settings = DEFAULTS | {"n_mfcc": 13}
    assert store.spec == {
        "waveform": WAVEFORM,
        "function": "cepstral.mfcc",
        "settings": settings,
        "deltas": "none",
        "segment": 0,
        "segment_hop": 0,
    }
    assert {"n_fft", "window", "mel_norm", "top_db"} <= set(settings)


def test_bytes_do_not_depend_on_the_number_of_workers(waveforms, tmp_path, monkeypatch):
    found = []
    for count in (1, 4):
        monkeypatch.setattr(workers, "cores", lambda count=count: count)
        run(waveforms, tmp_path / "f.zarr")
        files = sorted(path for path in (tmp_path / "f.zarr").rglob("*") if path.is_file())
        found.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_mfcc": 0}, r"params\.yaml: features\.mfcc13\.n_mfcc: must be 1\.\.n_mels \(128\)"),
        ({"hop": 0}, r"params\.yaml: features\.mfcc13\.hop: must be 1\.\.n_fft \(2048\), got 0"),
        ({"fmax": 9e3}, r"params\.yaml: features\.mfcc13\.fmax: must be above 0 and up to 8000"),
        ({"window": "hamn"}, r"params\.yaml: features\.mfcc13\.window: must be one of scipy\.sig"),
        (
            {"centre": False, "n_fft": 5000},
            r"params\.yaml: features\.mfcc13\.n_fft: must be up to the clip's 4000 samples",
        ),
    ],
)
def test_a_setting_out_of_bounds_is_named_with_its_place(waveforms, tmp_path, settings, message):
    with pytest.raises(InputError, match=message) as error:
        run(waveforms, tmp_path / "f.zarr", **settings)
    assert len(str(error.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_waveforms_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"waveforms\.zarr: not a store of this pipeline"):
        run(tmp_path / "waveforms.zarr", tmp_path / "f.zarr")
