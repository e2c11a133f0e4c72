"""Plug-ins: found by file name, imported when they are used."""

import pytest

from pipeline import plugins
from pipeline.errors import InputError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Give a folder in which ``corpora`` and ``features`` are looked for."""
    monkeypatch.setattr(plugins, "PACKAGE", tmp_path)
    (tmp_path / "features").mkdir()
    return tmp_path


def test_dropping_a_file_in_place_makes_a_plug_in(package):
    assert plugins.names("features") == []
    (package / "features" / "spectral.py").write_text("import not_there\n")
    (package / "features" / "__init__.py").write_text("")
    (package / "features" / "clip.py").write_text("")
    assert plugins.names("features") == ["spectral"]


def test_the_plug_ins_of_the_package_are_found():
    assert {"demo", "ravdess"} <= set(plugins.names("corpora"))
    assert "clip" not in plugins.names("corpora")
    assert {"cepstral", "spectral"} <= set(plugins.names("features"))
    assert "transform" not in plugins.names("features")
    assert plugins.load("corpora", "demo").NAME == "the demo corpus"


def test_a_plug_in_that_is_not_there_is_one_line():
    message = r"^pipeline/corpora/ravdes\.py: no such file; did you mean ravdess\?$"
    with pytest.raises(InputError, match=message):
        plugins.load("corpora", "ravdes")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def mine(:\n", "line 1: SyntaxError: invalid syntax"),
        ("\nimport not_there\n", "line 2: ModuleNotFoundError: No module named 'not_there'"),
        ("x = 1\ny = 1 / 0\n", "line 2: ZeroDivisionError: division by zero"),
        ("raise ValueError('two\\nlines')", "line 1: ValueError: two lines"),
    ],
)
def test_a_plug_in_that_does_not_import_is_one_line(dropped, source, message):
    name = dropped(source)
    with pytest.raises(InputError) as error:
        plugins.load("features", name)
    assert str(error.value).startswith(f"pipeline/features/{name}.py: does not import, {message}")
    assert len(str(error.value).splitlines()) == 1
