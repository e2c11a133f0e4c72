"""Check features: identical, rounded or different, and the setting that makes the difference."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import zarr

from pipeline import commandline
from pipeline.commands.check_features import MADE_BY, PADDED_START
from pipeline.commands.check_features import check_features as command
from pipeline.config.records import Engine, Sound
from pipeline.errors import InputError
from pipeline.features import cepstral, recipes, resampling
from pipeline.features.cepstral import Mfcc
from pipeline.features.recipes import FeatureRecipe, WaveformRecipe
from pipeline.files import audio, stores, tables
from pipeline.settings import read
from pipeline.stages.extract import extract
from pipeline.stages.waveforms import waveforms

ROOT = Path(__file__).parents[2]
RAVDESS = ROOT.parent / "shared" / "corpora" / "ravdess"
GOLDEN = ROOT / "tests" / "golden" / "mfcc" / "ravdess.npz"
ENGINE = Engine("jax", "auto", 100, "threads")
SETTINGS = {"n_mfcc": 13, "n_fft": 512, "hop": 128, "n_mels": 40}
STORE = Path("features/made/soxr/mfcc13.zarr")
INDEX = Path("features/made/index.csv")
RAW = Path("raw_data/made")
KAISER = "resampler kaiser_best (resampy 0.2.2)"


def check_features(store, **given):
    """Check a store of the made-up corpus, which no dvc.yaml knows."""
    command(store, **{"raw": Path(RAW), "index": Path(INDEX)} | given)


def index(raw, index, files):
    """Write the index of some sound files; the second clip is quarantined."""
    rows = []
    for number, path in enumerate(files):
        signal, sample_rate = audio.read(path)
        facts = {
            "clip": path.stem,
            "path": path.relative_to(raw).as_posix(),
            "seconds": f"{len(signal) / sample_rate:.6f}",
            "sample_rate": sample_rate,
            "pcm_hash": audio.pcm_hash(signal, sample_rate),
            "status": "quarantined" if number == 1 else "ok",
        }
        rows.append(facts)
    tables.write(pd.DataFrame(rows), index)


def make(folder, store, *, samples=5000, resampler="soxr_hq", length="centre", **settings):
    """Run both stages; return the store's path."""
    store = folder / store
    waveform = WaveformRecipe(11025, resampler, length, samples)
    given = {"sound": Sound("made", waveform, corpus="made", waveform="made"), "engine": ENGINE}
    waveforms(folder / RAW, folder / INDEX, store.with_name("waveforms.zarr"), **given)
    line = {"function": "cepstral.mfcc", **SETTINGS, **settings}
    feature = recipes.read_feature(line, "features.mfcc13")
    extract(store.with_name("waveforms.zarr"), store, feature=feature, engine=ENGINE)
    return store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give a folder with a corpus of 31 clips of 0.3 to 0.6 s and its features.

    It is not to be changed.
    """
    folder = tmp_path_factory.mktemp("made")
    (folder / RAW).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(31):
        sound = rng.normal(0, 0.1, (4800 + 160 * number, 2 if number == 5 else 1))
        # a decaying tone above the noise: louder and quieter bands, as of speech
        time = np.arange(len(sound))[:, None] / 16000
        sound = 0.05 * sound + 0.5 * np.exp(-9 * time) * np.sin(2 * np.pi * 300 * time)
        soundfile.write(folder / RAW / f"{number:02}.wav", sound, 16000)
    index(folder / RAW, folder / INDEX, sorted((folder / RAW).iterdir()))
    make(folder, STORE)
    return folder


@pytest.fixture
def here(made, monkeypatch):
    """Stand where the features are."""
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def copy(made, tmp_path, monkeypatch):
    """Stand in a copy, which may be changed."""
    folder = shutil.copytree(made, tmp_path / "copy")
    monkeypatch.chdir(folder)
    return folder


def change(store, **values):
    """Put other values into a store's spec, or (``x``, ``valid``) its arrays."""
    group = zarr.open_group(store, mode="r+")
    for name in {"x", "valid"} & set(values):
        group[name][:] = values.pop(name)
    spec = group.attrs["spec"]
    for name, value in values.items():
        table = next(t for t in (spec["waveform"], spec["settings"], spec) if name in t)
        table[name] = value
    group.attrs["spec"] = spec


def said(capsys):
    """Return the lines of the table and the verdict."""
    *table, verdict = capsys.readouterr().out.splitlines()
    return table, verdict


# ---- against raw audio -----------------------------------------------------------------------


def test_a_store_that_is_what_this_code_makes(here, capsys):
    check_features(STORE)
    table, verdict = said(capsys)
    assert verdict == f"{STORE}: 20 of 30 clips against raw_data/made: identical"
    assert table[0].split() == ["bin", "largest", "mean"]
    assert [line.split() for line in table[1:14]] == [[str(i), "0", "0"] for i in range(13)]
    assert table[14:] == [f"{'all 13':>10}{'0':>12}{'0':>12}"]


