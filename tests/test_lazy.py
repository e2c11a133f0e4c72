"""numpy, when it is first used, and not before."""

import subprocess
import sys

import numpy
import pytest

from pipeline.lazy import np


def test_names_are_those_of_numpy():
    assert np.float32 is numpy.float32 and np.lib is numpy.lib
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        np.nothing_of_this_name  # noqa: B018


def test_reading_params_loads_neither_numpy_nor_what_is_heavy():
    program = """
import sys
from pathlib import Path
from pipeline.config import params
params.load(Path(sys.argv[1]))
heavy = "numpy pandas scipy soundfile dask distributed asyncio tqdm natsort keras jax tensorflow"
print(*[name for name in heavy.split() if name in sys.modules])
"""
    from pipeline.config import code

    done = subprocess.run(
        [sys.executable, "-c", program, code.ROOT / "params.yaml"],
        **{"check": True, "capture_output": True, "text": True},
    )
    assert done.stdout == "\n"
