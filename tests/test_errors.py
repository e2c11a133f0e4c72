"""What the system refuses is one line that says what to do."""

import errno
import os

import numpy as np
import pytest

from pipeline import commandline
from pipeline.errors import InputError, refused_by_system
from pipeline.files import tables

SAID = [
    (OSError(errno.ENOSPC, "x", "a.csv"), r"^a\.csv: the disk is full; make room, then run this"),
    (OSError(errno.EDQUOT, "x"), "^the disk is full; make room"),
    (OSError(errno.EROFS, "x", b"a.csv"), r"^a\.csv: on a disk that is read-only; mount it for"),
    (PermissionError(errno.EACCES, "x", "a"), "^a: may not be read or written by you; permit it"),
    (
        OSError(errno.EMFILE, "x", "a"),
        r"^a: too many files are open; allow more \(ulimit -n 4096\)",
    ),
    (FileNotFoundError(errno.ENOENT, "x", "a"), "^a: is not there, or no longer; is its disk mou"),
    (OSError(errno.EIO, "x", "a"), "^a: its disk does not answer; mount it again"),
    (OSError(errno.ESTALE, "x", "a"), "^a: its disk does not answer; mount it again"),
    (OSError(errno.EFBIG, "x", "a"), "^a: larger than the disk or a limit"),
    (NotADirectoryError(errno.ENOTDIR, "x", "a"), "^a: a file where a folder is wanted"),
    (OSError(errno.ENAMETOOLONG, "x", "a"), "^a: its name is too long for the disk"),
    (OSError(errno.ELOOP, "x", "a"), "^a: a link that leads to itself"),
    (OSError(errno.ECONNREFUSED, "refused", "a"), "^a: refused; mend that, then run this again"),
    (OSError("Can't write data (errno = 28, error message = 'x')"), "^the disk is full; make room"),
    (RuntimeError("Unable to close (No space left on device)"), "^the disk is full; make room"),
    (OSError("two\nlines"), "^two lines; mend that"),
    (OSError(), "^OSError; mend that"),
    (MemoryError(), r"^there is not enough memory; lower engine\.memory_mb or batch"),
    (RuntimeError("RESOURCE_EXHAUSTED: Out of memory"), "^there is not enough memory"),
]


@pytest.mark.parametrize(("error", "message"), SAID, ids=[message for _, message in SAID])
def test_what_the_system_refuses_is_one_line(error, message, capsys):
    def stage():
        raise error

    assert (refused_by_system(error) or "").isprintable()
    with pytest.raises(SystemExit) as status:
        commandline.command(stage, [])
    assert status.value.code == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    with pytest.raises(InputError, match=message):
        raise InputError(line.removeprefix("stage: "))


def test_an_array_larger_than_memory_is_one_line():
    with pytest.raises(MemoryError) as error:
        np.zeros(2**50)
    assert "there is not enough memory" in str(refused_by_system(error.value))


@pytest.mark.parametrize("error", [RuntimeError("x"), ValueError("disk"), KeyError(28)])
def test_a_bug_is_none_of_the_system(error):
    assert refused_by_system(error) is None


def test_a_write_names_its_file(tmp_path):
    with pytest.raises(OSError, match="full") as error, tables.replacing(tmp_path / "a.csv"):
        raise OSError(errno.ENOSPC, "full")
    assert error.value.filename == str(tmp_path / "a.csv")
    assert os.listdir(tmp_path) == []


def test_names_cannot_paint_the_terminal(capsys):
    def stage():
        raise InputError("raw_data/\x1b[31m\x07\ud800.wav: of no use")

    with pytest.raises(SystemExit):
        commandline.command(stage, [])
    assert capsys.readouterr().err == "stage: raw_data/\\x1b[31m\\x07\\ud800.wav: of no use\n"