@pytest.mark.parametrize(
    "recipe",
    [
        {"resampler": "kaiser_best"},
        {"length": "start"},
        {"length": "whole"},
        {"length": "segments", "samples": 2000},
        {"deltas": "regression"},
        {"centre": False},
    ],
)
def test_any_recipe_is_followed(copy, capsys, recipe):
    make(copy, "features/made/other/f.zarr", **recipe)
    check_features(Path("features/made/other/f.zarr"), clips=4)
    assert said(capsys)[1].endswith("4 of 30 clips against raw_data/made: identical")


def test_clips_are_spread_evenly_and_always_the_same(here, monkeypatch):
    read = []
    monkeypatch.setattr(
        audio, "read", lambda path, read_=audio.read: read.append(path) or read_(path)
    )
    check_features(STORE, clips=3)
    check_features(STORE, clips=3)
    assert [path.stem for path in read] == ["00", "15", "30"] * 2


def test_one_clip_alone(here, capsys):
    check_features(STORE, clip="07")
    assert said(capsys)[1] == f"{STORE}: 1 of 30 clips against raw_data/made: identical"


def test_rounding_is_told_and_passes(copy, capsys):
    x = stores.read(STORE).x[:]
    change(STORE, x=x + np.float32(2e-6) * np.abs(x).max() * np.sign(x))
    check_features(STORE)
    table, verdict = said(capsys)
    found = re.search(r": within float32 rounding, largest deviation (\S+)$", verdict)
    assert float(found[1]) == pytest.approx(2e-6 * np.abs(x).max(), rel=0.05)
    assert table[-1].split()[2] == found[1]


def test_more_than_rounding_does_not_pass(copy):
    x = stores.read(STORE).x[:]
    change(STORE, x=x + np.float32(2e-5) * np.abs(x).max() * np.sign(x))
    with pytest.raises(InputError, match=r"differs: largest deviation 0\.0\d+; no setting tried"):
        check_features(STORE)


@pytest.mark.parametrize(
    ("setting", "value", "explained"),
    [
        ("resampler", "kaiser_best", "resampler soxr_hq (librosa since 0.10)"),
        ("amin", 1e-3, None),
        ("pad_mode", "reflect", "pad_mode constant"),
        ("centre", False, "centre true"),
        ("length", "start", "length centre"),
    ],
)
def test_a_store_that_is_not_what_its_spec_says(copy, setting, value, explained):
    change(STORE, **{setting: value})
    with pytest.raises(InputError) as error:
        check_features(STORE, clips=5)
    stated = str(error.value)
    if explained is None:
        assert "no setting tried explains it (nearest: " in stated
        return
    shown = value if isinstance(value, str) else str(value).lower()
    assert "mfcc13.zarr: differs: " in stated
    assert f"{STORE} is what {explained} gives (largest deviation 0)" in stated
    assert stated.endswith(f"; the store says {shown}; run dvc repro --force")


def test_the_worst_of_many_bins_are_listed(copy, capsys):
    store = make(copy, "features/made/other/f.zarr", n_mfcc=41, n_mels=60)
    x = stores.read(store).x[:]
    x[..., 33] += 2
    x[..., 7] += 1
    change(store, x=x)
    capsys.readouterr()
    with pytest.raises(InputError, match=r"f\.zarr: 20 of 30 .* differs: largest deviation 2; no"):
        check_features(store.relative_to(copy))
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert len(table) == 12
    assert table[1] == ["33", "2", "2"] and table[2] == ["7", "1", "1"]
    assert table[11] == ["all", "41", "2", "0.073"]


def test_frames_that_the_raw_audio_does_not_give(copy):
    valid = stores.read(STORE).valid[:]
    valid[0] -= 1
    change(STORE, valid=valid)
    with pytest.raises(InputError, match=r"differs: another number of frames or bins; .* the stor"):
        check_features(STORE)


def test_values_that_are_no_numbers(copy):
    x = stores.read(STORE).x[:]
    x[3, 2, 1] = np.nan
    change(STORE, x=x)
    with pytest.raises(InputError, match=r"mfcc13\.zarr: holds values that are not finite"):
        check_features(STORE, clips=30)


# ---- against another store or an array ---------------------------------------------------------


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
    np.save(tmp_path / "theirs.npy", stores.read(STORE).x[:, :-9])
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
    with pytest.raises(InputError, match=r"other\.zarr: holds other clips than the store"):
        check_features(STORE, against=Path(other))


# ---- what is missing or does not belong ---------------------------------------------------------


def test_no_store(here):
    with pytest.raises(InputError, match=r"mfcc14\.zarr: not a store of this pipeline; run dvc"):
        check_features(STORE.with_name("mfcc14.zarr"))


def test_waveforms_are_no_features(here):
    with pytest.raises(InputError, match=r"waveforms\.zarr: holds no feature; give a store"):
        check_features(STORE.with_name("waveforms.zarr"))


