"""The decoder of sound files, soundfile: how one begins to ask it, and what its errors mean."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import soundfile

from pipeline.errors import InputError
from pipeline.files.containers import count
from pipeline.files.containers.contents import CONVERT, Contents, check_rate

FOREIGN = set(  # sound that libsndfile does not read, or only by guessing its rate
    ".3ga .3gp .aac .ac3 .adts .amr .ape .awb .dff .ds2 .dsf .dss .dts .dvf .eac3 .gsm .m4a .m4b "
    ".m4p .m4r .mka .msv .oma .qcp .ra .raw .shn .spx .tak .tta .vox .weba .webm .wma .wv".split()
)
ENCODING = re.compile("nsupported|nimplemented|'fmt ' chunk")  # in libsndfile's messages
CUT = "cut short or damaged: {} of {} samples are decoded; copy it again"
UNLIKE = "streams of different rates or channels; write each to a file of its own"


class Forward(soundfile.SoundFile):
    """A file that is read once from start to end; soundfile seeks after each block otherwise."""

    def seekable(self) -> bool:
        """Whether one may seek: no."""
        return False


@contextmanager
def errors(suffix: str, contents: Contents) -> Iterator[None]:
    """Raise what the decoder raises as an InputError, which does not name the file.

    Parameters
    ----------
    suffix : str
        Suffix of the file, which may say why it cannot be decoded.
    contents : Contents
        What was counted in it.
    """
    try:
        yield
    except soundfile.LibsndfileError as error:
        raise InputError(_reason(error.error_string.rstrip("."), suffix, contents)) from None
    except InputError:
        raise
    except Exception as error:  # a decoder's errors are of any kind; none may end everything
        raise InputError(_reason(f"{type(error).__name__}: {error}", suffix, contents)) from None


def begun(source: Path | int | io.BytesIO) -> Forward:
    """Begin to decode one stream; an open file, given by its descriptor, stays open.

    Raises
    ------
    InputError
        If its header states no rate, or an absurd one.
    """
    file = Forward(source, closefd=False)
    try:
        if file.format == "RAW":  # judged by the suffix, .vox for one
            raise InputError(f"no header states its rate and encoding; {CONVERT}")
        check_rate(file.samplerate)
    except InputError:
        file.close()
        raise
    return file


def check_samples(decoded: int, contents: Contents) -> None:
    """Refuse a file of which fewer samples are decoded than were counted, or none."""
    if decoded == 0:
        raise InputError("holds no samples; copy it again")
    if contents.samples is not None and decoded < contents.samples:
        raise InputError(CUT.format(decoded, contents.samples))


def _reason(reason: str, suffix: str, contents: Contents) -> str:
    """Why a file cannot be decoded, and what helps."""
    if contents.unchecked == count.UNKNOWN and suffix.lower() in FOREIGN:
        return f"{suffix}, which libsndfile does not read; {CONVERT}"
    if contents.unchecked == count.UNKNOWN:
        return f"not a sound file libsndfile can read ({reason})"
    if ENCODING.search(reason):
        return f"of an encoding that libsndfile does not read ({reason}); {CONVERT}"
    return f"damaged: libsndfile cannot decode it ({reason}); copy it again"
