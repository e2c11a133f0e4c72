"""params.yaml as a test writes it."""

from pathlib import Path

import pytest

from pipeline.config import params


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Give ``read(text)``: load it as ``params.yaml``."""
    monkeypatch.chdir(tmp_path)

    def load(text):
        Path("params.yaml").write_text(text, encoding="utf-8")
        return params.load(Path("params.yaml"))

    return load
