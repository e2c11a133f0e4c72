"""The code that a stage runs: found from the imports, and blind to words about it."""

import shutil

import pytest

from pipeline.config import code


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Give a copy of the package that may be edited, which `code` reads."""
    copy = tmp_path / "pipeline"
    shutil.copytree(code.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "PACKAGE", copy)
    monkeypatch.setattr(code, "ROOT", tmp_path)
    return copy


def edit(path, found, replacement):
    """Replace a text that is there."""
    text = path.read_text()
    assert found in text
    path.write_text(text.replace(found, replacement, 1))


def test_what_is_imported_anywhere_is_run():
    files = code.files("stages.extract", "features.cepstral")
    assert {"pipeline/stages/extract.py", "pipeline/features/transform.py"} <= files.keys()
    assert "pipeline/features/spectral.py" not in files
    assert not [path for path in files if path.startswith(("pipeline/config", "pipeline/models"))]


def test_a_package_stands_for_all_its_files():
    files = code.files("models.tim_net")
    assert {"pipeline/models/tim_net/network.py", "pipeline/models/layers.py"} <= files.keys()
    assert "pipeline/models/gm_tcnet/network.py" not in files


def test_files_of_other_kinds_are_run_where_a_module_names_them():
    assert "pipeline/reporting/templates/page.html.jinja" in code.files("stages.report")
    assert "pipeline/protocols/lists/ravdess.json" in code.files("stages.split")
    assert not [path for path in code.files("stages.index") if not path.endswith(".py")]


@pytest.mark.parametrize(
    ("found", "replacement", "changes"),
    [
        ('"""Stage extract:', '"""The stage extract:', False),
        ("    source = stores.read(", "    # why\n\n    source = stores.read(", False),
        ("source = stores.read(waveforms)\n", "source = stores.read(waveforms)  # why\n", False),
        ("np.zeros(", "np.ones(", True),
    ],
)  # fmt: skip
def test_comments_docstrings_and_blank_lines_are_no_code(package, found, replacement, changes):
    before = code.sha256("stages.extract")
    edit(package / "stages" / "extract.py", found, replacement)
    assert (code.sha256("stages.extract") != before) is changes


def test_a_part_that_is_not_imported_changes_nothing(package):
    before = code.sha256("stages.train", "models.tim_net")
    edit(package / "models" / "gm_tcnet" / "network.py", "import keras", "import keras\nX = 1")
    edit(package / "features" / "cepstral.py", "\nfrom data", "\nimport time\nfrom data")
    (package / "models" / "mine.py").write_text("X = 1\n")
    assert code.sha256("stages.train", "models.tim_net") == before
    edit(package / "models" / "tim_net" / "network.py", "import keras", "import keras\nX = 1")
    assert code.sha256("stages.train", "models.tim_net") != before


def test_a_template_is_compared_byte_by_byte(package):
    before = code.sha256("stages.report")
    template = package / "reporting" / "templates" / "page.html.jinja"
    template.write_text(template.read_text() + "\n")
    assert code.sha256("stages.report") != before
