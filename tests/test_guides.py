"""The pages a person reads: their commands run, their links lead somewhere, they fit a screen.

A block marked ``sh`` or ``python`` is run here, in a clone whose one run stands for the demo's;
``yaml`` must be lines of params.yaml. What needs more than the tests have, a corpus or an hour, is
marked ``console``.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PAGES = [
    *("README.md", "raw_data/README.md", "features/README.md", "models/README.md"),
    *("reports/README.md", "pipeline/README.md"),
]
RUN = "tim_net-demo"  # of the pages; the clone's is called tiny


def blocks(*languages):
    """Code blocks of all pages in these languages, each with its page and line."""
    for page in PAGES:
        text = (ROOT / page).read_text()
        for match in re.finditer(r"(?ms)^```(\w*)\n(.*?)^```$", text):
            if match[1] in languages:
                line = text[: match.start()].count("\n") + 1
                yield pytest.param(match[1], match[2], id=f"{page}:{line}")


@pytest.fixture(scope="module")
def clone(finished, tmp_path_factory):
    """Give a copy of the clone in which everything ran."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(finished, tmp_path_factory.mktemp("guides") / "clone", ignore=ignored)


@pytest.mark.parametrize(("language", "block"), [*blocks("sh", "python")])
def test_a_command_runs_as_it_is_written(language, block, clone, environment):
    block = block.replace(RUN, "tiny")
    command = ["bash", "-euc", block] if language == "sh" else [sys.executable, "-c", block]
    done = subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("_", "block"), [*blocks("yaml")])
def test_lines_of_params_are_understood(_, block, clone, monkeypatch):
    from pipeline.config import params

    yaml = YAML()
    whole = yaml.load((clone / "params.yaml").read_text())
    for table, lines in YAML(typ="safe").load(block).items():
        whole.setdefault(table, {}).update(lines)
    changed = clone / "guide.yaml"
    yaml.dump(whole, changed)
    params.load(changed)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_what_is_there(page):
    text = (ROOT / page).read_text()
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / page).parent / link).exists(), link
    for path in re.findall(r"`((?:pipeline|tests|reports)/[\w./-]+\.\w+)`", text):
        made = path.startswith("reports/") and not path.startswith("reports/README")
        assert made or "NAME" in path or (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES)
def test_lines_fit_a_screen(page):
    lines = (ROOT / page).read_text().splitlines()
    prose = [line for line in lines if not line.startswith(("|", "    ", "split: "))]
    assert [line for line in prose if len(line) > 180] == []


def test_the_first_page_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200
