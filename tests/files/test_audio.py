"""Sound files: known values, one hash per recording, and files that are not whole."""

import numpy as np
import pytest
import soundfile
import xxhash

from pipeline.errors import InputError
from pipeline.files import audio

RATE = 8000


def pcm(bits, channels=1, samples=800):
    """Draw integer samples of a word length, shape (samples, channels), both extremes in."""
    limit = 2 ** (bits - 1)
    signal = np.random.default_rng(0).integers(-limit, limit, (samples, channels))
    signal[0], signal[1] = -limit, limit - 1
    return signal


def write(path, bits, *, rate=RATE, channels=1):
    """Write the same integers of a word length to any container."""
    shifted = pcm(bits, channels).astype(np.int32) << (32 - bits)
    soundfile.write(path, shifted, rate, subtype=f"PCM_{bits}")
    return path


def tone(samples=800):
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(samples) / RATE)


def test_samples_are_shares_of_full_scale(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([-32768, -16384, 0, 1, 16384, 32767], "<i2"), RATE)
    signal, rate = audio.read(path)
    assert (rate, signal.shape, signal.dtype) == (RATE, (6, 1), np.float32)
    np.testing.assert_array_equal(
        signal[:, 0], np.array([-1, -0.5, 0, 2**-15, 0.5, 1 - 2**-15], np.float32)
    )


@pytest.mark.parametrize("bits", [16, 24])
def test_decoded_integers_are_exact(tmp_path, bits):
    signal, _ = audio.read(write(tmp_path / "a.wav", bits, channels=2))
    np.testing.assert_array_equal(signal.astype(np.float64) * 2 ** (bits - 1), pcm(bits, 2))


@pytest.mark.parametrize("bits", [16, 24])
def test_a_wav_and_its_flac_copy_have_one_hash(tmp_path, bits):
    wav, flac = (write(tmp_path / name, bits, channels=2) for name in ("a.wav", "a.flac"))
    assert wav.read_bytes() != flac.read_bytes()
    assert audio.pcm_hash(*audio.read(wav)) == audio.pcm_hash(*audio.read(flac))


def test_the_hash_is_that_of_rate_channels_and_samples():
    signal = np.array([[0.5, -0.25]], np.float32)
    wanted = xxhash.xxh3_128(b"8000 2 " + np.array([0.5, -0.25], "<f4").tobytes())
    assert audio.pcm_hash(signal, 8000) == wanted.hexdigest()
    hashes = {
        audio.pcm_hash(signal, 8000),
        audio.pcm_hash(signal, 16000),
        audio.pcm_hash(signal.T, 8000),
        audio.pcm_hash(-signal, 8000),
    }
    assert len(hashes) == 4
    transposed = np.asfortranarray(pcm(16, 2), np.float32)
    assert audio.pcm_hash(transposed, 8000) == audio.pcm_hash(transposed.copy("C"), 8000)


def test_mono_is_the_mean_of_the_channels(tmp_path):
    signal, _ = audio.read(write(tmp_path / "a.wav", 16, channels=3))
    np.testing.assert_array_equal(audio.mono(signal), np.mean(signal.T, axis=0))
    assert audio.mono(np.array([[1.0, 0.5]])).tolist() == [0.75]
    assert audio.mono(signal[:, :1]).tolist() == signal[:, 0].tolist()


def test_what_was_written_is_read_and_louder_is_clipped(tmp_path):
    path = tmp_path / "a.wav"
    audio.write_pcm16(path, np.array([0.5, -1.0, 1.0, 7.0, -7.0, 1e-6]), RATE)
    signal, rate = audio.read(path)
    assert rate == RATE
    top = 1 - 2**-15
    assert signal[:, 0].tolist() == [0.5, -1.0, top, top, -1.0, 0.0]


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
def test_containers_are_told_by_content_not_by_name(tmp_path, name):
    soundfile.write(tmp_path / name, tone(8000), RATE)
    renamed = (tmp_path / name).rename(tmp_path / "sound")
    signal, rate = audio.read(renamed)
    assert rate == RATE and signal.shape == (8000, 1)
    np.testing.assert_allclose(signal[500:-500, 0], tone(8000)[500:-500], atol=0.1)


@pytest.mark.parametrize("name", ["a.wav", "a.aiff"])
@pytest.mark.parametrize("left", [0.5, 0.999])
def test_a_cut_file_is_refused_although_libsndfile_reads_it(tmp_path, name, left):
    path = tmp_path / name
    soundfile.write(path, tone(), RATE)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(left * len(whole))])
    assert len(soundfile.read(path)[0])  # no complaint
    with pytest.raises(
        InputError, match=r"cut short: \d+ of 1600 bytes of sound are there; copy it again"
    ):
        audio.read(path)


@pytest.mark.parametrize("size", [0, 0x7FFFF024, 0xFFFFFFFF])
def test_a_wav_written_to_a_pipe_does_not_know_its_length(tmp_path, size):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE)
    whole = bytearray(path.read_bytes())
    whole[4:8] = size.to_bytes(4, "little")
    path.write_bytes(whole)
    signal, _ = audio.read(path)
    np.testing.assert_allclose(signal[:, 0], tone(), atol=2**-15)


@pytest.mark.parametrize("places", [[4], [40]], ids=["file", "sound"])
def test_of_two_sizes_one_may_be_wrong(tmp_path, places):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE)
    whole = bytearray(path.read_bytes())
    for wrong in (1, 2, 8, 36, 44, 5000):
        data = bytearray(whole)
        for place in places:
            size = int.from_bytes(whole[place : place + 4], "little")
            assert size == len(whole) - place - 4
            data[place : place + 4] = (size + wrong).to_bytes(4, "little")
        path.write_bytes(data)
        sound = audio.load(path)
        assert len(sound.signal) == 800 and not sound.unchecked


def empty(path):
    path.write_bytes(b"")


def pointer(path):
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")


def text(path):
    path.write_text("angry\n" * 100)


def no_samples(path):
    soundfile.write(path, np.zeros(0), RATE)


def cut_flac(path):
    soundfile.write(path, tone(), RATE, format="FLAC")
    path.write_bytes(path.read_bytes()[:-50])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), r"cannot be read \(Is a directory\)"),
        (empty, "0 bytes; copy it again"),
        (pointer, "a git-LFS pointer, not sound; run git lfs pull"),
        (text, r"not a sound file libsndfile can read \(Format not recognised\)$"),
        (cut_flac, r"damaged: libsndfile cannot decode it \(Error : flac decoder lost sync\)"),
        (no_samples, "holds no samples; copy it again"),
    ],
)
def test_what_is_no_sound_is_refused_with_its_path(tmp_path, make, message):
    path = tmp_path / "clip.wav"
    make(path)
    with pytest.raises(InputError, match=rf"clip\.wav: {message}") as error:
        audio.read(path)
    assert str(error.value).startswith(str(path))


def test_a_name_with_a_line_break_is_one_line_of_a_message(tmp_path):
    path = tmp_path / "a\nb\u2028.wav"
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"a\\nb\\u2028\.wav: its name holds a control c"):
        audio.read(path)
