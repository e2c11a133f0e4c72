"""DVC as its users know it: after a finished `dvc repro` every command finds what it names."""

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipeline.files import stores
from tests.conftest import git

pytestmark = pytest.mark.slow

RAVDESS = Path(__file__).parents[2] / "shared" / "corpora" / "ravdess"
LINES = {  # of the whole corpus, a run of two epochs
    "corpora": "  ravdess: {parser: ravdess}\n",
    "sounds": "  ravdess-centred: {corpus: ravdess, waveform: centred, samples: 110000}\n",
    "data": "  ravdess-mfcc39: {sound: ravdess-centred, feature: mfcc39}\n",
    "folds": "  ravdess-speakers2: {corpus: ravdess, protocol: speakers2}\n",
    "runs": """\
  tim_net-ravdess:
    {model: tim_net, corpus: ravdess, data: ravdess-mfcc39, folds: ravdess-speakers2,
     settings: {epochs: 2, blocks: 2, filters: 8}}
""",
}
WIDTH = 120
STORE = "features/data/demo-mfcc39.zarr"
PARTS = {  # of a user, which no run names
    "pipeline/corpora/mine.py": '"""Mine."""\n',
    "pipeline/features/mine.py": '"""Mine."""\n',
    "pipeline/models/mine/__init__.py": '"""Mine."""\n',
}


@pytest.fixture(scope="module")
def dvc(environment):
    """Give ``dvc(folder, *arguments)``: what it said; it must not fail, nor warn."""

    def run(folder, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *arguments],
            **{"cwd": folder, "env": environment | {"COLUMNS": str(WIDTH)}},
            **{"capture_output": True, "text": True, "check": False},
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert not re.search("WARNING|ERROR|Traceback", said), said
        return said

    return run


@pytest.fixture
def clone(finished, tmp_path, dvc):
    """Give a clone in which everything ran and is committed, and its remote."""
    clone = tmp_path / "clone"
    shutil.copytree(finished, clone, ignore=shutil.ignore_patterns("__pycache__"))
    git("commit", "--quiet", "--message", "finished", "--", "dvc.lock", cwd=clone)
    dvc(clone, "remote", "add", "--quiet", "--local", "--default", "lab", str(tmp_path / "lab"))
    return clone


def ran(said):
    """Stages that DVC ran."""
    return re.findall(r"Running stage '([^']+)'", said)


def edit(path, found, replacement):
    """Replace the first place of a text that is there."""
    text = path.read_text()
    assert found in text
    path.write_text(text.replace(found, replacement, 1))


def test_each_command_finds_what_it_names(clone, dvc):
    assert dvc(clone, "status") == "Data and pipelines are up to date.\n"
    for command in ("checkout", "push", "fetch", "pull", "params diff", "metrics diff"):
        dvc(clone, *command.split())
    said = dvc(clone, "gc", "--workspace", "--dry", "--force", "--quiet")
    assert said == ""
    assert dvc(clone, "status", "--cloud") == "Cache and remote 'lab' are in sync.\n"
    stages = set(re.findall(r'"([^"]+)"', dvc(clone, "dag", "--dot")))
    assert stages == {
        *("check", "demo", "index@demo", "split@demo-speakers5", "waveforms@demo-centred"),
        *("extract@demo-mfcc39", "train@tiny", "evaluate@tiny", "report"),
    }
    listed = dvc(clone, "list", ".", "--recursive", "--dvc-only").splitlines()
    assert len(listed) > 100
    assert [name for name in listed if not (clone / name).is_file()] == []
    assert git("status", "--porcelain", cwd=clone) == ""


def test_metrics_and_figures_are_read_on_a_screen(clone, dvc):
    shown = dvc(clone, "metrics", "show").splitlines()
    assert shown[0].split() == ["Path", "uar", "war"]
    assert max(map(len, shown)) <= WIDTH
    dvc(clone, "plots", "show")
    page = (clone / "dvc_plots" / "index.html").read_text()
    for name in ("loss", "accuracy-percent", "folds", "confusion"):
        assert f"{name}.svg" in page
    shown = [clone / "dvc_plots" / source for source in re.findall(r'<img src="([^"]+)"', page)]
    assert len(shown) >= 4
    for image in shown:
        ElementTree.parse(image)  # a browser shows nothing of what is no XML
    assert git("status", "--porcelain", cwd=clone) == ""


