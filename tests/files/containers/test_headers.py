"""Files with one header: more or less sound than it states, and those that state none."""

import numpy as np
import pytest

from pipeline.errors import InputError
from tests.files.containers.made_up import KINDS, SAMPLES, encoded, load, noise


@pytest.mark.parametrize("container", ["IRCAM", "PAF", "PVF"])
def test_of_containers_without_a_length_a_part_of_a_sample_is_noticed(tmp_path, container):
    data = encoded(container, "PCM_16", np.stack([noise(), noise()], axis=1))
    assert load(tmp_path, data).unchecked == "its container states no length"
    for lost in (1, 2, 3):
        with pytest.raises(InputError, match="cut short: its last sample is not whole"):
            load(tmp_path, data[:-lost])
    assert load(tmp_path, data[:-4]).unchecked


@pytest.mark.parametrize("container", ["AU", "NIST", "AVR", "HTK", "WVE"])
def test_more_sound_than_a_header_states_is_refused(tmp_path, container):
    (encoding,) = [e for c, e in KINDS if c == container and e in ("PCM_16", "ALAW")][:1]
    data = encoded(container, encoding) + b"\1" * 100
    with pytest.raises(InputError, match="holds 100 bytes more than its header states"):
        load(tmp_path, data)


def test_a_creative_voice_file_of_sox_is_read(tmp_path):
    data = bytearray(encoded("VOC", "PCM_16"))
    assert data[26] == 9  # type of the block, then its size
    size = int.from_bytes(data[27:30], "little")
    data[27:30] = (size - 8).to_bytes(3, "little")
    assert len(load(tmp_path, data).signal) == SAMPLES
    with pytest.raises(InputError, match="cut short"):
        load(tmp_path, data[:-100])


def test_a_damaged_sample_dump_is_refused_without_a_word_from_the_decoder(tmp_path, capfd):
    data = bytearray(encoded("SDS", "PCM_16"))
    data[3000] ^= 1
    with pytest.raises(InputError, match="damaged: no whole packet at byte 2942"):
        load(tmp_path, data)
    assert capfd.readouterr() == ("", "")
