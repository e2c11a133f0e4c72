"""What libraries write past Python, kept from the user.

TensorFlow, its converter and TFLite have no setting for some of their messages. ``ser -v`` shows
them all.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def wanted(record: logging.LogRecord) -> bool:
    """Whether a message of TensorFlow's is shown: not its advice on a program for each network."""
    return asked() or "retracing" not in record.getMessage()


def asked() -> bool:
    """Whether the user asked for what libraries write."""
    return logging.getLogger("pipeline").isEnabledFor(logging.DEBUG)


@contextmanager
def libraries() -> Iterator[None]:
    """Keep back what libraries write to stderr past Python, unless the block fails."""
    if asked():
        yield
        return
    import tempfile  # slow, and reading params.yaml has no need of it

    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with tempfile.TemporaryFile() as said:
            os.dup2(said.fileno(), 2)
            try:
                yield
            except BaseException:
                said.seek(0)
                os.write(stderr, said.read())
                raise
            finally:
                os.dup2(stderr, 2)
    finally:
        os.close(stderr)
