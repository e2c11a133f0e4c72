"""Sound files decoded block by block, in memory that does not grow with their length."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.errors import InputError
from pipeline.files import audio, decoding
from pipeline.files.containers.contents import Contents

BLOCK = 1 << 20  # samples of all channels that are decoded at once


class Blocks(NamedTuple):
    """A sound file that may be decoded, as often as wanted."""

    sample_rate: int  # in hertz
    decoded: Callable[[], Iterator[np.ndarray]]  # from the start, as of `opened`


def opened(path: Path, name: str = "") -> Blocks:
    """Read the header of a sound file, and give what decodes it.

    ``decoded`` gives its samples from the start in blocks (samples, channels), float32, full scale
    1.0, none of them empty: together those of `audio.load`, bit by bit. As there a file is decoded
    whole or not at all, but what shows at the end only is raised after the blocks that were good.

    Parameters
    ----------
    path : Path
        As `audio.load` takes it.
    name : str
        Name of it in messages, if not its path.

    Raises
    ------
    InputError
        The errors of `audio.load`, some of them from ``decoded`` only.
    """
    path = Path(path)
    name = name or audio.shown(path)
    with _named(name):
        contents = audio.contents(path)
        with (
            decoding.errors(path.suffix, contents),
            decoding.begun(_parts(path, contents)[0]) as file,
        ):
            sample_rate = file.samplerate
    return Blocks(sample_rate, lambda: _decoded(path, contents, name))


def _decoded(path: Path, contents: Contents, name: str) -> Iterator[np.ndarray]:
    """Samples of all streams of a file, one after the other."""
    there, kinds = 0, set()
    with _named(name), decoding.errors(path.suffix, contents):
        for part in _parts(path, contents):
            with decoding.begun(part) as file:
                kinds.add((file.samplerate, file.channels))
                if len(kinds) > 1:
                    raise InputError(decoding.UNLIKE)
                own, most = 0, max(1, BLOCK // file.channels)
                while own < file.frames:
                    wanted = min(most, file.frames - own)
                    block = file.read(wanted, dtype="float32", always_2d=True)
                    own += len(block)
                    if len(block):
                        yield block
                    if len(block) < wanted:
                        raise InputError(decoding.CUT.format(own, file.frames))
                there += own
        decoding.check_samples(there, contents)


def _parts(path: Path, contents: Contents) -> list[Path] | list[io.BytesIO]:
    """What is decoded, one after the other."""
    return [io.BytesIO(part) for part in contents.parts] or [path]


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Name the file in errors."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