def test_an_older_commit_has_its_results(clone, dvc):
    edit(clone / "params.yaml", "mfcc, n_mfcc: 39}", "mfcc, n_mfcc: 20}")
    assert ran(dvc(clone, "repro", "extract@demo-mfcc39")) == ["check", "extract@demo-mfcc39"]
    git("commit", "--quiet", "--all", "--message", "twenty", cwd=clone)
    for commit, n_mfcc in (("HEAD~1", 39), ("master", 20)):
        git("checkout", "--quiet", commit, cwd=clone)
        dvc(clone, "checkout")
        assert stores.read(clone / STORE).x.shape[-1] == n_mfcc
        assert "extract" not in dvc(clone, "status")


def test_a_part_that_nobody_uses_runs_nothing(clone, dvc, tmp_path):
    dvc(clone, "push")
    git("clone", "--quiet", str(clone), "puller", cwd=tmp_path)
    puller = tmp_path / "puller"
    dvc(puller, "remote", "add", "--quiet", "--local", "--default", "lab", str(tmp_path / "lab"))
    dvc(puller, "pull", "extract@demo-mfcc39")
    for folder in (clone, puller):
        for name, source in PARTS.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(source)
        edit(folder / "pipeline" / "features" / "cepstral.py", '"""', '"""Reworded. ')
        edit(folder / "pipeline" / "engine" / "loop.py", "import ", "# why\nimport ")
    assert ran(dvc(clone, "repro")) == ["check"]
    assert ran(dvc(puller, "repro", "--pull", "--allow-missing")) == ["check"]
    assert not (puller / "raw_data" / "demo").exists()
    assert not (puller / "features" / "sounds").exists()


@pytest.mark.parametrize("name", ["../../precious", "$(touch touched)"])
def test_a_name_that_is_no_name_removes_and_runs_nothing(clone, environment, name):
    """DVC would remove the outputs of the run, and let a shell read its command."""
    precious = clone.parent / "precious"
    precious.mkdir()
    (precious / "thesis.txt").touch()
    before = sorted(path for path in clone.rglob("*") if ".dvc" not in path.parts)
    edit(clone / "params.yaml", "  tiny:\n", f"  {name}:\n")
    for arguments in ([f"train@{name}"], ["--keep-going", "--force"]):
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "repro", *arguments],
            **{"cwd": clone, "env": environment, "capture_output": True, "text": True},
        )
        assert done.returncode
        assert f"check: params.yaml: runs: '{name}' is no name; wanted letters" in done.stderr
    after = sorted(path for path in clone.rglob("*") if ".dvc" not in path.parts)
    made = {clone / "features" / "code", clone / "dvc.lock"}
    assert {p for p in {*before} ^ {*after} if not made & {p, *p.parents}} == set()
    assert (precious / "thesis.txt").exists()


def test_a_renamed_run_leaves_nothing_in_the_report(clone, dvc):
    edit(clone / "params.yaml", "  tiny:\n", "  small:\n")
    said = dvc(clone, "repro")
    assert ran(said) == ["check", "train@small", "evaluate@small", "report"]
    assert "to remove: rm -r models/tiny\n" in said
    assert "tiny" not in (clone / "reports" / "summary.md").read_text()
    for folder in ("runs", "plots"):
        assert [path.name for path in (clone / "reports" / folder).iterdir()] == ["small"]
    assert dvc(clone, "status") == "Data and pipelines are up to date.\n"
    shutil.rmtree(clone / "models" / "tiny")
    edit(clone / "params.yaml", "  small:\n", "  tiny:\n")
    assert ran(dvc(clone, "repro")) == ["report"]  # all else is in DVC's cache
    assert not (clone / "reports" / "runs" / "small").exists()
    assert dvc(clone, "status") == "Data and pipelines are up to date.\n"


def test_an_edit_names_what_it_reruns(clone, dvc):
    edit(clone / "params.yaml", "epochs: 1,", "epochs: 2,")
    assert "runs.tiny.settings.epochs" in dvc(clone, "params", "diff")
    dvc(clone, "repro", "check")
    said = dvc(clone, "status")
    assert re.findall(r"(?m)^(\S+):$", said) == ["train@tiny", "evaluate@tiny", "report"]
    assert "features/code/train/tiny" in said


