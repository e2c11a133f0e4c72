"""CSV and JSON: whole or not at all, the same bytes for the same content."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.files import tables


def test_a_table_is_utf_8_with_line_feeds_and_no_index(tmp_path):
    frame = pd.DataFrame({"clip": ["ä,1", 'b"2'], "p": [0.5, np.nan]})
    tables.write(frame, tmp_path / "deep" / "er" / "t.csv")
    wanted = 'clip,p\n"ä,1",0.5\n"b""2",\n'
    assert (tmp_path / "deep" / "er" / "t.csv").read_bytes() == wanted.encode()


def test_a_table_is_read_as_text_with_empty_fields(tmp_path):
    (tmp_path / "t.csv").write_text("clip,speaker,note\n01,NA,\n1e3,null,x\n")
    frame = tables.read(tmp_path / "t.csv")
    assert frame.to_dict("list") == {
        "clip": ["01", "1e3"],
        "speaker": ["NA", "null"],
        "note": ["", "x"],
    }


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floats_come_back_equal(tmp_path, kind):
    values = np.random.default_rng(0).normal(size=500).astype(kind) ** 9
    values = np.concatenate([values, np.array([0.1, 1 / 3, 1e-8, 1e20, 0], kind)])
    tables.write(pd.DataFrame({"x": values}), tmp_path / "t.csv")
    back = tables.read(tmp_path / "t.csv").x.astype(float).to_numpy().astype(kind)
    np.testing.assert_array_equal(back, values)


def test_what_is_written_again_after_reading_is_the_same(tmp_path):
    frame = pd.DataFrame({"x": [0.1, 2e-17], "n": [1, 2], "s": ["", "a b"]})
    tables.write(frame, tmp_path / "a.csv")
    tables.write(tables.read(tmp_path / "a.csv"), tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_json_is_sorted_indented_and_ends_with_a_line_feed(tmp_path):
    tables.write_json({"b": [1], "a": {"ö": None}}, tmp_path / "t.json")
    wanted = '{\n  "a": {\n    "ö": null\n  },\n  "b": [\n    1\n  ]\n}\n'
    assert (tmp_path / "t.json").read_bytes() == wanted.encode()
    assert tables.read_json(tmp_path / "t.json") == {"b": [1], "a": {"ö": None}}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_holds_no_nan_and_the_old_file_stays(tmp_path, value):
    tables.write_json({"uar": 0.5}, tmp_path / "t.json")
    with pytest.raises(ValueError, match="not JSON compliant"):
        tables.write_json({"uar": value}, tmp_path / "t.json")
    assert tables.read_json(tmp_path / "t.json") == {"uar": 0.5}


def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), tables.replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_until_the_end_the_old_file_is_there(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("old")
    with tables.replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.name == ".t.csv.part"  # which .dvcignore knows
    assert path.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"t\.csv: no such file"),
        (b"", r"t\.csv: not a CSV table \(No columns to parse from file\)"),
        (
            b"a,b\n1,2\n1,2,3\n",
            r"t\.csv: not a CSV table \(.*Expected 2 fields in line 3, saw 3\)$",
        ),
        (b"a,b\n\xff\xfe,2\n", r"t\.csv: not a CSV table \('utf-8' codec can't decode"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, content, message):
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        tables.read(tmp_path / "t.csv")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"t\.json: no such file"),
        (b"", r"t\.json: not JSON \(Expecting value: line 1 column 1"),
        (b'{"a": 1', r"t\.json: not JSON \(Expecting ',' delimiter"),
        (b"\xff\xfe", r"t\.json: not JSON \('utf-8' codec can't decode"),
    ],
)
def test_what_is_no_json_is_refused_in_one_line(tmp_path, content, message):
    if content is not None:
        (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        tables.read_json(tmp_path / "t.json")
    assert len(str(error.value).splitlines()) == 1


# ---- tables that people made -----------------------------------------------------------------


def labels(folder, text):
    """Write a table, bytes or text, and read it."""
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "t.csv").write_bytes(data)
    return tables.read_labels(folder / "t.csv")


@pytest.mark.parametrize(
    "text",
    [
        'path,label\n"a, b.wav", sad \n\n01.wav,"so ""sad"""\n',
        '\ufeffpath, label ,,\r\n"a, b.wav",sad,,\r\n,,,\r\n01.wav,"so ""sad""",,',
        'path,label\r"a, b.wav",sad\r\r01.wav,so "sad"',
    ],
    ids=["by hand", "by a spreadsheet", "on an old Mac"],
)
def test_a_table_of_labels_is_read_by_lines_without_outer_blanks(tmp_path, text):
    frame = labels(tmp_path, text)
    assert frame.to_dict("list") == {"path": ["a, b.wav", "01.wav"], "label": ["sad", 'so "sad"']}
    assert list(frame.index) == [2, 4]


