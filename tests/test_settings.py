"""Records of settings: made of mappings, within their bounds, flat on disk."""

from dataclasses import dataclass

import pytest

from pipeline.errors import InputError
from pipeline.settings import flat, read, setting


@dataclass(frozen=True)
class Inner:
    """A record that another one is made of."""

    hop: int = setting(4, "Distance of two frames.", unit="samples", low=1)
    scale: str = setting("slaney", "Scale.", choices=("slaney", "htk"))


@dataclass(frozen=True)
class Outer:
    """A record of every kind of setting."""

    number: int = setting(doc="A number that must be given.", low=1, high=9)
    inner: Inner = Inner(hop=8)
    rate: float = setting(0.5, "A fraction.", low=0, below=1)
    top: float | None = setting(None, "A range, or none.", above=0)
    sizes: tuple[int, ...] = setting((1, 2), "Sizes.", low=1)
    where: dict[str, int] = setting({}, "A mapping.")
    deep: bool = setting(False, "Yes or no.")

    def check(self) -> None:
        """Refuse what only goes wrong together."""
        if self.deep and self.top is None:
            raise InputError("deep: needs top; give it as well")


def test_what_is_not_said_has_its_default():
    made = read(Outer, {"number": 3}, "here")
    assert made == Outer(3)
    assert made.inner == Inner(8, "slaney")


def test_keys_of_inner_records_stand_among_the_others():
    made = read(Outer, {"number": 3, "hop": 2}, "here")
    assert made.inner == Inner(2, "slaney")
    assert flat(made)["hop"] == 2
    assert read(Outer, flat(made), "here") == made


def test_a_base_holds_where_a_line_says_nothing():
    base = read(Outer, {"number": 3, "hop": 2, "sizes": [7]}, "here")
    made = read(Outer, {"rate": 0}, "here", base)
    assert (made.number, made.inner.hop, made.sizes, made.rate) == (3, 2, (7,), 0.0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({}, "here.number: missing"),
        ({"number": 0}, "here.number: must be at least 1 and at most 9, got 0"),
        ({"number": 10}, "here.number: must be at least 1 and at most 9, got 10"),
        ({"number": True}, "here.number: wanted a whole number, got true"),
        ({"number": 1.0}, "here.number: wanted a whole number, got 1.0"),
        ({"number": 1, "rate": 1}, "here.rate: must be at least 0 and below 1, got 1.0"),
        ({"number": 1, "rate": float("nan")}, "here.rate: wanted a number, got nan"),
        ({"number": 1, "top": 0}, "here.top: must be above 0, got 0.0"),
        ({"number": 1, "sizes": [1, 0]}, "here.sizes: must be at least 1, got 0"),
        ({"number": 1, "sizes": 3}, "here.sizes: wanted a list, got 3"),
        ({"number": 1, "hop": 0}, "here.hop: must be at least 1 samples, got 0"),
        ({"number": 1, "scale": "htp"}, "here.scale: no 'htp'; did you mean htk?"),
        ({"number": 1, "hopp": 1}, "here.hopp: no such key; did you mean hop?"),
        ({"number": 1, "inner": {}}, "here.inner: no such key; known: number, hop, scale, rate,"),
        ({"number": 1, "deep": True}, "here.deep: needs top; give it as well"),
        ([], r"here: wanted a mapping, got \[\]"),
    ],
)
def test_what_is_wrong_is_one_line(line, message):
    with pytest.raises(InputError, match=f"^{message}"):
        read(Outer, line, "here")
