"""The table of kinds: settings are the keywords of the functions, and each gives parts of folds."""

import numpy as np
import pytest

from pipeline.protocols.kinds import KINDS, Kind
from pipeline.protocols.vocabulary import PARTS
from tests.protocols.made_up import every_kind, everything


def thirds(clips, *, folds: int, seed: int | None = None, share: float = 0.5):
    """Stand for the function of a kind."""


def test_keywords_without_a_default_are_needed_and_the_others_may_be_had():
    kind = Kind(thirds)
    assert (kind.needs, kind.takes) == (("folds",), ("seed", "share"))
    assert (kind.makes, kind.lacks, kind.check) == ("", False, None)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_says_how_many_folds_it_makes_unless_it_is_told(name):
    kind = KINDS[name]
    assert ("folds" in kind.needs) == (kind.makes == "")


@pytest.mark.parametrize("protocol", [*every_kind()], ids=lambda protocol: protocol.kind)
def test_a_kind_gives_a_part_of_every_clip_in_every_fold(protocol):
    kind, clips = KINDS[protocol.kind], everything()
    given = {key: getattr(protocol, key) for key in (*kind.needs, *kind.takes)}
    if kind.check is not None:
        kind.check(**given)
    clips = clips[clips.emotion != ""].assign(label=lambda frame: frame.emotion)
    found = kind.parts(clips, **given)
    assert found.shape == (len(found), len(clips))
    assert set(np.unique(found)) <= {"train", "validation", "test", "unused"} <= {*PARTS, "unused"}
    assert all({"train", "test"} <= set(fold) for fold in found)
    if "folds" in given and protocol.kind != "speakers_and_sentences":
        assert len(found) == protocol.folds
