"""Features that are there to be checked."""

import shutil

import pytest

from tests.commands import checking


@pytest.fixture(scope="session")
def made(once):
    """Give a folder with a made-up corpus and its features; not to be changed."""
    return once("checked/made", checking.write)


@pytest.fixture
def here(made, monkeypatch):
    """Stand where the features are."""
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def copy(made, tmp_path, monkeypatch):
    """Stand in a copy, which may be changed."""
    folder = shutil.copytree(made, tmp_path / "copy")
    monkeypatch.chdir(folder)
    return folder
