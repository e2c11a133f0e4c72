"""Made-up sound, copies of the corpora, and one tiny pipeline that ran from end to end."""

import os
import re
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
TINY = """\
runs:
  tiny:
    {model: tim_net, corpus: demo, waveform: centred, feature: mfcc39, protocol: speakers5,
     settings: {epochs: 1, blocks: 1, filters: 4, batch: 64}}
"""


# ---- corpora ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def demo_corpus(tmp_path_factory):
    """Give the embedded corpus, made by its stage; not to be changed."""
    from pipeline import demo

    folder = tmp_path_factory.mktemp("raw_data") / "demo"
    demo.demo(folder)
    return folder


@pytest.fixture(scope="session")
def ravdess_corpus(tmp_path_factory):
    """Give a copy of RAVDESS in names, numbers and oddities, with noise for speech.

    Not to be changed.
    """
    folder = tmp_path_factory.mktemp("raw_data") / "ravdess"
    make_ravdess(folder)
    return folder


def ravdess_names():
    """Name the 1440 clips by the rule of the corpus: neutral has no strong intensity."""
    return [
        f"03-01-{emotion:02}-{intensity:02}-{sentence:02}-{repetition:02}-{actor:02}"
        for actor, emotion, intensity, sentence, repetition in product(
            range(1, 25), range(1, 9), (1, 2), (1, 2), (1, 2)
        )
        if (emotion, intensity) != (1, 2)
    ]


def make_ravdess(folder):
    """Write 1440 clips of 0.12 s: five are stereo, two the same, one actor's are FLAC."""
    import soundfile

    rng = np.random.default_rng(0)
    stereo = {
        *("03-01-02-01-01-02-01", "03-01-08-01-02-02-01", "03-01-02-01-02-02-05"),
        *("03-01-03-01-02-01-20", "03-01-06-01-01-02-20"),
    }
    for name in ravdess_names():
        actor = folder / f"Actor_{name[-2:]}"
        actor.mkdir(parents=True, exist_ok=True)
        signal = rng.normal(0, 0.1, (960, 2 if name in stereo else 1))
        suffix = "flac" if name.endswith("-03") else "wav"
        soundfile.write(actor / f"{name}.{suffix}", signal, 8000, subtype="PCM_16")
    shutil.copy(
        folder / "Actor_07" / "03-01-03-01-02-01-07.wav",
        folder / "Actor_07" / "03-01-03-01-02-02-07.wav",
    )


# ---- a pipeline that ran ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Give what commands need to run like a user's: this Python, one thread, DVC's own corners."""
    corner = tmp_path_factory.mktemp("dvc")
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "KERAS_BACKEND": "jax",  # starts faster
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(corner / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "DVC_SITE_CACHE_DIR": str(corner / "site"),
        "DVC_GLOBAL_CONFIG_DIR": str(corner / "global"),
        "DVC_NO_ANALYTICS": "1",
    }


@pytest.fixture(scope="session")
def repro(environment):
    """Give ``repro(folder)``: run ``dvc repro`` there; it returns the stages that ran."""

    def run(folder):
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "repro"],
            **{"cwd": folder, "env": environment, "capture_output": True, "text": True},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return re.findall(r"Running stage '(?:[^':]*:)?([^':]+)'", done.stdout)

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory, environment, repro):
    """Give a clone of this working tree in which one tiny run went through; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "clone"

    def git(*arguments, cwd):
        command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments]
        done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)
        return done.stdout

    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    wanted = [name for name in listed.split("\0") if name and not name.startswith("tests/")]
    for name in wanted:
        if (ROOT / name).is_file() and not name.endswith("dvc.lock"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    params = (ROOT / "params.yaml").read_text()
    cut = re.sub(r"(?ms)^runs:.*?(?=^\S)", TINY, params)
    (folder / "params.yaml").write_text(cut)
    git("init", "--quiet", cwd=folder)
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--message", "as in the working tree", cwd=folder)
    repro(folder)
    return folder
