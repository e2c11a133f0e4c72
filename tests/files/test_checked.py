"""Files that state by a checksum that they are as they were written."""

import json
import re

import pandas as pd
import pytest

from pipeline.errors import DamagedError, InputError
from pipeline.files import checked, tables
from pipeline.files.index import Index

DATA = {"b": [1, 2.5, None], "a": {"c": "\u00e4"}}


@pytest.fixture
def written(tmp_path):
    """Write a table and the JSON file that states its content."""
    (tmp_path / "t.csv").write_text("clip\na\n")
    checked.write(DATA, tmp_path / "t.json", [tmp_path / "t.csv"])
    return tmp_path / "t.json"


def test_what_was_written_is_read(written):
    assert checked.read(written) == DATA
    checked.expect(written, written.with_name("t.csv"))
    assert set(json.loads(written.read_text())) == {*DATA, "contents", "checksum"}


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("2.5", "3.5"),
        lambda text: text.replace('"checksum"', '"checksun"'),
        lambda text: text.replace('"contents"', '"contenta"'),
        lambda text: re.sub('"checksum": ".', '"checksum": "x', text),
        lambda text: re.sub('"t.csv": ".', '"t.csv": "x', text),
        lambda text: text[:-9],
        lambda text: "",
        lambda text: "[]",
        lambda text: "[" * 100_000,
        lambda text: text.replace("2.5", "9" * 5000),
        lambda text: text.replace("c", "\0"),
    ],
    ids=[
        *("value", "no-checksum", "no-contents", "checksum", "of-table", "cut", "empty", "a-list"),
        *("deep", "a-long-number", "control-characters"),
    ],
)
def test_a_changed_file_is_refused_in_one_line(written, edit):
    text = written.read_text()
    assert edit(text) != text
    written.write_text(edit(text))
    message = r"t\.json: .*; remove \S+t\.json and run dvc checkout, and if that brings the same,"
    for read in (checked.read, lambda path: checked.expect(path, path.with_name("t.csv"))):
        with pytest.raises(DamagedError, match=message) as error:
            read(written)
        assert "\n" not in str(error.value)


def test_a_changed_file_next_to_it_is_refused(written):
    table = written.with_name("t.csv")
    table.write_text("clip\nb\n")
    message = r"t\.csv: not as it was written, by its SHA-256 in t\.json; remove \S+t\.csv and run"
    with pytest.raises(DamagedError, match=message):
        checked.expect(written, table)
    table.unlink()
    with pytest.raises(DamagedError, match=r"t\.csv: is missing; remove"):
        checked.expect(written, table)


def test_a_file_of_before_is_read_with_a_line(tmp_path, caplog):
    tables.write_json(DATA, tmp_path / "t.json")
    assert checked.read(tmp_path / "t.json") == DATA
    checked.expect(tmp_path / "t.json", tmp_path / "t.csv")
    assert caplog.messages == [
        f"{tmp_path / 't.json'}: made before it had a checksum, and not verified"
    ]


def test_a_file_that_is_not_there_is_no_damage(tmp_path):
    with pytest.raises(InputError, match=r"t\.json: no such file$"):
        checked.read(tmp_path / "t.json")


def test_an_index_is_what_its_quality_states(tmp_path):
    path = tmp_path / "index.csv"
    tables.write(pd.DataFrame({"clip": ["a"], "emotion": ["sad"], "status": ["ok"]}), path)
    checked.write({}, tmp_path / "quality.json", [path])
    assert Index.read(path).names == ["a"]
    path.write_text(path.read_text().replace("sad", "bad"))
    with pytest.raises(DamagedError, match=r"index\.csv: not as it was written"):
        Index.read(path)
    with pytest.raises(InputError, match="gone: no such file"):
        Index.read(tmp_path / "gone")
