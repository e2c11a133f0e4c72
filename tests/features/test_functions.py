"""Functions that compute features: how people write them, and what is said where that is wrong."""

import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import functions, recipes
from pipeline.features.cepstral import Mfcc, mfcc
from pipeline.settings import flat
from tests.specs import SOUND

HEAD = """
from __future__ import annotations
import functools
from dataclasses import dataclass
from typing import NamedTuple, Optional

import numpy as np

from pipeline.settings import setting

FRAME = 100

@dataclass(frozen=True)
class Frames:
    frame: int = setting(FRAME, "Length of a frame.", unit="samples", low=1)

def cut(signals, frame):
    return np.abs(signals[:, : signals.shape[1] // frame * frame]).reshape(len(signals), -1, frame)
"""
WANTED = (
    "wanted (signals, sample_rate), or these and (settings: RECORD), a dataclass; "
    "see features/README.md"
)


def noise(clips=2, samples=1000):
    return np.random.default_rng(0).normal(0, 0.1, (clips, samples)).astype(np.float32)


def read(name, **line):
    return recipes.read_feature({"function": f"{name}.loudness", **line}, "features.mine")


# ---- every function --------------------------------------------------------------------------


NEEDED = {"egemaps.functionals": "afx_audio"}  # packages that are not always installed
IN_FILES = {"embedding.file"}  # tests/features/test_embedding.py


@pytest.mark.parametrize("name", sorted({*functions.known()} - IN_FILES))
def test_a_function_computes_each_clip_by_itself(name):
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    function = functions.load(name)
    signals = noise(3, 20000)
    signals[1] = 0
    settings = recipes.read_feature({"function": name}, "here").settings
    found = function.of(signals, 16000, settings)
    assert found.dtype == np.float32 and found.ndim >= 2 and len(found) == 3
    assert np.isfinite(found).all()
    for clip, values in zip(signals, found, strict=True):
        np.testing.assert_array_equal(function.of(clip[None], 16000, settings)[0], values)


def test_a_function_is_found_by_its_name():
    assert functions.load("cepstral.mfcc") == ("cepstral.mfcc", mfcc, Mfcc)
    assert functions.known()[0] == "cepstral.mfcc"
    assert not any(name.startswith("transform.") for name in functions.known())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cepstral.mfc", "no 'cepstral.mfc', a function of .*cepstral.py; did you mean cepstral.m"),
        ("cepstral.Mfcc", "no 'cepstral.Mfcc', a function of .*; did you mean cepstral.mfcc"),
        ("cepstral.np", "no 'cepstral.np', a function of .*; "),
        ("cepstral", "no 'cepstral', a function of .*; did you mean cepstral.mfcc"),
        ("cepstrum.mfcc", "no 'cepstrum.mfcc', for there is no pipeline/features/cepstrum.py; did"),
        ("transform.stack", "no 'transform.stack', for there is no .*; known: cepstral.mfcc, "),
    ],
)
def test_what_is_no_function_is_one_line(name, message):
    with pytest.raises(InputError, match=f"^{message}"):
        functions.load(name)


# ---- own ones that work ----------------------------------------------------------------------

WORKING = {
    "a record of settings": """
        def loudness(signals: np.ndarray, sample_rate: int, settings: Frames) -> np.ndarray:
            return cut(signals, settings.frame)
        """,
    "a string for its annotation": """
        def loudness(signals, sample_rate, settings: "Frames"):
            return cut(signals, settings.frame)
        """,
    "other names": """
        def loudness(y, sr, /, s: Frames):
            return cut(y, s.frame)
        """,
    "no settings": """
        def loudness(signals, sample_rate):
            return cut(signals, FRAME)
        """,
    "float64": """
        def loudness(signals, sample_rate):
            return cut(signals.astype(np.float64), FRAME)
        """,
    "plain defaults, one of them a constant": """
        @dataclass
        class Plain:
            frame: int = FRAME
            top: Optional[int] = None
            edges: tuple[float, ...] = (0.5, 1.0)

        def loudness(signals, sample_rate, settings: Plain):
            assert settings.top is None and settings.edges == (0.5, 1.0)
            return cut(signals, settings.frame)
        """,
    "a decorator": """
        def absolute(function):
            @functools.wraps(function)
            def wrapped(*arguments):
                return np.abs(function(*arguments))
            return wrapped

        @absolute
        def loudness(signals, sample_rate, settings: Frames):
            return -cut(signals, settings.frame)
        """,
}


@pytest.mark.parametrize("way", WORKING)
def test_a_way_to_write_one_that_works(dropped, way):
    name = dropped(HEAD + textwrap.dedent(WORKING[way]))
    recipe = read(name)
    (values,) = recipes.feature([noise()[0]], recipe.spec(SOUND))
    expected = np.abs(noise()[0]).reshape(10, 100)
    np.testing.assert_array_equal(values, expected, strict=True)
    assert (
        recipes.read_feature({"function": recipe.function, **recipe.spec(SOUND).settings}, "again")
        == recipe
    )
    assert f"{name}.loudness" in functions.known()
    if recipe.settings != functions.NoSettings():
        assert flat(recipe.settings)["frame"] == 100
        (values,) = recipes.feature([noise()[0]], read(name, frame=50).spec(SOUND))
        assert values.shape == (20, 50)


