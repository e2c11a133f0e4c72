"""Plug-ins: found by file name, read without being imported."""

import pytest

from pipeline import plugins, text
from pipeline.errors import InputError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Give a folder in which ``corpora`` and ``features`` are looked for."""
    monkeypatch.setattr(plugins, "PACKAGE", tmp_path)
    (tmp_path / "features").mkdir()
    return tmp_path


MODULE = """
import not_there_when_params_are_checked


def shape(signals, rate, *, bands: int = 40, top: float | None = 80.0, low: float = -1.5, must):
    pass


def helper(count, *, bands=3):
    pass


def _private(signals, *, bands=3):
    pass
"""


def test_dropping_a_file_in_place_makes_a_plug_in(package):
    assert plugins.names("features") == []
    (package / "features" / "spectral.py").write_text(MODULE)
    (package / "features" / "__init__.py").write_text("")
    (package / "features" / "clip.py").write_text("")
    assert plugins.names("features") == ["spectral"]


def test_settings_are_read_without_importing(package):
    (package / "features" / "spectral.py").write_text(MODULE)
    found = plugins.defaults("features", "spectral", "shape")
    assert found == {"bands": 40, "top": 80.0, "low": -1.5}


def test_what_a_plug_in_does_not_state_is_a_lookup_error(package):
    (package / "features" / "spectral.py").write_text(MODULE)
    with pytest.raises(LookupError, match=r"pipeline/features/spectral\.py has no function tone"):
        plugins.defaults("features", "spectral", "tone")


def test_the_plug_ins_of_the_package_are_found():
    assert {"demo", "ravdess"} <= set(plugins.names("corpora"))
    assert "clip" not in plugins.names("corpora")
    assert plugins.names("features") >= ["cepstral", "spectral"]
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


def test_nearest_offers_the_likeliest_name_or_all_of_them():
    assert text.nearest("epoch", ["batch", "epochs"]) == "did you mean epochs?"
    assert text.nearest("zzz", ("batch", "epochs")) == "known: batch, epochs"
    assert text.nearest(3, []) == "known: none"


def test_the_code_s_hash_changes_with_a_letter_of_any_file(package):
    def hashed():
        return plugins.code_sha256(package.name)

    (package / "models").mkdir()
    (package / "models" / "a.py").write_text("x = 1")
    first = hashed()
    assert hashed() == first
    (package / "models" / "a.py").write_text("x = 2")
    changed = hashed()
    (package / "models" / "a.py").rename(package / "models" / "b.py")
    assert len({first, changed, hashed()}) == 3
