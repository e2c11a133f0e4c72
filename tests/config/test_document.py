"""params.yaml of others: what would take all memory, or cannot be shown, is one line."""

import os
import time

import pytest

from pipeline.config import document
from pipeline.errors import InputError

BOMB = "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
MERGED = "a0: &a0 {k: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
)


@pytest.fixture
def read(tmp_path):
    """Give ``read(text)``: read it as ``params.yaml``."""

    def load(text):
        path = tmp_path / "params.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return document.read(path)

    return load


def test_plain_data_is_read(read):
    text = "a: &x {b: [1, -2.5, true, null, 'c\\nd']}\ne: *x\nf: {<<: *x, g: .nan}\n"
    held = read(text)
    assert held["e"] == held["a"] == {"b": [1, -2.5, True, None, "c\\nd"]}
    assert list(held["f"]) == ["b", "g"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "more than 500000 values, its aliases unfolded$"),
        (MERGED, "more than 500000 values, its aliases unfolded$"),
        ("a: &a [*a]\n", r"\*a stands within what it names$"),
        ("a: &a {b: {c: *a}}\n", r"\*a stands within what it names$"),
        ("a: &a {<<: *a}\n", r"\*a stands within what it names$"),
        ("[" * 500_000, "line 1: nested too deep, wanted at most 30 levels$"),
        ("".join(f"{' ' * n}a:\n" for n in range(100)), "line 31: nested too deep"),
        ("a: " + "x" * (4 * 2**20), "4.0 MB large, wanted at most 4 MB$"),
        ("a: {b: [1, " + "9" * 4000 + "]}", "a.b: a number of 13288 bits; no setting is so large$"),
        ("a: " + "9" * 5000, "not YAML: Exceeds the limit"),
        ("a: 0x" + "f" * 5000, "a: a number of 20000 bits; no setting is so large$"),
        (f"{2**63}: 1", "a number of 64 bits"),
        ("a: " + "x" * 10_001, "a: 10001 characters; no setting is so long$"),
        ('a: "\\u001b[31mred"', r"a: '.*x1b\[31mred' holds a control character; no setting does$"),
        ('"a\\u0000": 1', "holds a control character; no setting does$"),
        ('a: "\\ud800"', "not YAML: line 1: found invalid Unicode character escape code$"),
        ('a: "\\u202e"', "holds a control character"),
        (b"a: \x1b", "not YAML: "),
        (b"\xff\xfe", "not YAML: 'utf-8' codec"),
        ("a: *b", "not YAML: line 1: found undefined alias"),
        ("a: 1\n---\nb: 2", "not YAML: line 2: but found another document"),
        ("? [a]\n: 1\n? {b: 1}\n: 2", "not YAML: "),
        ("a: !!python/object/apply:os.system [true]", "not YAML: line 1: could not determine"),
        ("a: !!timestamp x", "not YAML: "),
        ("a: !!int x", "not YAML: "),
        ("a: !!float x", "not YAML: "),
        ("a: !!omap x", "not YAML: "),
    ],
)
def test_what_no_settings_are_is_one_line_at_once(read, text, message):
    begun = time.monotonic()
    with pytest.raises(InputError, match=r"params\.yaml: ") as error:
        read(text)
    assert time.monotonic() - begun < 5
    words = str(error.value)
    assert len(words) < 400 and words.isprintable()
    assert error.match(message)


def test_what_would_never_end_is_not_read(tmp_path):
    path = tmp_path / "params.yaml"
    os.mkfifo(path)
    with pytest.raises(InputError, match=r"params\.yaml: not a file; run this where dvc\.yaml is$"):
        document.read(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"params\.yaml: not a file"):
        document.read(path)
    with pytest.raises(InputError, match="not a file"):
        document.read(tmp_path)
