"""Every setting of every record: documented, bounded, and refused in one line where out of bounds.

A record is found where it stands: any dataclass of the packages below with a field made by
`setting`.
"""

import dataclasses
import importlib
import inspect
import math
import pkgutil
import types
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import settings
from pipeline.errors import InputError

PACKAGES = ("features", "models", "protocols")
# Texts that are not one of a list: a check of their own refuses them.
FREE = {
    "FeatureRecipe.function",
    "File.layer",
    "File.path",
    "File.pretrained_on",
    "File.sha256",
    "Settings.cnn_weights",
    "WaveformRecipe.samples",
    "Protocol.labels",
    "Protocol.list",
    "Protocol.test",
}
JUNK = (True, 3, 1.5, math.nan, "no such", [], {})


def records():
    """Give every record of settings, from the module that defines it."""
    for package in PACKAGES:
        folder = importlib.import_module(f"pipeline.{package}")
        for found in pkgutil.iter_modules(folder.__path__, f"pipeline.{package}."):
            for record in vars(importlib.import_module(found.name)).values():
                own = inspect.isclass(record) and record.__module__ == found.name
                if own and dataclasses.is_dataclass(record) and list(own_settings(record)):
                    yield record


def own_settings(record):
    """Give the settings of a record, without those of records within it, and their types."""
    hints = typing.get_type_hints(record)
    for field in dataclasses.fields(record):
        if "bounds" in field.metadata:
            yield field, hints[field.name]


def kinds(wanted):
    """Types that a setting may have, and types of its items if it is a list."""
    union = isinstance(wanted, types.UnionType)
    found = typing.get_args(wanted) if union else (wanted,)
    items = {item for kind in found for item in typing.get_args(kind) if item is not ...}
    plain = {typing.get_origin(kind) or kind for kind in found}
    return plain, items if tuple in plain else set()


RECORDS = sorted(records(), key=lambda record: record.__name__)
every_setting = pytest.mark.parametrize(
    ("record", "field", "wanted"),
    [
        pytest.param(record, field, wanted, id=f"{record.__name__}.{field.name}")
        for record in RECORDS
        for field, wanted in own_settings(record)
    ],
)


def line(record, field, value):
    """Give what params.yaml may say of a record: one setting, and those that must be there."""
    found = {field.name: value}
    for other, _ in own_settings(record):
        needed = (other.default, other.default_factory) == (dataclasses.MISSING,) * 2
        if needed and other.name != field.name:
            bounds = other.metadata["bounds"]
            found[other.name] = bounds.choices[0] if bounds.choices else bounds.low or "a.b"
    return found | {"settings": None} if record.__name__ == "FeatureRecipe" else found


def outside(bounds, plain):
    """Strategies of values of some types that are out of bounds."""
    if bounds.choices and str in plain:
        yield st.text().filter(lambda value: value not in bounds.choices)
    if bounds.choices and plain & {int, float}:
        yield st.floats(-1e9, 1e9).filter(lambda value: value not in bounds.choices)
    if int in plain:
        lowest = [math.ceil(v) - 1 for v in (bounds.low,) if v is not None]
        lowest += [math.floor(v) for v in (bounds.above,) if v is not None]
        highest = [math.floor(v) + 1 for v in (bounds.high,) if v is not None]
        highest += [math.ceil(v) for v in (bounds.below,) if v is not None]
        yield from (st.integers(max_value=value) for value in lowest)
        yield from (st.integers(min_value=value) for value in highest)
    if float in plain:
        finite = {"allow_nan": False, "allow_infinity": False}
        for value, out in ((bounds.low, True), (bounds.above, False)):
            if value is not None:
                yield st.floats(max_value=value, exclude_max=out, **finite)
        for value, out in ((bounds.high, True), (bounds.below, False)):
            if value is not None:
                yield st.floats(min_value=value, exclude_min=out, **finite)


def of_another_type(plain):
    """Values that are of none of some types."""
    for value in JUNK:
        fitting = {list: tuple}.get(type(value), type(value))
        fits = fitting in plain or (type(value) is int and float in plain)
        if not fits or value != value:
            yield value


def test_the_records_are_found():
    names = {record.__name__ for record in RECORDS}
    assert {"Stft", "Mel", "Logarithm", "Mfcc", "WaveformRecipe", "FeatureRecipe"} <= names


@every_setting
def test_a_setting_says_what_it_is_and_has_bounds(record, field, wanted):
    bounds = field.metadata["bounds"]
    assert bounds.doc.endswith(".")
    plain, items = kinds(wanted)
    if {int, float} & (plain | items):
        assert bounds.choices or bounds.wanted(), "a number has bounds"
    elif str in plain | items and f"{record.__name__}.{field.name}" not in FREE:
        assert bounds.choices, "a text is one of a list"


@every_setting
def test_a_default_is_within_its_bounds(record, field, wanted):
    if field.default is not dataclasses.MISSING:
        again = dataclasses.field(default=field.default, metadata=field.metadata)
        alone = dataclasses.make_dataclass("Alone", [(field.name, wanted, again)])
        read = settings.read(alone, {field.name: field.default}, "here")
        assert getattr(read, field.name) == field.default


@every_setting
@given(data=st.data())
def test_what_is_out_of_bounds_is_refused_in_one_line(record, field, wanted, data):
    bounds, (plain, items) = field.metadata["bounds"], kinds(wanted)
    ways = [st.sampled_from([*of_another_type(plain)])]
    if items:
        ways += [way.map(lambda value: [value]) for way in outside(bounds, items)]
        ways.append(st.sampled_from([[value] for value in of_another_type(items)]))
    else:
        ways += outside(bounds, plain)
    value = data.draw(st.one_of(ways))
    with pytest.raises(InputError) as error:
        settings.read(record, line(record, field, value), "here")
    assert str(error.value).startswith(f"here.{field.name}: ")
    assert len(str(error.value).splitlines()) == 1
