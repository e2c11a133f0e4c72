"""The kind of a file by its first bytes: what is not read is named, what is no sound refused."""

import io

import pytest

from pipeline.errors import InputError
from pipeline.files import audio
from pipeline.files.containers import count
from tests.files.containers.made_up import load


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.m4a", bytes(4) + b"ftypM4A "),
        ("a.mp3", bytes(4) + b"ftypM4A "),
        ("a.webm", b"\x1a\x45\xdf\xa3"),
        ("a.wma", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
        ("a.amr", b"#!AMR\n"),
        ("a.aac", b"\xff\xf1\x50\x80"),
        ("a.wv", b"wvpk"),
        ("a.raw", b"\1\2\3\4"),
    ],
)
def test_sound_that_is_not_read_is_seen_and_named(tmp_path, name, data):
    with pytest.raises(InputError, match="which libsndfile does not read; convert it to WAV or FL"):
        load(tmp_path, data + bytes(range(1, 200)) * 9, name)
    assert audio.below(tmp_path) == [tmp_path / name]


@pytest.mark.parametrize("name", ["a.au", "a.snd", "a.vox", "a.gsm", "a.raw", "a.wav", "a.flac"])
def test_what_is_no_sound_is_not_decoded_by_its_suffix(tmp_path, name):
    reason = "no header states its rate|not a sound file|which libsndfile does not read"
    with pytest.raises(InputError, match=reason):
        load(tmp_path, b"angry\n" * 1000, name)
    for repeated in (b"\0", b"\xff"):
        with pytest.raises(InputError, match="holds no sound, one byte repeated"):
            load(tmp_path, repeated * 10_000_000, name)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes; copy it again"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a git-LFS pointer, not sound; run git"),
    ],
    ids=["empty", "pointer"],
)
def test_what_holds_no_sound_is_refused_before_it_is_decoded(data, reason):
    with pytest.raises(InputError, match=f"^{reason}"):
        count.contents(io.BytesIO(data))


def test_of_other_bytes_nothing_is_known_but_that():
    found = count.contents(io.BytesIO(b"something else"))
    assert (found.samples, found.parts, found.unchecked) == (None, (), "its kind is not known")
