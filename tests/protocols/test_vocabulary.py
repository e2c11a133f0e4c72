"""The words for parts and leaks: complete, and each once."""

import dataclasses

import pytest

from pipeline.features import embedding
from pipeline.files.index import COLUMNS
from pipeline.protocols import vocabulary
from pipeline.protocols.kinds import KINDS
from pipeline.protocols.protocol import COMMON, Protocol


@pytest.mark.parametrize("kind", vocabulary.LEAKS)
def test_a_leak_has_words_and_a_column_of_the_index(kind):
    found = vocabulary.leak(kind)
    assert found.column in COLUMNS
    assert found.heading and found.touched


def test_what_a_protocol_may_declare_are_leaks():
    own = [kind for kind in vocabulary.DECLARABLE if not kind.startswith(vocabulary.POOL)]
    assert set(own) == {*vocabulary.LEAKS, *vocabulary.STATED}
    assert {"pretraining", *vocabulary.BROUGHT} == {*vocabulary.STATED}
    assert embedding.LEAKS == vocabulary.BROUGHT
    assert set(vocabulary.PURPOSES.values()) < set(vocabulary.STATED)
    assert len(set(vocabulary.DECLARABLE)) == len(vocabulary.DECLARABLE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_takes_settings_that_a_protocol_has(kind):
    known = {field.name for field in dataclasses.fields(Protocol)} - {*COMMON} | {"validation"}
    assert {*KINDS[kind].needs, *KINDS[kind].takes} <= known
    assert not {*KINDS[kind].needs} & {*KINDS[kind].takes}