def test_an_imported_function_is_one_of_the_module(dropped):
    name = dropped("from pipeline.features.cepstral import mfcc as loudness\n")
    assert read(name, n_mfcc=3).settings == Mfcc(3)


# ---- own ones that do not --------------------------------------------------------------------

REFUSED = {
    "keywords": (
        "def loudness(signals, sample_rate, *, frame: int = 100): ...",
        f"takes (signals, sample_rate, *, frame: 'int' = 100); {WANTED}",
    ),
    "positional settings": (
        "def loudness(signals, sample_rate, frame=FRAME, top=None): ...",
        f"takes (signals, sample_rate, frame=100, top=None); {WANTED}",
    ),
    "no annotation": (
        "def loudness(signals, sample_rate, settings): ...",
        f"takes (signals, sample_rate, settings); {WANTED}",
    ),
    "no dataclass": (
        "class Pair(NamedTuple):\n    frame: int\n"
        "def loudness(signals, sample_rate, settings: Pair): ...",
        f"takes (signals, sample_rate, settings: 'Pair'); {WANTED}",
    ),
    "no sample rate": (
        "def loudness(signals): ...",
        f"takes (signals); {WANTED}",
    ),
    "a decorator that hides": (
        "def hide(function):\n    return lambda *given: function(*given)\n"
        "@hide\ndef loudness(signals, sample_rate): ...",
        f"takes (*given); {WANTED}",
    ),
    "one of another library": (
        "from librosa.feature import rms as loudness",
        "takes (*, y: ",
    ),
    "an annotation of what is not there": (
        "def loudness(signals, sample_rate, settings: Framing): ...",
        f"its parameters cannot be read (name 'Framing' is not defined); {WANTED}",
    ),
    "a type that params.yaml cannot say": (
        "@dataclass\nclass Odd:\n    frame: np.ndarray = None\n"
        "def loudness(signals, sample_rate, settings: Odd): ...",
        "Odd.frame: is numpy.ndarray; wanted int, float, str, bool, tuple or dict, or one of them "
        "or None; see features/README.md",
    ),
    "a default of another type": (
        "@dataclass\nclass Odd:\n    frame: int = 2.5\n"
        "def loudness(signals, sample_rate, settings: Odd): ...",
        "Odd.frame: wanted a whole number, got 2.5",
    ),
}


@pytest.mark.parametrize("way", REFUSED)
def test_a_way_to_write_one_that_does_not_work_is_one_line(dropped, way):
    source, message = REFUSED[way]
    name = dropped(HEAD + source)
    with pytest.raises(InputError) as error:
        read(name)
    place = f"features.mine.function: pipeline/features/{name}.py: loudness: "
    assert str(error.value).startswith(place + message)
    assert len(str(error.value).splitlines()) == 1
    assert f"{name}.loudness" not in functions.known()


def test_a_setting_that_a_recipe_has_too_is_refused(dropped):
    name = dropped(
        HEAD + "@dataclass\nclass Own:\n    segment: int = 3\n"
        "def loudness(signals, sample_rate, settings: Own): ..."
    )
    message = rf"^features\.mine\.function: {name}\.loudness has a setting segment, which another "
    with pytest.raises(InputError, match=message):
        read(name)


def test_a_module_that_does_not_import_hides_no_other(dropped):
    name = dropped("def loudness(:\n")
    message = rf"^features\.mine\.function: pipeline/features/{name}\.py: does not import, line 1: "
    with pytest.raises(InputError, match=message):
        read(name)
    assert "cepstral.mfcc" in functions.known()


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ("signals[0]", "(1000,)"),
        ("signals[:1, :, None]", "(1, 1000, 1)"),
        ("signals[:, :0]", "(2, 0)"),
    ],
)
def test_values_of_another_shape_are_refused(dropped, values, shape):
    name = dropped(f"def loudness(signals, sample_rate):\n    return {values}\n")
    with pytest.raises(InputError) as error:
        recipes.feature([*noise()], read(name).spec(SOUND))
    assert str(error.value) == (
        f"{name}.loudness: of (2, 1000) signals it gives {shape} values; wanted (clips, frames, "
        "...), one frame or more; see features/README.md"
    )


def test_settings_of_a_store_are_checked_as_those_of_params_are():
    spec = recipes.read_feature({"function": "cepstral.mfcc"}, "here").spec(SOUND)
    spec = replace(spec, settings=spec.settings | {"n_mfcc": 0})
    with pytest.raises(InputError, match=r"^cepstral\.mfcc\.n_mfcc: must be at least 1, got 0$"):
        recipes.feature([*noise()], spec)


def test_a_function_that_a_bundle_names_and_is_not_here_is_one_line():
    spec = recipes.read_feature({"function": "cepstral.mfcc"}, "here").spec(SOUND)
    message = r"^no 'gone\.loudness', for there is no pipeline/features/gone\.py; known: cepstral"
    with pytest.raises(InputError, match=message):
        recipes.feature([*noise()], replace(spec, function="gone.loudness"))


# ---- imports ---------------------------------------------------------------------------------


def test_reading_settings_loads_no_library_of_sound():
    program = """
import sys
from pipeline.features import functions, recipes
assert "cepstral.mfcc" in functions.known()
print(*{"librosa", "numba", "numpy", "pandas", "scipy", "soxr", "zarr"} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
