"""Check features against a store or an array: the setting that makes the difference is named."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from pipeline.commands.check_features import PADDED_START
from pipeline.config.records import Sound
from pipeline.errors import InputError
from pipeline.features import cepstral, resampling
from pipeline.features.cepstral import Mfcc
from pipeline.features.recipes import FeatureRecipe, WaveformRecipe
from pipeline.files import audio, stores
from pipeline.settings import read
from pipeline.stages.extract import extract
from pipeline.stages.waveforms import waveforms
from tests.commands.checking import (
    ENGINE,
    SETTINGS,
    STORE,
    change,
    check_features,
    index,
    make,
    said,
    state,
)

ROOT = Path(__file__).parents[2]
RAVDESS = ROOT.parent / "shared" / "corpora" / "ravdess"
GOLDEN = ROOT / "tests" / "golden" / "mfcc" / "ravdess.npz"
KAISER = "resampler kaiser_best (resampy 0.2.2)"


@pytest.mark.parametrize(
    ("recipe", "explained"),
    [
        ({"resampler": "kaiser_best"}, f"{KAISER} gives (L); the store says soxr_hq"),
        (
            {"resampler": "kaiser_best_03"},
            "resampler kaiser_best_03 (resampy since 0.3.0) gives (L); the store says soxr_hq",
        ),
        ({"centre": False}, "centre false gives (L); the store says true"),
        ({"pad_mode": "reflect"}, "pad_mode reflect gives (L); the store says constant"),
        ({"window": "hamming"}, "window hamming gives (L); the store says hann"),
        ({"mel_scale": "htk"}, "mel_scale htk gives (L); the store says slaney"),
        ({"top_db": None}, "top_db null gives (L); the store says 80.0"),
        ({"length": "start"}, "length start gives (L); the store says centre"),
    ],
)
def test_the_setting_of_another_store_is_named(copy, capsys, recipe, explained):
    other = make(copy, "features/made/other/f.zarr", **recipe).relative_to(copy)
    check_features(STORE, against=other, clips=4)
    explained = explained.replace("(L)", "(largest deviation 0)")
    assert said(capsys)[1] == f"{other} is what {explained}"


def test_another_store_that_is_the_same(copy, capsys):
    other = shutil.copytree(STORE, "other.zarr")
    check_features(STORE, against=Path(other))
    assert said(capsys)[1] == f"other.zarr: 20 of 30 clips against {STORE}: identical"


def test_padding_behind_is_named(here, tmp_path, capsys):
    clips = []
    for path in sorted(Path("raw_data/made").iterdir()):
        if path.stem != "01":
            signal, sample_rate = audio.read(path)
            sound = audio.mono(signal)
            sound = resampling.resample(sound, sample_rate, 11025, method="soxr_hq")[:5000]
            clips.append(np.pad(sound, (0, 5000 - len(sound))))
    np.save(
        tmp_path / "theirs.npy", cepstral.mfcc(np.stack(clips), 11025, read(Mfcc, SETTINGS, "mfcc"))
    )
    check_features(STORE, against=tmp_path / "theirs.npy")
    assert (
        f"theirs.npy is what length {PADDED_START} gives (largest deviation 0)" in said(capsys)[1]
    )


@pytest.mark.parametrize("name", ["theirs.npy", "theirs.npz"])
def test_an_array_is_in_the_index_s_order(here, tmp_path, capsys, name):
    x = stores.read(STORE).x[:].astype(np.float64)
    save = np.save if name.endswith("npy") else np.savez
    save(tmp_path / name, x)
    check_features(STORE, against=tmp_path / name)
    assert said(capsys)[1].endswith(f"clips against {STORE}: identical")
    save(tmp_path / name, x[::-1])
    with pytest.raises(InputError, match=f"{name}: 20 of 30 clips against .*: differs"):
        check_features(STORE, against=tmp_path / name)


def test_an_array_with_noise_is_not_explained(here, tmp_path, capsys):
    x = stores.read(STORE).x[:]
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, x.shape)
    np.save(tmp_path / "theirs.npy", x + noise)
    with pytest.raises(InputError) as error:
        check_features(STORE, against=tmp_path / "theirs.npy")
    stated = str(error.value)
    assert stated.startswith(f"{tmp_path}/theirs.npy: 20 of 30 clips against {STORE}: differs: ")
    assert (
        "largest deviation 0.5; no setting tried explains it (nearest: the store's recipe, 0.5)"
        in stated
    )
    assert re.search(
        r"look for other code or packages; here librosa \d.*, numpy \d.*, soxr \d", stated
    )
    largest, mean = capsys.readouterr().out.splitlines()[-1].split()[2:]
    assert (largest, mean) == ("0.5", "0.25")


def test_a_store_that_changed_beside_an_array_that_did_not(copy):
    x = stores.read(STORE).x[:]
    np.save("theirs.npy", x)
    change(STORE, x=x + 1)
    stated = r"mfcc13\.zarr: differs: largest deviation 1; theirs\.npy is what the store's recipe "
    with pytest.raises(
        InputError, match=stated + "gives .largest deviation 0.; run dvc repro --for"
    ):
        check_features(STORE, against=Path("theirs.npy"))


def test_the_features_of_one_clip(here, tmp_path, capsys):
    x = stores.read(STORE).x[:]
    np.save(tmp_path / "theirs.npy", x[6])  # 01 has no row
    check_features(STORE, against=tmp_path / "theirs.npy", clip="07")
    assert said(capsys)[1].endswith(f"1 of 30 clips against {STORE}: identical")


def test_another_number_of_frames(here, tmp_path, capsys):
    np.save(tmp_path / "theirs.npy", stores.read(STORE).x[:][:, :-9])
    stated = (
        r"differs: 31 x 13 values of a clip, not 40 x 13; no .* it \(none gives that shape\), so"
    )
    with pytest.raises(InputError, match=stated):
        check_features(STORE, against=tmp_path / "theirs.npy")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((30, 40)),
            r"holds 30 x 40 values, the store 30 x \d+ x 13; wanted are all clips",
        ),
        (np.zeros((29, 40, 13)), r"holds 29 x 40 x 13 values, the store 30 x .* with --clip NAME"),
        (np.array(["a"]), "not an array of numbers, but of <U1"),
        (np.array([{"x": 1}]), r"not an array of numbers \(.* objects in dtype"),
        ({"x": np.zeros(1), "y": np.zeros(1)}, "holds arrays x, y; wanted a file of one array"),
        (None, "no such file or store"),
        ("text", r"not an array of numbers \("),
    ],
)
def test_arrays_that_cannot_be_compared(here, tmp_path, array, message):
    path = tmp_path / "theirs.npy"
    if isinstance(array, dict):
        path = tmp_path / "theirs.npz"
        np.savez(path, **array)
    elif isinstance(array, str):
        path.write_text(array)
    elif array is not None:
        np.save(path, array, allow_pickle=True)
    with pytest.raises(InputError, match=rf"{path.name}: {message}") as error:
        check_features(STORE, against=path)
    assert len(str(error.value).splitlines()) == 1


def test_a_store_of_other_clips(copy):
    other = shutil.copytree(STORE, "other.zarr")
    zarr.open_group(other, mode="r+").attrs["clips_sha256"] = "others"
    state(Path(other))
    with pytest.raises(InputError, match=r"other\.zarr: holds other clips than the store"):
        check_features(STORE, against=Path(other))


# ---- real sound ------------------------------------------------------------------------------


@pytest.mark.corpus
def test_device_1_of_tim_net_is_a_resampler(tmp_path, monkeypatch, capsys):
    if not RAVDESS.exists():
        pytest.skip("../shared/corpora/ravdess not found")
    monkeypatch.chdir(tmp_path)
    golden = np.load(GOLDEN)
    Path("raw_data").mkdir()
    Path("raw_data/ravdess").symlink_to(RAVDESS)
    files = [next(RAVDESS.rglob(f"{name}.*")) for name in golden["clip"][:3]]
    index(RAVDESS, Path("features/ravdess/index.csv"), files)
    store = Path("features/data/ravdess-mfcc39.zarr")
    recipe = WaveformRecipe(22050, "soxr_hq", "centre", 110000)
    sound = Sound("ravdess", recipe, corpus="ravdess", waveform="made", samples=110000)
    given = {"sound": sound, "engine": ENGINE}
    listed = Path("features/ravdess/index.csv")
    waveforms(Path("raw_data/ravdess"), listed, store.with_name("waveforms.zarr"), **given)
    feature = FeatureRecipe("cepstral.mfcc", Mfcc())
    extract(store.with_name("waveforms.zarr"), store, feature=feature, engine=ENGINE)

    clip = golden["clip"][2]
    np.save("librosa.npy", golden["soxr_hq"][2])
    named = {"raw": Path("raw_data/ravdess"), "index": listed}
    check_features(store, against=Path("librosa.npy"), clip=clip, **named)
    assert ": within float32 rounding, largest deviation 0.00" in said(capsys)[1]

    np.save("device1.npy", golden["kaiser_best_022"][2])
    check_features(store, against=Path("device1.npy"), clip=clip, **named)
    table, verdict = said(capsys)
    assert float(table[-1].split()[2]) > 0.5
    stated = rf"device1\.npy is what {re.escape(KAISER)} gives \(largest deviation 0\.00\d+\); "
    assert re.fullmatch(stated + "the store says soxr_hq", verdict)
