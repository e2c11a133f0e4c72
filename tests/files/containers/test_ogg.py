"""Ogg: pages that are missing or damaged, streams in a chain, codecs."""

import io

import numpy as np
import pytest
import soundfile

from pipeline.errors import InputError
from tests.files.containers.made_up import RATE, encoded, load, noise


def ogg(encoding="VORBIS", seed=0, rate=RATE):
    """Encode noise, long enough for several pages: the pages."""
    file = io.BytesIO()
    soundfile.write(file, noise(60000, seed), rate, format="OGG", subtype=encoding)
    pages = file.getvalue().split(b"OggS")[1:]
    assert len(pages) > 4
    return [b"OggS" + page for page in pages]


@pytest.mark.parametrize("encoding", ["VORBIS", "OPUS"])
def test_no_ogg_page_may_be_missing_or_damaged(tmp_path, encoding):
    pages = ogg(encoding)
    whole = load(tmp_path, b"".join(pages) + bytes(5)).signal
    assert len(whole) == 60000
    for number in range(len(pages)):
        with pytest.raises(InputError, match=r"cut|missing|no Ogg page|0 bytes"):
            load(tmp_path, b"".join(pages[:number] + pages[number + 1 :]))
        damaged = bytearray(pages[number])
        damaged[len(damaged) // 2] ^= 1
        with pytest.raises(InputError, match="damaged: the Ogg page at byte"):
            load(tmp_path, b"".join([*pages[:number], bytes(damaged), *pages[number + 1 :]]))


def test_ogg_streams_in_a_chain_are_read_one_after_the_other(tmp_path):
    chain = [b"".join(ogg(seed=seed)) for seed in range(3)]
    alone = [load(tmp_path, link).signal for link in chain]
    np.testing.assert_array_equal(load(tmp_path, b"".join(chain)).signal, np.concatenate(alone))
    with pytest.raises(InputError, match="cut short: its last page is not whole"):
        load(tmp_path, b"".join(chain)[:-40])
    other = b"".join(ogg(rate=8000))
    with pytest.raises(InputError, match="streams of different rates or channels"):
        load(tmp_path, chain[0] + other)


def test_flac_in_ogg_is_read_and_speex_named(tmp_path):
    stream = b"\x7fFLAC\1\0\0\1" + encoded("FLAC", "PCM_16")
    wanted = load(tmp_path, encoded("FLAC", "PCM_16")).signal
    bodies = [stream[i : i + 4000] for i in range(0, len(stream), 4000)]
    flags = [2, *[0] * (len(bodies) - 2), 4]
    data = b"".join(map(page, bodies, range(len(bodies)), flags))
    np.testing.assert_array_equal(load(tmp_path, data).signal, wanted)
    np.testing.assert_array_equal(load(tmp_path, data + data).signal, np.tile(wanted, (2, 1)))
    with pytest.raises(InputError, match="cut short"):
        load(tmp_path, data[:-1000])
    with pytest.raises(InputError, match="Ogg Speex, which libsndfile does not read; convert"):
        load(tmp_path, page(b"Speex   " + bytes(72), 0, 2 + 4))


def page(body, number, flags):
    """Make one Ogg page."""
    sizes = [255] * (len(body) // 255) + [len(body) % 255]
    head = b"OggS\0" + bytes([flags]) + bytes(8) + b"\1\0\0\0" + number.to_bytes(4, "little")
    data = head + bytes(4) + bytes([len(sizes), *sizes]) + body
    checksum = 0
    for byte in data:  # RFC 3533: polynomial 0x04c11db7, highest bit first
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1 ^ (0x04C11DB7 if checksum >> 31 else 0)) & 0xFFFFFFFF
    return data[:22] + checksum.to_bytes(4, "little") + data[26:]
