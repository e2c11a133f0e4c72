"""The library that computes, chosen before Keras is imported."""

import os


def choose(name: str) -> None:
    """Let Keras compute with ``name`` unless the environment names another (``KERAS_BACKEND``)."""
    os.environ.setdefault("KERAS_BACKEND", name)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