def test_a_variant_is_kept_and_compared(clone, dvc):
    setting = "runs.tiny.settings.learning_rate"
    dvc(clone, "exp", "run", "--quiet", "--name", "slow", "-S", f"++{setting}=0.01")
    drop = r".*/[^:]*$|params.yaml$|pipeline$"
    shown = dvc(clone, "exp", "show", "--no-pager", "--only-changed", "--drop", drop)
    assert setting in shown
    assert "slow" in shown
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert setting in dvc(clone, "params", "diff")
    dvc(clone, "metrics", "diff")
    dvc(clone, "plots", "diff")
    git("checkout", "--quiet", ".", cwd=clone)
    dvc(clone, "checkout")
    assert dvc(clone, "status") == "Data and pipelines are up to date.\n"
    dvc(clone, "exp", "apply", "slow")
    assert re.search(r"learning_rate:\s+0\.01\b", (clone / "params.yaml").read_text())
    assert dvc(clone, "status") == "Data and pipelines are up to date.\n"


def test_a_variant_of_a_linked_corpus_is_made_in_a_copy(clone, dvc, ravdess_corpus):
    (clone / "raw_data" / "ravdess").symlink_to(ravdess_corpus)
    edit(clone / "params.yaml", "  # ravdess: {", "  ravdess: {")
    dvc(clone, "repro", "index@ravdess")
    git("commit", "--quiet", "--all", "--message", "a corpus", cwd=clone)
    linked = ("--temp", "--copy-paths", "raw_data/ravdess")
    setting = "++corpora.ravdess.allow_partial=true"
    said = dvc(clone, "exp", "run", *linked, "--name", "part", "-S", setting, "index@ravdess")
    assert ran(said) == ["check", "index@ravdess"]
    assert "part" in dvc(clone, "exp", "list", "--name-only")
    assert git("status", "--porcelain", cwd=clone) == ""


@pytest.mark.corpus
def test_the_commands_on_ravdess_itself(clone, dvc):
    if not RAVDESS.is_dir():
        pytest.skip("../shared/corpora/ravdess not found")
    (clone / "raw_data" / "ravdess").symlink_to(RAVDESS)
    for table, line in LINES.items():
        text = (clone / "params.yaml").read_text()
        start = re.search(rf"(?m)^{table}:.*\n(?:  ? +#.*\n)*", text)
        assert start is not None
        at = start.end()
        (clone / "params.yaml").write_text(text[:at] + line + text[at:])
    mine = ["index", "split", "waveforms", "extract", "train", "evaluate"]
    said = ran(dvc(clone, "repro"))
    assert sorted(stage.split("@")[0] for stage in said) == sorted(["check", *mine, "report"])
    git("commit", "--quiet", "--all", "--message", "a corpus", cwd=clone)
    assert dvc(clone, "status") == "Data and pipelines are up to date.\n"
    for command in (
        "checkout",
        "push",
        "fetch",
        "pull",
        "params diff",
        "metrics diff",
        "plots show",
    ):
        dvc(clone, *command.split())
    assert dvc(clone, "gc", "--workspace", "--dry", "--force", "--quiet") == ""
    assert "train@tim_net-ravdess" in dvc(clone, "dag", "train@tim_net-ravdess")
    listed = dvc(clone, "list", ".", "--recursive", "--dvc-only").splitlines()
    assert [name for name in listed if not (clone / name).is_file()] == []

    # a sweep, each variant in a copy of the repository to which the corpus is linked
    rate, seeds = "runs.tim_net-ravdess.settings.learning_rate", "runs.tim_net-ravdess.seeds"
    linked = ("--copy-paths", "raw_data/ravdess")
    sweep = ("-S", f"++{rate}=1e-3,5e-4", "-S", f"++{seeds}=[0,1]")
    dvc(clone, "exp", "run", "--queue", *linked, *sweep, "evaluate@tim_net-ravdess")
    dvc(clone, "exp", "run", "--run-all", "--jobs", "1")
    shown = dvc(clone, "exp", "show", "--csv")
    rows = list(csv.DictReader(shown.splitlines()))
    rates = {row[rate]: row for row in rows if row["typ"] not in {"baseline", ""} and row["rev"]}
    assert {"0.001", "0.0005"} <= rates.keys()
    git("checkout", "--quiet", "HEAD~1", cwd=clone)
    dvc(clone, "checkout")
    assert "| tim_net-ravdess |" not in (clone / "reports" / "summary.md").read_text()
    assert dvc(clone, "status") == "Data and pipelines are up to date.\n"
