"""FLAC: totals that are wrong, and cuts."""

import numpy as np
import pytest

from pipeline.errors import InputError
from tests.files.containers.made_up import ID3V1, SAMPLES, encoded, load


def flac(total, data=None):
    """Encode noise as FLAC whose header states another total."""
    data = bytearray(data or encoded("FLAC", "PCM_16"))
    data[21] = data[21] & 0xF0 | total >> 32
    data[22:26] = (total & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize("prefix", [b"", b"ID3\4\0\0\0\0\0\x0a" + bytes(10)], ids=["", "ID3"])
@pytest.mark.parametrize("total", [0, 1, 4096, SAMPLES - 1])
def test_a_flac_file_with_a_total_too_small_or_none_is_read_whole(tmp_path, total, prefix):
    wanted = load(tmp_path, encoded("FLAC", "PCM_16")).signal
    for behind in (b"", ID3V1):
        sound = load(tmp_path, prefix + flac(total) + behind)
        np.testing.assert_array_equal(sound.signal, wanted)
        assert bool(sound.unchecked) == (total == 0)


@pytest.mark.parametrize("total", [SAMPLES + 1, 1 << 35, (1 << 36) - 1])
def test_a_flac_file_that_promises_too_much_is_refused(tmp_path, total):
    with pytest.raises(InputError, match=f"promises {total} samples, {SAMPLES} are there"):
        load(tmp_path, flac(total))


def test_a_cut_of_a_flac_file_without_a_total_is_noticed_within_a_frame(tmp_path):
    whole = flac(0)
    for place in np.linspace(200, len(whole) - 1, 40).astype(int):
        with pytest.raises(InputError, match="cut short or damaged: its last frame is not whole"):
            load(tmp_path, whole[:place])