def test_what_a_row_lacks_at_its_end_is_empty(tmp_path):
    assert labels(tmp_path, "path,label,sex\na.wav,sad\n").sex.tolist() == [""]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('path,label\na.wav,"sad\nb.wav,so "sad"\n', r'line 2: a quote \("\) that is not closed'),
        ('path,label\na.wav,"\nb.wav,"\n', r'line 2: a quote \("\) that is not closed in its li'),
        ('path,label\na.wav,"so" sad\n', "line 2: a quote that does not enclose its field"),
        ("path,label\na.wav,sad, very\n", "line 2 has 3 fields, there are 2 columns: a comma wi"),
        ("path\tlabel\na.wav\tsad\n", r"its columns are divided by '\\t'; save it with commas"),
        ("path,label,label\n", "two columns are called 'label'"),
        ("\n\n", "holds no rows; wanted a line of columns and a line for each clip"),
        ("path,label\na.wav,trübe\n".encode("latin-1"), "line 2 is not UTF-8; save the file as"),
        ("version https://git-lfs.github.com/spec/v1\n", "a git-LFS pointer, not the file; run g"),
    ],
)
def test_a_table_of_labels_that_would_be_misread_is_refused(tmp_path, text, reason):
    with pytest.raises(InputError, match=rf"t\.csv: {reason}") as error:
        labels(tmp_path, text)
    assert len(str(error.value).splitlines()) == 1


def test_a_carriage_return_in_a_field_comes_back(tmp_path):
    frame = pd.DataFrame({"clip": ["a\rb", "c"], "n": [1, 2]})
    tables.write(frame, tmp_path / "t.csv")
    assert tables.read(tmp_path / "t.csv")["clip"].tolist() == ["a\rb", "c"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n", "\n\r"])
@pytest.mark.parametrize("first", ["", "\ufeff", "sep=,\n"])
def test_a_table_of_labels_may_end_its_lines_as_any_system_does(tmp_path, end, first):
    path = tmp_path / "labels.csv"
    path.write_bytes((first + end.join(["a,b", "1,2", ' "3,x", "4"'])).encode())
    frame = tables.read_labels(path)
    assert frame.to_dict("list") == {"a": ["1", "3,x"], "b": ["2", "4"]}


@pytest.mark.parametrize("sign", ["\0", "\x07", "\x1a", "\x85", "\u2028"])
def test_a_control_character_in_a_table_of_labels_is_refused(tmp_path, sign):
    path = tmp_path / "labels.csv"
    path.write_text(f"a,b\n1,x{sign}y\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"labels\.csv: line 2 holds .*, which no text does"):
        tables.read_labels(path)
    path.write_text("a,b\n1,2\n", encoding="utf-16-le")
    with pytest.raises(InputError, match=r"line 1 holds '\\x00', which no text does; save the f"):
        tables.read_labels(path)


@pytest.mark.parametrize("sign", [";", "\t", "|", ":", " ", "\uff0c"])
@pytest.mark.parametrize("form", ["{}", '"{}"'])
def test_columns_that_are_not_divided_by_commas_are_named(tmp_path, sign, form):
    path = tmp_path / "labels.csv"
    lines = [sign.join(form.format(word) for word in words) for words in (["a", "b"], ["1,5", "2"])]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match=r"its columns are divided by .*; save it with commas"):
        tables.read_labels(path)


def test_a_pipe_in_place_of_a_table_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "labels.csv")
    with pytest.raises(InputError, match=r"labels\.csv: a pipe, not a file; remove it"):
        tables.read_labels(tmp_path / "labels.csv")


@pytest.mark.parametrize(
    "sign", ["\x1b[31m", "\x07", "\x7f", "\x85", "\u202e", "\ud800", "\b", "\0"]
)
@pytest.mark.parametrize("escaped", [True, False])
def test_json_that_would_paint_the_terminal_is_refused(tmp_path, sign, escaped):
    text = json.dumps({"labels": [f"an{sign}gry"]}, ensure_ascii=escaped)
    (tmp_path / "a.json").write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(InputError, match=r"a\.json: (holds a control character|not JSON)") as error:
        tables.read_json(tmp_path / "a.json")
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "words", ["a\\x1b", "\\u001b", "C:\\u202e", "\N{GRINNING FACE}", "a\tb\nc"]
)
@pytest.mark.parametrize("escaped", [True, False])
def test_json_of_plain_words_is_read(tmp_path, words, escaped):
    (tmp_path / "a.json").write_text(json.dumps({"a": words}, ensure_ascii=escaped))
    assert tables.read_json(tmp_path / "a.json") == {"a": words}


def test_a_table_for_people_holds_no_formula(tmp_path):
    frame = pd.DataFrame({"path": ["=1+2.wav", "-"], "arousal": [-1.5, 0.1], "=x": ["sad", None]})
    frame["arousal"] = frame["arousal"].astype("float32")
    tables.write_for_people(frame, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "path,arousal,'=x\n'=1+2.wav,-1.5,sad\n-,0.1,\n"
    assert list(frame.columns) == ["path", "arousal", "=x"]
