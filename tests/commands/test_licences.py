"""The command licences: what is listed, what is named, what is written, what is refused."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.commands import licences as module
from pipeline.commands.licences import Package, licences, stated
from pipeline.errors import InputError

ROOT = Path(__file__).parents[2]
HASH = "    --hash=sha256:" + 64 * "0"


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """Give a function that writes a lock file of some lines, where it is looked for."""
    monkeypatch.chdir(tmp_path)

    def write(*lines):
        text = "".join(f"{line} \\\n{HASH}\n" for line in lines)
        (tmp_path / "requirements.lock").write_text(text)

    return write


def version(name):
    return metadata.version(name)


def test_packages_are_listed_and_named(locked, capsys):
    locked(
        f"numpy=={version('numpy')}",
        "pywin32==312 ; sys_platform == 'plan9'",
        f"soxr=={version('soxr')}",
        "no-such-package==1.0",
        "pytest==0.1",
    )
    licences()
    of_numpy = metadata.metadata("numpy")["License-Expression"]
    assert capsys.readouterr().out.splitlines() == [
        f"numpy            {version('numpy'):12}  {of_numpy}",
        f"soxr             {version('soxr'):12}  LGPL-2.1-or-later",
        "no-such-package  -             not stated",
        f"pytest           {version('pytest'):12}  MIT",
        "requirements.lock: 4 packages, 1 of other platforms or Pythons left out",
        "under the GPL or LGPL, or so by choice: soxr",
        "not as locked: no-such-package (not installed, locked 1.0), "
        f"pytest ({version('pytest')}, locked 0.1)",
    ]


def test_those_of_the_project_are_named(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    licences()
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("under"))
    named = line.partition(": ")[2].split(", ")
    assert {"pygit2", "grandalf", "dulwich", "asyncssh", "soxr"} <= {*named}
    guide = (ROOT / "pipeline" / "README.md").read_text().partition("## Dependencies")[2]
    assert all(name in guide.partition("## Words")[0] for name in named)


@pytest.mark.parametrize(
    ("expression", "licence", "classifiers", "wanted"),
    [
        ("MIT", "something else", (), "MIT"),
        (None, "GPLv2 with linking exception", (), "GPLv2 with linking exception"),
        (None, "Copyright 2001\nAll rights ...", ("OSI Approved :: BSD License",), "BSD License"),
        (None, "Dual License", ("BSD License", "OSI Approved"), "BSD License"),
        (None, "", ("OSI Approved :: A", "OSI Approved :: B"), "A, B"),
        (None, "bad\x1b[31m", (), r"bad\x1b[31m"),
        (None, None, (), "not stated"),
    ],
)
def test_the_clearest_field_counts(expression, licence, classifiers, wanted):
    fields = {"License-Expression": expression, "License": licence}
    held = ["Topic :: Sound", *(f"License :: {one}" for one in classifiers)]
    assert stated(fields, held) == wanted


@pytest.mark.parametrize(
    ("licence", "found"),
    [
        ("GPLv2 | EPLv1", True),
        ("LGPL-2.1-or-later", True),
        ("GNU Lesser General Public License v3 (LGPLv3)", True),
        ("AGPL-3.0", True),
        ("EPL-2.0 OR GPL-2.0-or-later", True),
        ("MPL-2.0 AND MIT", False),
        ("Apache-2.0", False),
    ],
)
def test_what_is_under_the_gpl(licence, found):
    assert module.under_gpl(Package("a", "1", "1", licence)) is found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "requirements.lock: no such file; name a lock file"),
        (b"numpy>=1,<2\n", "line 1: wanted NAME==VERSION, got 'numpy>=1,<2'; name a lock file"),
        (b"numpy==1\n\n<html>\n", "line 3: wanted NAME==VERSION, got '<html>'"),
        (b"\xff\xfe\x00", "line 1: wanted NAME==VERSION"),
    ],
)
def test_what_is_no_lock_file_is_refused(content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "requirements.lock").write_bytes(content)
    with pytest.raises(InputError) as error:
        licences()
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


# ---- bill of materials -----------------------------------------------------------------------


def test_without_the_package_it_is_one_line(locked, tmp_path, monkeypatch):
    locked(f"numpy=={version('numpy')}")
    monkeypatch.setitem(sys.modules, "cyclonedx.model.bom", None)
    with pytest.raises(InputError, match=r"needs the package cyclonedx-python-lib; pip install"):
        licences(sbom=tmp_path / "bill.json")
    assert not (tmp_path / "bill.json").exists()


def test_a_bill_holds_what_is_installed_and_what_needs_what(locked, tmp_path):
    pytest.importorskip("cyclonedx")
    names = ("numpy", "pandas", "python-dateutil", "pygit2")
    locked(*(f"{name}=={version(name)}" for name in names), "no-such-package==1.0")
    licences(sbom=tmp_path / "bill.json")
    bill = json.loads((tmp_path / "bill.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "ser-pipeline"
    assert "timestamp" not in bill["metadata"]
    found = {one["name"]: one for one in bill["components"]}
    assert set(found) == set(names)
    assert found["pandas"]["purl"] == f"pkg:pypi/pandas@{version('pandas')}"
    assert found["pandas"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert found["pygit2"]["licenses"] == [{"license": {"name": "GPLv2 with linking exception"}}]
    needs = {one["ref"].split("/")[1].split("@")[0]: one.get("dependsOn", []) for one in
             bill["dependencies"]}  # fmt: skip
    assert needs["pandas"] == [found[name]["bom-ref"] for name in ("numpy", "python-dateutil")]
    assert {found["numpy"]["bom-ref"], found["pandas"]["bom-ref"]} <= {*needs["ser-pipeline"]}
    assert found["python-dateutil"]["bom-ref"] not in needs["ser-pipeline"]


def test_a_bill_has_the_same_bytes_in_another_process(tmp_path):
    pytest.importorskip("cyclonedx")
    found = set()
    for seed in "12":
        command = [sys.executable, "-m", "pipeline", "licences", "--sbom", tmp_path / seed]
        done = subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True)
        assert done.returncode == 0, done.stderr
        found.add((tmp_path / seed).read_bytes())
    assert len(found) == 1


def test_a_bill_is_what_the_format_holds(locked, tmp_path):
    bom = pytest.importorskip("cyclonedx.model.bom")
    locked(f"numpy=={version('numpy')}", f"pandas=={version('pandas')}")
    licences(sbom=tmp_path / "bill.json")
    again = bom.Bom.from_json(json.loads((tmp_path / "bill.json").read_text()))
    assert again.validate()
    assert {one.name for one in again.components} == {"numpy", "pandas"}