def test_a_store_of_an_older_layout(copy):
    group = zarr.open_group(STORE, mode="r+")
    spec = group.attrs["spec"]
    group.attrs["spec"] = {key: spec[key] for key in spec if key != "deltas"}
    with pytest.raises(InputError, match=r"another version of .* knows deltas\); run dvc repro"):
        check_features(STORE)
    group.attrs["spec"] = spec | {"settings": spec["settings"] | {"lifter": 0}}
    with pytest.raises(InputError, match=r"another version of .* knows lifter\); run dvc repro"):
        check_features(STORE)
    group.attrs["spec"] = spec | {"function": "cepstral.lfcc"}
    with pytest.raises(InputError, match=r"another version of .* knows cepstral\.lfcc\); run"):
        check_features(STORE)
    del group["content"]
    with pytest.raises(InputError, match="not a store of this pipeline; run dvc repro"):
        check_features(STORE)


def test_no_raw_audio(copy):
    shutil.rmtree(RAW)
    with pytest.raises(InputError, match="raw_data/made: no such folder; put the corpus there"):
        check_features(STORE)


def test_no_index(copy):
    INDEX.unlink()
    with pytest.raises(InputError, match=r"features/made/index\.csv: no such file"):
        check_features(STORE)


def test_another_index(copy):
    frame = tables.read(INDEX)
    tables.write(frame[:-1], INDEX)
    with pytest.raises(InputError, match=r"mfcc13\.zarr: holds other clips than features/made/ind"):
        check_features(STORE)


def test_sound_that_changed_since_it_was_indexed(copy):
    for name in ("00", "02"):
        soundfile.write(RAW / f"{name}.wav", np.zeros(4800), 16000)
    stated = r"^raw_data/made: of 30 clips 2 changed since they were indexed: 00\.wav, 02\.wav; run"
    with pytest.raises(InputError, match=stated):
        check_features(STORE, clips=100)


def test_sound_that_changed_since_the_store_was_made(copy):
    for name in ("00", "02"):
        soundfile.write(RAW / f"{name}.wav", np.ones(4800) / 2, 16000)
    index(RAW, INDEX, sorted(RAW.iterdir()))
    with pytest.raises(InputError, match="so look for other sound of 00, 02; here librosa"):
        check_features(STORE, clips=100)


def test_a_store_whose_corpus_is_not_known(copy):
    shutil.copytree(STORE, "mfcc13.zarr")
    with pytest.raises(InputError, match=r"^mfcc13\.zarr: no store of the dvc\.yaml and params\."):
        command(Path("mfcc13.zarr"))


def test_options_out_of_bounds(here):
    with pytest.raises(InputError, match="clips: must be at least 1, got 0"):
        check_features(STORE, clips=0)
    with pytest.raises(InputError, match=r"index\.csv: no usable clip '01'; see its column"):
        check_features(STORE, clip="01")


def test_dvc_yaml_says_where_the_inputs_lie(copy, capsys):
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text("[core]\n    no_scm = true\n")
    shutil.move(RAW, "sounds")
    shutil.move(INDEX, "list.csv")
    shutil.move(STORE, "mfcc.zarr")
    Path("dvc.yaml").write_text("""\
stages:
  waveforms:
    cmd: python -m pipeline waveforms sounds list.csv w.zarr --corpus made --waveform soxr
    outs: [w.zarr]
  extract:
    cmd: python -m pipeline extract w.zarr mfcc.zarr --feature mfcc13
    outs: [mfcc.zarr]
""")
    command(Path("mfcc.zarr"))
    assert said(capsys)[1] == "mfcc.zarr: 20 of 30 clips against sounds: identical"


def test_a_store_that_dvc_did_not_make(copy, capsys):
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text("[core]\n    no_scm = true\n")
    Path(f"{STORE}.dvc").write_text("outs:\n- path: mfcc13.zarr\n")
    check_features(STORE)
    assert said(capsys)[1] == f"{STORE}: 20 of 30 clips against raw_data/made: identical"


def test_ser_check_features(here, monkeypatch, capsys):
    monkeypatch.setattr(
        "sys.argv",
        [
            "ser",
            "check-features",
            str(STORE),
            *"--clips 2 --raw".split(),
            str(RAW),
            "--index",
            str(INDEX),
        ],
    )
    commandline.main()
    assert said(capsys)[1].endswith("2 of 30 clips against raw_data/made: identical")
    monkeypatch.setattr("sys.argv", ["ser", "check-features", "nothing.zarr"])
    with pytest.raises(SystemExit) as error:
        commandline.main()
    assert error.value.code == 1
    said_wrong = capsys.readouterr().err
    assert said_wrong.startswith("check-features: nothing.zarr: not a store of this pipeline")
    assert said_wrong.count("\n") == 1


def test_every_resampler_has_its_maker():
    assert tuple(MADE_BY) == resampling.METHODS


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
