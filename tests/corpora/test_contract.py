"""What the file of a corpus must state, and what is said where it does not."""

import shutil
import sys

import pytest

from pipeline import corpora, plugins
from pipeline.config import params
from pipeline.corpora.clip import Source
from pipeline.errors import InputError

HEAD = """
from pipeline.corpora.clip import Clip, Source

NAME = "my corpus"
"""
CLIPS = """
def clips(folder):
    return [Clip(clip="a", path=folder / "a.wav")]
"""
GUIDE = "see raw_data/README.md"


@pytest.fixture
def drop(tmp_path, monkeypatch):
    """Give ``drop(source)``: put a parser ``mine`` in place."""
    package = tmp_path / "pipeline"
    shutil.copytree(plugins.PACKAGE / "corpora", package / "corpora")
    monkeypatch.setattr(plugins, "PACKAGE", package)
    monkeypatch.setattr(corpora, "__path__", [str(package / "corpora")])
    yield (package / "corpora" / "mine.py").write_text
    sys.modules.pop("pipeline.corpora.mine", None)


def test_a_file_in_place_makes_a_parser(drop, tmp_path):
    drop(HEAD + CLIPS)
    assert "mine" in corpora.names()
    found = corpora.parser("mine")
    assert (found.name, found.source, found.settings) == ("my corpus", None, {})
    assert found.expected() is None
    assert [clip.path for clip in found.clips(tmp_path)] == [tmp_path / "a.wav"]


def test_what_it_states_is_kept(drop):
    drop(
        HEAD
        + 'SOURCE = Source("A (2026)", "CC0", "nowhere")\n'
        + CLIPS.replace("(folder)", "(folder, *, song: bool = False)")
        + "def expected(*, song=False):\n    return song\n"
    )
    found = corpora.parser("mine")
    assert found.source == Source("A (2026)", "CC0", "nowhere")
    assert found.settings == {"song": (bool, False)}
    assert found.expected(song=True) is True


def test_its_settings_are_keys_of_its_line(drop, tmp_path):
    drop(HEAD + CLIPS.replace("(folder)", "(folder, *, song: bool = False)"))
    tables = "waveforms features protocols sounds data folds runs".split()
    lines = "".join(f"{table}: {{}}\n" for table in tables)
    engine = "engine: {backend: jax, folds: auto, memory_mb: 1, workers: threads}\n"
    (tmp_path / "params.yaml").write_text(
        f"corpora:\n  own: {{parser: mine, song: true}}\n{lines}{engine}"
    )
    assert params.load(tmp_path / "params.yaml").corpora["own"].settings == {"song": True}
    drop(HEAD)
    sys.modules.pop("pipeline.corpora.mine")
    with pytest.raises(InputError, match=r"corpora\.own\.parser: pipeline/corpora/mine"):
        params.load(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (CLIPS, "wanted NAME, a text"),
        (HEAD.replace('"my corpus"', "1") + CLIPS, "wanted NAME, a text"),
        (HEAD, "wanted a function clips(folder)"),
        (HEAD + 'SOURCE = "A (2026)"' + CLIPS, "wanted SOURCE, a Source, or none"),
        (
            HEAD + CLIPS.replace("(folder)", "(folder, song=False)"),
            "clips: takes (folder, song=False); wanted (folder), and settings by keyword: "
            "(folder, *, song: bool = False)",
        ),
        (HEAD + CLIPS.replace("(folder)", "()"), "clips: takes (); wanted (folder), and settings"),
        (
            HEAD + CLIPS.replace("(folder)", "(folder, *, song=False)"),
            "clips: song: wanted a type and a default",
        ),
        (
            HEAD + CLIPS.replace("(folder)", "(folder, *, song: bool)"),
            "clips: song: wanted a type and a default",
        ),
        (
            HEAD + CLIPS.replace("(folder)", "(folder: 'Folder')"),
            "clips: its parameters cannot be read (name 'Folder' is not defined)",
        ),
        (
            HEAD
            + CLIPS.replace("(folder)", "(folder, *, song: bool = False)")
            + "def expected():\n    return None\n",
            "expected: wanted the keywords of clips, but got an unexpected keyword argument 'song'",
        ),
    ],
)
def test_what_is_wrong_with_a_parser_is_one_line(drop, source, message):
    drop(source)
    with pytest.raises(InputError) as error:
        corpora.parser("mine")
    said = str(error.value)
    assert said.startswith(f"pipeline/corpora/mine.py: {message}")
    assert said.endswith(GUIDE) and len(said.splitlines()) == 1


def test_sources_are_those_of_what_is_joined_each_once():
    of = {"a": "emodb", "b": "table", "c": "ravdess", "d": "emodb"}
    found = corpora.sources("joined", {"of": of})
    assert [source["name"] for source in found] == ["EMO-DB", "RAVDESS"]
    assert found == [*corpora.sources("emodb", {}), *corpora.sources("ravdess", {"song": False})]
    assert found[0]["citation"].startswith("Burkhardt") and "CC BY" in found[0]["licence"]
    assert corpora.sources("table", {}) == []
