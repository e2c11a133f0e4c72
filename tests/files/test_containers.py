"""Files of every container that libsndfile writes: cut, lengthened, with wrong sizes and in chains.

A file is read whole, or refused with the reason, or states no length and that is noted.
"""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.errors import InputError
from pipeline.files import audio

RATE = 16000
SAMPLES = 6000
NO_LENGTH = {"IRCAM", "PAF", "PVF", "XI"}  # these state none, or libsndfile does not
NOT_WRITTEN = {"RAW", "SD2"}  # RAW has no header, SD2 keeps it in another file


def noise(samples=SAMPLES, seed=0):
    """Draw quiet noise, shape (samples,)."""
    return 0.1 * np.random.default_rng(seed).standard_normal(samples)


def encoded(container, encoding, signal=None):
    """Encode noise; None if libsndfile reads but does not write this."""
    file = io.BytesIO()
    try:
        signal = noise() if signal is None else signal
        soundfile.write(file, signal, RATE, format=container, subtype=encoding)
    except soundfile.LibsndfileError:
        return None
    return file.getvalue()


KINDS = [
    (container, encoding)
    for container in soundfile.available_formats()
    if container not in NOT_WRITTEN
    for encoding in soundfile.available_subtypes(container)
    if encoded(container, encoding, noise(64)) is not None
]


def load(folder, data, name="clip.bin"):
    """Write the bytes to a file and decode it."""
    path = folder / name
    path.write_bytes(data)
    return audio.load(path)


def test_all_kinds_are_tried():
    containers = {container for container, _ in KINDS}
    assert containers == set(soundfile.available_formats()) - NOT_WRITTEN
    assert len(KINDS) > 80


@pytest.mark.parametrize(("container", "encoding"), KINDS)
def test_a_cut_file_is_never_shorter_without_a_reason(tmp_path, container, encoding):
    data = encoded(container, encoding)
    whole = load(tmp_path, data)
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        wanted = np.empty((file.frames, 1), np.float32)
        try:
            file.buffer_read_into(wanted, "float32")
        except soundfile.LibsndfileError:  # some cannot search, after they have read
            assert encoding.startswith("DWVW")
    np.testing.assert_array_equal(whole.signal, wanted)
    assert len(wanted) >= SAMPLES
    assert bool(whole.unchecked) == (container in NO_LENGTH)
    places = {int(share * len(data)) for share in np.linspace(0.01, 0.999, 23)}
    for place in sorted(places | {1, 3, 4, 11, 13, 20, 37, 45, len(data) - 2, len(data) - 1}):
        try:
            cut = load(tmp_path, data[:place])
        except InputError as error:
            assert len(str(error).splitlines()) == 1
            continue
        if not cut.unchecked:
            # of some codecs the last block is filled up with what happens to be there
            np.testing.assert_array_equal(
                cut.signal[:SAMPLES], wanted[:SAMPLES], err_msg=f"cut at byte {place}"
            )


@pytest.mark.parametrize(("container", "encoding"), KINDS)
def test_of_joined_files_none_is_lost(tmp_path, container, encoding):
    files = [encoded(container, encoding, noise(samples)) for samples in (SAMPLES, 2000)]
    alone = sum(len(load(tmp_path, file).signal) for file in files)
    try:
        sound = load(tmp_path, b"".join(files))
    except InputError as error:
        reason = "joined: a second sound begins at byte|bytes after the sound|more than its header"
        assert re.search(reason, str(error))
    else:
        assert sound.unchecked or container in ("MP3", "OGG")
        assert len(sound.signal) >= alone


@pytest.mark.parametrize(("container", "encoding"), KINDS)
def test_a_gap_is_noticed_where_bytes_state_the_length(tmp_path, container, encoding):
    data = encoded(container, encoding)
    whole = load(tmp_path, data)
    for place in np.linspace(0.2, 0.95, 7):
        first = int(place * len(data))
        for lost in (100, 1000):
            try:
                sound = load(tmp_path, data[:first] + data[first + lost :])
            except InputError:
                continue
            assert sound.unchecked or len(sound.signal) == len(whole.signal)


