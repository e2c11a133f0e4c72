"""Sound files block by block: the samples and the refusals of files that are decoded at once."""

import io

import numpy as np
import pytest
import soundfile

from pipeline.errors import InputError
from pipeline.files import audio, blocks

RATE = 22050
KINDS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_24"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "aiff": ("AIFF", "FLOAT"),
}


@pytest.fixture
def written(tmp_path):
    """Give ``written(kind)``: a file of two seconds of noise in two channels."""

    def write(kind):
        signal = np.random.default_rng(0).uniform(-0.5, 0.5, (2 * RATE, 2))
        container, subtype = KINDS[kind]
        path = tmp_path / f"a.{kind}"
        soundfile.write(path, signal, RATE, format=container, subtype=subtype)
        return path

    return write


@pytest.mark.parametrize("block", [999, 20_000, 2**20])
@pytest.mark.parametrize("kind", KINDS)
def test_blocks_are_the_file(written, monkeypatch, kind, block):
    monkeypatch.setattr(blocks, "BLOCK", block)
    path = written(kind)
    wanted, rate = audio.read(path)
    opened = blocks.opened(path)
    assert opened.sample_rate == rate == RATE
    for _ in range(2):  # as often as wanted
        found = list(opened.decoded())
        assert all(0 < len(one) <= max(1, block // 2) for one in found)
        np.testing.assert_array_equal(np.concatenate(found), wanted)


def test_streams_one_after_the_other_are_one_sound(tmp_path):
    parts = []
    for seed in (0, 1):
        held = io.BytesIO()
        soundfile.write(held, np.random.default_rng(seed).uniform(-0.5, 0.5, RATE), RATE,
                        format="OGG")  # fmt: skip
        parts.append(held.getvalue())
    (tmp_path / "a.ogg").write_bytes(b"".join(parts))
    found = np.concatenate(list(blocks.opened(tmp_path / "a.ogg").decoded()))
    np.testing.assert_array_equal(found, audio.read(tmp_path / "a.ogg")[0])


def test_streams_that_differ_are_refused_as_at_once(tmp_path):
    parts = []
    for rate in (RATE, 16000):
        held = io.BytesIO()
        soundfile.write(held, np.random.default_rng(0).uniform(-0.5, 0.5, rate), rate, format="OGG")
        parts.append(held.getvalue())
    (tmp_path / "a.ogg").write_bytes(b"".join(parts))
    assert refusal(tmp_path / "a.ogg").endswith("streams of different rates or channels; write "
                                                "each to a file of its own")  # fmt: skip


def refusal(path):
    """What both ways say of a file."""
    with pytest.raises(InputError) as one:
        audio.load(path)
    with pytest.raises(InputError) as two:
        list(blocks.opened(path).decoded())
    assert str(one.value) == str(two.value)
    return str(one.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left", [0, 3, 40, 5000, -300, -1])
def test_files_that_are_cut_are_refused_as_at_once(written, kind, left):
    path = written(kind)
    path.write_bytes(path.read_bytes()[:left])
    assert refusal(path).startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["none.wav", "folder.wav", "text.wav", "a\nb.wav"])
def test_what_is_no_sound_file_is_refused_as_at_once(tmp_path, name):
    if name == "folder.wav":
        (tmp_path / name).mkdir()
    elif name != "none.wav":
        (tmp_path / name).write_text("no sound at all")
    refusal(tmp_path / name)


def test_damage_shows_after_the_blocks_before_it(written, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 1000)
    path = written("flac")
    content = bytearray(path.read_bytes())
    middle = len(content) * 3 // 4
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    found = []
    with pytest.raises(InputError, match="damaged"):
        found.extend(blocks.opened(path).decoded())
    refusal(path)


def test_another_name_is_the_one_in_messages(tmp_path):
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(InputError, match=r"^mine: not a sound file libsndfile can read"):
        blocks.opened(tmp_path / "a.wav", "mine")
