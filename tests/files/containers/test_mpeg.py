"""MPEG audio: every frame counted, with and without a header, among tags and junk."""

import numpy as np
import pytest

from pipeline.errors import InputError
from tests.files.containers.made_up import ID3V1, id3, load, mp3

APE = b"APETAGEX\xd0\7\0\0" + (33).to_bytes(4, "little") + b"\1\0\0\0\0\0\0\xa0" + bytes(8)
APE = APE + b"x" + APE[:20] + b"\0\0\0\x80" + bytes(8)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_mpeg_without_an_info_header_is_read_whole(tmp_path, mode):
    info, frames = mp3(mode)
    wanted = load(tmp_path, info + frames)
    assert (len(wanted.signal), wanted.unchecked) == (30000, "")
    sound = load(tmp_path, frames)
    assert 30000 <= len(sound.signal) < 30000 + 3 * 1152
    assert sound.unchecked == "its header states no length"


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_a_cut_mpeg_file_is_refused_or_noted(tmp_path, mode):
    info, frames = mp3(mode)
    for place in np.linspace(100, len(frames) - 1, 40).astype(int):
        with pytest.raises(InputError, match="cut short"):
            load(tmp_path, info + frames[:place])
        try:
            assert load(tmp_path, frames[:place]).unchecked
        except InputError as error:
            assert "cut short" in str(error)


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        (id3(500) + id3(100), b""),
        (id3(150_000), ID3V1),
        (bytes(3000), bytes(3000)),
        (b"junk that is no sound" * 100, b""),
        (b"", APE + ID3V1),
        (b"", b"junk"),
    ],
    ids="tags picture zeros junk ape end".split(),
)
def test_mpeg_among_tags_zeros_and_junk(tmp_path, before, behind):
    info, frames = mp3()
    wanted = load(tmp_path, info + frames).signal
    np.testing.assert_array_equal(load(tmp_path, before + info + frames + behind).signal, wanted)


def test_what_macos_leaves_next_to_an_mpeg_file_is_not_taken_for_its_header(tmp_path):
    data = b"".join(mp3())
    (tmp_path / "._clip.bin").write_bytes(bytes(400))
    assert len(load(tmp_path, data).signal) == 30000


@pytest.mark.parametrize("between", [b"", ID3V1, id3(300)], ids=["", "ID3v1", "ID3v2"])
def test_joined_mpeg_files_are_read_one_after_the_other(tmp_path, between):
    files = [b"".join(mp3(seed=seed)) for seed in range(3)]
    alone = [load(tmp_path, file).signal for file in files]
    joined = load(tmp_path, between.join(files))
    np.testing.assert_array_equal(joined.signal, np.concatenate(alone))
    with pytest.raises(InputError, match="damaged: no frame of sound at byte"):
        load(tmp_path, files[0][:-100] + files[1])
    with pytest.raises(InputError, match=r"damaged|cut short"):
        load(tmp_path, files[0][:3000] + bytes(500) + files[0][3500:])