@pytest.mark.parametrize("container", ["IRCAM", "PAF", "PVF"])
def test_of_containers_without_a_length_a_part_of_a_sample_is_noticed(tmp_path, container):
    data = encoded(container, "PCM_16", np.stack([noise(), noise()], axis=1))
    assert load(tmp_path, data).unchecked == "its container states no length"
    for lost in (1, 2, 3):
        with pytest.raises(InputError, match="cut short: its last sample is not whole"):
            load(tmp_path, data[:-lost])
    assert load(tmp_path, data[:-4]).unchecked


# ---- sizes that are wrong --------------------------------------------------------------------


def chunked(container, **settings):
    """Encode noise as PCM: the file, its samples, and where the size of the sound stands."""
    file = io.BytesIO()
    soundfile.write(file, noise(), RATE, format=container, subtype="PCM_16", **settings)
    name = {"AIFF": b"SSND"}.get(container, b"data")
    data = bytearray(file.getvalue())
    place = data.find(name) + {"W64": 16}.get(container, 4)
    return data, soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0], place


@pytest.mark.parametrize("settings", [{}, {"endian": "BIG"}], ids=["RIFF", "RIFX"])
@pytest.mark.parametrize("wrong", [-8, -1, 1, 8, 36, 44, 100_000])
def test_the_size_of_the_file_is_not_what_counts(tmp_path, settings, wrong):
    data, wanted, _ = chunked("WAV", **settings)
    order = "big" if settings else "little"
    data[4:8] = (len(data) - 8 + wrong).to_bytes(4, order)
    sound = load(tmp_path, data)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == ""


@pytest.mark.parametrize("riff", [0, 36, 0x7FFFF024, 0xFFFFFFFF])
@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFDB, 0xFFFFFFFF])
@pytest.mark.parametrize("odd", [0, 1])
def test_a_recorder_that_never_stated_the_length(tmp_path, riff, size, odd):
    data, wanted, place = chunked("WAV")
    data[4:8], data[place : place + 4] = riff.to_bytes(4, "little"), size.to_bytes(4, "little")
    sound = load(tmp_path, data + b"\1" * odd)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == "its header states no length"


@pytest.mark.parametrize("counted", [44, 36])
def test_a_recorder_that_counts_its_header_as_sound(tmp_path, counted):
    data, wanted, place = chunked("WAV")
    data[place : place + 4] = (2 * SAMPLES + counted).to_bytes(4, "little")
    sound = load(tmp_path, data)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == ""


@pytest.mark.parametrize("size", [0, (1 << 64) - 1])
def test_an_rf64_file_that_states_no_length(tmp_path, size):
    file = io.BytesIO()
    soundfile.write(file, noise(), RATE, format="RF64", subtype="PCM_16")
    data = bytearray(file.getvalue())
    wanted = load(tmp_path, data).signal
    place = data.find(b"ds64") + 8
    data[place : place + 24] = size.to_bytes(8, "little") * 3
    sound = load(tmp_path, data)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == "its header states no length"


@pytest.mark.parametrize(
    ("container", "size"),
    [
        *(("W64", bytes(8)), ("W64", b"\xff" * 8), ("CAF", b"\xff" * 8)),
        *(("AIFF", bytes(4)), ("AIFF", b"\xff" * 4), ("AU", bytes(4)), ("AU", b"\xff" * 4)),
    ],
)
def test_other_containers_that_state_no_length(tmp_path, container, size):
    data, wanted, place = chunked(container)
    place = 8 if container == "AU" else place
    data[place : place + len(size)] = size
    sound = load(tmp_path, data)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == "its header states no length"


def test_the_size_of_the_file_tells_that_more_is_sound(tmp_path):
    data, wanted, place = chunked("WAV")
    data[place : place + 4] = (SAMPLES).to_bytes(4, "little")  # bytes: half of them
    np.testing.assert_array_equal(load(tmp_path, data).signal, wanted)
    data[4:8] = (36 + SAMPLES).to_bytes(4, "little")
    with pytest.raises(InputError, match=f"{SAMPLES} bytes after the sound are neither a chunk"):
        load(tmp_path, data)


