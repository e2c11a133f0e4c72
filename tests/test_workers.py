"""Names of places to work at, as engine.workers states them."""

import pytest

from pipeline import workers


@pytest.mark.parametrize("where", ["threads", "processes", "tcp://host:8786", "tcp://[::1]:1"])
def test_a_place_that_there_is(where):
    assert workers.known(where)
    assert workers.remote(where) == where.startswith("tcp")


@pytest.mark.parametrize(
    "where", ["", "thread", "tcp://host", "tcp://:8786", "http://host:8786", "tcp://host:8786/x"]
)
def test_what_is_none(where):
    assert not workers.known(where) and not workers.remote(where)
