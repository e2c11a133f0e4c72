"""A shell in which the environment is not active: its python is found, or it is said what to do."""

import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BARE = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Give the folder of an environment without packages, but with what `make install` adds."""
    folder = tmp_path_factory.mktemp("environment") / "env"
    venv.create(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    (line,) = re.findall(r"(?m)^FIRST\s*:= (.*)$", (ROOT / "Makefile").read_text())
    (packages / "first_on_path.pth").write_text(line)
    return folder


def run(command, **settings):
    return subprocess.run(command, capture_output=True, text=True, check=False, **settings)


def test_what_the_environment_starts_finds_its_python(other):
    asked = "import os, shutil; print(shutil.which('python'), os.environ['PATH'])"
    twice = f"import subprocess; subprocess.run(['python', '-c', {asked!r}], check=True)"
    for code in (asked, twice):
        done = run([other / "bin" / "python", "-c", code], env=BARE)
        assert done.stdout == f"{other}/bin/python {other}/bin:{BARE['PATH']}\n", done.stderr


def test_another_python_is_left_alone(other, tmp_path):
    line = next(other.glob("lib/python*/site-packages/first_on_path.pth")).read_text()
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    done = run([base, "-c", f"{line}\nprint(os.environ['PATH'])"], env=BARE)
    assert done.stdout == f"{BARE['PATH']}\n", done.stderr


def test_a_python_without_the_packages_says_so_in_one_line(other):
    done = run([other / "bin" / "python", "-m", "pipeline", "check", "features/code"], cwd=ROOT)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert re.search(r"lacks \w+; activate the environment \(\. \.venv/bin/activate\)", line)
    assert "dvc checkout" in line