@pytest.mark.parametrize("container", ["AU", "NIST", "AVR", "HTK", "WVE"])
def test_more_sound_than_a_header_states_is_refused(tmp_path, container):
    (encoding,) = [e for c, e in KINDS if c == container and e in ("PCM_16", "ALAW")][:1]
    data = encoded(container, encoding) + b"\1" * 100
    with pytest.raises(InputError, match="holds 100 bytes more than its header states"):
        load(tmp_path, data)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, SAMPLES])
def test_chunks_after_sound_of_a_wrong_length_are_not_sound(tmp_path, size):
    data, wanted, place = chunked("WAV")
    data[place : place + 4] = size.to_bytes(4, "little")
    data[4:8] = (len(data) + len(LIST) - 8).to_bytes(4, "little")
    np.testing.assert_array_equal(load(tmp_path, data + LIST).signal, wanted)


def test_a_cut_by_as_much_as_the_header_is_noted(tmp_path):
    data, wanted, _ = chunked("WAV")
    sound = load(tmp_path, data[:-44])
    assert len(sound.signal) == len(wanted) - 22
    assert sound.unchecked == "its header counts itself as sound, or it is cut by as much"


def test_sound_of_no_stated_length_may_not_hold_a_second_file(tmp_path):
    data, _, place = chunked("WAV")
    data[4:8] = data[place : place + 4] = b"\xff" * 4
    with pytest.raises(InputError, match=f"joined: a second sound begins at byte {len(data)}"):
        load(tmp_path, data + data)


def test_a_bw64_file_is_an_rf64_file(tmp_path):
    data = encoded("RF64", "PCM_16")
    wanted = load(tmp_path, data).signal
    np.testing.assert_array_equal(load(tmp_path, b"BW64" + data[4:]).signal, wanted)


