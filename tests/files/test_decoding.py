"""The decoder: what its errors are called; what it decodes is tested in test_audio.py."""

import io

import pytest
import soundfile

from pipeline.errors import InputError
from pipeline.files import decoding
from pipeline.files.containers import count
from pipeline.files.containers.contents import Contents

KNOWN, UNKNOWN = Contents(), Contents(unchecked=count.UNKNOWN)


@pytest.mark.parametrize(
    ("suffix", "contents", "error", "message"),
    [
        (".wma", UNKNOWN, RuntimeError("odd"), r"^\.wma, which libsndfile does not read; convert"),
        (".wav", UNKNOWN, RuntimeError("odd"), r"^not a sound file .* \(RuntimeError: odd\)$"),
        (".wav", KNOWN, ValueError("Unsupported"), "^of an encoding that libsndfile does not read"),
        (".wav", KNOWN, ValueError("odd"), "^damaged: libsndfile cannot decode it .*copy it again"),
        (".wav", KNOWN, InputError("as it is"), "^as it is$"),
    ],
)
def test_errors_of_any_kind_become_one_line(suffix, contents, error, message):
    with pytest.raises(InputError, match=message), decoding.errors(suffix, contents):
        raise error


def test_a_decoder_s_own_errors_are_said_without_its_words_around():
    with pytest.raises(InputError, match=r"\(Format not recognised\)"):  # noqa: SIM117
        with decoding.errors("", KNOWN):
            decoding.begun(io.BytesIO(b"no sound"))


def test_absurd_rates_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", [0.5, 0.1], 100)
    with pytest.raises(InputError, match="a sample rate of 100 Hz; wanted 2000 to 768000 Hz"):
        decoding.begun(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("decoded", "counted", "message"),
    [(0, 0, "holds no samples"), (5, 6, "cut short or damaged: 5 of 6 samples are decoded")],
)
def test_fewer_samples_than_were_counted_are_refused(decoded, counted, message):
    with pytest.raises(InputError, match=message):
        decoding.check_samples(decoded, Contents(counted))
    decoding.check_samples(6, Contents(counted))
    decoding.check_samples(6, Contents(None))
