"""Made-up sound, copies of the corpora, and one tiny pipeline that ran from end to end."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.engine import backend
from tests import chatter, copies

backend.choose("jax")  # in this process, unless the environment says another
ROOT = Path(__file__).parents[1]
CPU = Path("/proc/cpuinfo")
FLAGS = set(re.findall(r"(?mi)^(?:flags|features).*", CPU.read_text())) if CPU.exists() else set()
# What XLA compiled serves all workers, the commands that tests start, and later runs of the tests
# on a processor with the same instructions.
CACHE = ROOT / ".pytest_cache" / f"xla-{zlib.crc32(repr(sorted(FLAGS)).encode()):08x}"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ["JAX_COMPILATION_CACHE_MAX_SIZE"] = str(500 * 2**20)  # what was used longest ago goes
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"

TINY = """\
sounds:
  demo-centred: {corpus: demo, waveform: centred, samples: 55125}
data:
  demo-mfcc39: {sound: demo-centred, feature: mfcc39}
folds:
  demo-speakers5: {corpus: demo, protocol: speakers5}
runs:
  tiny:
    {model: tim_net, corpus: demo, data: demo-mfcc39, folds: demo-speakers5,
     settings: {epochs: 1, blocks: 1, filters: 4, batch: 64}}
"""


# ---- order -----------------------------------------------------------------------------------


def pytest_collection_modifyitems(items):
    """Let files with slow tests start first, so that no worker ends long after the other."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def once(tmp_path_factory, worker_id):
    """Give ``once(name, make)``: a folder that one worker lets ``make(folder)`` make for all."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent

    def made(name, make):
        folder, done = shared / name, shared / f"{name}.done"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                make(folder)
                done.touch()
        return folder

    return made


# ---- corpora ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def demo_corpus(once):
    """Give the embedded corpus, made by its stage; not to be changed."""
    from pipeline.stages import demo

    return once("embedded/demo", demo.demo)


@pytest.fixture(scope="session")
def whole_copy(once):
    """Give ``whole_copy(name)``: a whole copy of a corpus, noise for speech; not to be changed."""
    return lambda name: once(f"raw_data/{name}", copies.load(name).write)


@pytest.fixture(scope="session")
def ravdess_corpus(whole_copy):
    """Give a whole copy of RAVDESS."""
    return whole_copy("ravdess")


@pytest.fixture
def indexed(tmp_path):
    """Give ``indexed(name, raw, **settings)``: ``index.csv`` and ``quality.json`` of a copy."""
    from pipeline.config.records import Corpus
    from pipeline.files import tables
    from pipeline.stages.index import index

    def run(name, raw, **settings):
        corpus = Corpus(name, settings, name)
        index(raw, tmp_path / "index.csv", tmp_path / "quality.json", corpus=corpus)
        return tables.read(tmp_path / "index.csv"), tables.read_json(tmp_path / "quality.json")

    return run


# ---- own parts -------------------------------------------------------------------------------


@pytest.fixture
def dropped(tmp_path, monkeypatch):
    """Give ``dropped(source)``: drop a feature's module in place; the name it is known by."""
    from pipeline import features, plugins

    package, number = tmp_path / "pipeline", itertools.count(1)
    shutil.copytree(plugins.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(plugins, "PACKAGE", package)
    monkeypatch.setattr(features, "__path__", [str(package / "features")])
    names = []

    def drop(source):
        name = f"own_{tmp_path.name}_{next(number)}"  # no other test's, for modules are kept
        (package / "features" / f"{name}.py").write_text(source)
        names.append(f"pipeline.features.{name}")
        return name

    yield drop
    for name in names:
        sys.modules.pop(name, None)


# ---- a pipeline that ran ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Give what commands need to run like a user's: this Python, one thread, DVC's own corners.

    What this process has set for TensorFlow and XLA is left out: commands set it themselves.
    """
    corner = tmp_path_factory.mktemp("dvc")
    own = {key: os.environ[key] for key in os.environ if not key.startswith(("TF_", "XLA_"))}
    return own | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "KERAS_BACKEND": "jax",  # starts faster
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
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
        assert chatter.lines(done.stdout + done.stderr) == []
        return re.findall(r"Running stage '(?:[^':]*:)?([^':]+)'", done.stdout)

    return run


@pytest.fixture(scope="session")
def finished(once, repro):
    """Give a clone of this working tree in which one tiny run went through; not to be changed."""

    def make(folder):
        clone(folder)
        repro(folder)

    return once("finished/clone", make)


def git(*arguments, cwd):
    """Run git; return what it prints."""
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments]
    done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout


def clone(folder):
    """Copy what git would take of this working tree, with one tiny run for all runs."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    wanted = [name for name in listed.split("\0") if name and not name.startswith("tests/")]
    for name in wanted:
        if (ROOT / name).is_file() and not name.endswith("dvc.lock"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    params = (ROOT / "params.yaml").read_text()
    cut = re.sub(r"(?ms)^sounds:.*?(?=^engine)", TINY, params)
    (folder / "params.yaml").write_text(cut)
    git("init", "--quiet", cwd=folder)
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--message", "as in the working tree", cwd=folder)