@pytest.mark.parametrize("rate", [0, 1, 16, 49, 1999, 768_001, 2_000_000, 1 << 31, (1 << 32) - 1])
def test_a_rate_at_which_nobody_records_is_named(tmp_path, rate):
    data, _, _ = chunked("WAV")
    data[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(InputError, match=f"a sample rate of {rate} Hz; wanted 2000 to 768000 Hz"):
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


LIST = b"LIST\x10\0\0\0INFOISFT\4\0\0\0abc\0"


@pytest.mark.parametrize(
    "behind",
    [
        *(LIST, LIST[:13], b"xyzw\4\0\0\0abcd" + LIST, b"TAG".ljust(128, b"a")),
        *(bytes(100), b"\xff" * 3000, bytes(1 << 17)),
    ],
    ids="chunk cut chunks tag zeros ones more".split(),
)
def test_what_may_follow_the_sound(tmp_path, behind):
    data, wanted, _ = chunked("WAV")
    np.testing.assert_array_equal(load(tmp_path, data + behind).signal, wanted)


def test_sound_after_the_end_that_begins_with_silence_is_noticed(tmp_path):
    data, _, _ = chunked("WAV")
    with pytest.raises(InputError, match="bytes after the sound are neither a chunk"):
        load(tmp_path, data + bytes(1 << 17) + b"\1\2\3\4" * 100)


@pytest.mark.parametrize("container", ["WAV", "FLAC", "AIFF", "OGG", "CAF"])
def test_a_tag_before_any_kind_of_sound_changes_nothing(tmp_path, container):
    encoding = "VORBIS" if container == "OGG" else "PCM_16"
    data = encoded(container, encoding)
    wanted = load(tmp_path, data)
    sound = load(tmp_path, id3(500) + id3(20) + data)
    np.testing.assert_array_equal(sound.signal, wanted.signal)
    assert not sound.unchecked
    with pytest.raises(InputError, match=r"cut short|damaged"):
        load(tmp_path, id3(500) + data[:-200])
    with pytest.raises(InputError, match="cut short: it ends within a tag, before the sound"):
        load(tmp_path, id3(500)[:300])


def test_an_odd_size_with_and_without_padding(tmp_path):
    file = io.BytesIO()
    soundfile.write(file, noise(999), RATE, format="WAV", subtype="PCM_U8")
    data = file.getvalue()[: 44 + 999]
    for padding in (b"", b"\0"):
        for behind in (b"", LIST):
            assert len(load(tmp_path, data + padding + behind).signal) == 999


# ---- FLAC ------------------------------------------------------------------------------------


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
    for behind in (b"", b"TAG".ljust(128, b"a")):
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


# ---- Ogg -------------------------------------------------------------------------------------


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


# ---- MPEG ------------------------------------------------------------------------------------


def mp3(mode="CONSTANT", seed=0):
    """Encode noise: the Info header's frame, the other frames."""
    file = io.BytesIO()
    signal = noise(30000, seed) * np.linspace(0.01, 1, 30000)
    settings = {"format": "MP3", "bitrate_mode": mode, "compression_level": 0.5}
    soundfile.write(file, signal, RATE, **settings)
    data = file.getvalue()
    frame = data.index(data[:2], 200)  # behind the header's table
    return data[:frame], data[frame:]


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


ID3V1 = b"TAG".ljust(128, b"a")
APE = b"APETAGEX\xd0\7\0\0" + (33).to_bytes(4, "little") + b"\1\0\0\0\0\0\0\xa0" + bytes(8)
APE = APE + b"x" + APE[:20] + b"\0\0\0\x80" + bytes(8)


def id3(size):
    """Make a tag of so many bytes, with things in it that look like frames."""
    seven = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + seven + (mp3()[1][:50] * size)[:size]


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


# ---- what is not read ------------------------------------------------------------------------


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


def test_an_encoding_that_is_not_read_is_to_be_converted(tmp_path):
    data, _, _ = chunked("WAV")
    data[20:22] = b"\x65\0"  # G.722
    with pytest.raises(InputError, match=r"of an encoding that libsndfile does not read .*convert"):
        load(tmp_path, data)


def test_there_is_a_suffix_for_every_container_that_is_read():
    known = {container for names in audio.CONTAINERS.values() for container in names}
    assert known == set(soundfile.available_formats()) - {"RAW"}
    assert not audio.FOREIGN & set(audio.CONTAINERS)


NAMES = {  # of libsndfile's encodings in raw_data/README.md
    **{f"PCM_{bits}": "PCM" for bits in ("S8", "U8", "16", "24", "32")},
    **{"FLOAT": "float", "DOUBLE": "float", "ULAW": "u-law", "ALAW": "A-law"},
    **{"IMA_ADPCM": "IMA", "MS_ADPCM": "MS ADPCM", "GSM610": "GSM 6.10", "MPEG_LAYER_III": "MP3"},
    **{"G721_32": "G.721", "G723_24": "G.723", "G723_40": "G.723", "OPUS": "Opus"},
    **{f"NMS_ADPCM_{bits}": "NMS ADPCM" for bits in (16, 24, 32)},
    **{f"DWVW_{bits}": "DWVW" for bits in (12, 16, 24)},
    **{f"ALAC_{bits}": "ALAC" for bits in (16, 20, 24, 32)},
    **{"DPCM_8": "DPCM", "DPCM_16": "DPCM", "VORBIS": "Vorbis"},
}


def test_the_table_of_the_guide_names_what_is_read():
    guide = (Path(__file__).parents[2] / "raw_data" / "README.md").read_text(encoding="utf-8")
    lines = guide[guide.index("| container |") :].split("\n\n")[0].splitlines()[2:]
    *rows, foreign = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    shown = {suffix: row for row in rows for suffix in row[1].split()}
    assert shown.keys() == audio.CONTAINERS.keys()
    assert {suffix for suffix in foreign[1].split() if suffix != "..."} < audio.FOREIGN
    for container, encoding in KINDS:
        known = [suffix for suffix, names in audio.CONTAINERS.items() if container in names]
        cells = {shown[suffix][2] for suffix in known}
        name = {"FLAC": "FLAC", "MP3": "layers"}.get(container, NAMES.get(encoding, encoding))
        assert any(name in cell for cell in cells), f"{container} {encoding}"
    unchecked = {suffix for suffix, row in shown.items() if "unchecked" in row[3]}
    assert {c for suffix in unchecked for c in audio.CONTAINERS[suffix]} == NO_LENGTH
