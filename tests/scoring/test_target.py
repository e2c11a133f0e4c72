"""What every target does alike: figures shown, and stated in JSON."""

import pytest

from pipeline.scoring.targets import KINDS, Attributes, Emotions

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_rounded_zero_has_no_sign(kind):
    zero = f"{0:.{kind.DIGITS}f}"
    assert kind.show(-1e-9) == zero
    assert kind.change(-1e-9) == f"+{zero}"
    assert kind.show(-0.5).startswith(MINUS)


def test_emotions_are_shown_in_percent_and_attributes_as_they_are():
    assert (Emotions.show(0.4567), Attributes.show(0.4567)) == ("45.7", "0.457")
    assert (Emotions.change(2.34), Attributes.change(-0.25)) == ("+2.3", f"{MINUS}0.250")


@pytest.mark.parametrize("target", [Emotions(("angry", "sad")), Attributes(("valence",))])
def test_json_states_one_of_the_two(target):
    held = target.to_json()
    assert set(held) == {"labels", "attributes"}
    assert sorted(map(len, held.values())) == [0, len(target.outputs)]


@pytest.mark.parametrize("kind", KINDS)
def test_measures_have_marks_and_keys_of_their_own(kind):
    for name in ("key", "name", "mark"):
        values = [getattr(measure, name) for measure in kind.MEASURES]
        assert len(set(values)) == len(values)
