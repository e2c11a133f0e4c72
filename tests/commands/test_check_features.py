"""Check features: identical, rounded or different from raw audio; what is missing is named."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import zarr

from pipeline import commandline
from pipeline.commands.check_features import MADE_BY
from pipeline.commands.check_features import check_features as command
from pipeline.errors import InputError
from pipeline.features import resampling
from pipeline.files import audio, stores, tables
from tests.commands.checking import (
    INDEX,
    RAW,
    STORE,
    change,
    check_features,
    index,
    make,
    said,
    state,
)

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
    state(STORE)
    with pytest.raises(InputError, match=r"another version of .* knows deltas\); run dvc repro"):
        check_features(STORE)
    group.attrs["spec"] = spec | {"settings": spec["settings"] | {"lifter": 0}}
    state(STORE)
    with pytest.raises(InputError, match=r"another version of .* knows lifter\); run dvc repro"):
        check_features(STORE)
    group.attrs["spec"] = spec | {"function": "cepstral.lfcc"}
    state(STORE)
    with pytest.raises(InputError, match=r"another version of .* knows cepstral\.lfcc\); run"):
        check_features(STORE)
    del group["content"]
    with pytest.raises(InputError, match=r"content/zarr\.json: not as it was written; remove"):
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
