"""Licences: the packages of a lock file as they are installed here, and a bill of materials.

Not a stage. What is shown is what each package states of itself. A wheel may hold libraries of
other licences: that of soundfile has libsndfile, which is under the LGPL.
"""

import importlib
import re
import sys
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pipeline import text
from pipeline.errors import InputError
from pipeline.files import tables

OURS = "ser-pipeline"
UNSTATED = "not stated"
FIELDS = ("License-Expression", "License")  # of the metadata, the clearer first
LONGEST = 80  # letters of a field that names a licence, and does not hold its text
VAGUE = ("", "UNKNOWN", "Dual License", "OSI Approved")  # fields that name none
GPL = re.compile(r"\b[AL]?GPL|GNU .*General Public", re.IGNORECASE)
LIBRARY = (  # modules of the extra sbom
    "cyclonedx.model.bom",
    "cyclonedx.model.component",
    "cyclonedx.contrib.license.factories",
    "cyclonedx.output.json",
    "packageurl",
)
MISSING = "sbom: needs the package cyclonedx-python-lib; pip install 'ser-pipeline[sbom]'"


@dataclass(frozen=True)
class Package:
    """A package of a lock file.

    Attributes
    ----------
    name : str
        As the lock file has it.
    locked : str
        Version in the lock file.
    version : str
        Version that is installed; empty if it is not.
    licence : str
        What it states of itself.
    """

    name: str
    locked: str
    version: str
    licence: str


def licences(lock: Path = Path("requirements.lock"), *, sbom: Path | None = None) -> None:
    """List the packages of the lock file with their licences.

    Each has a line: name, installed version, and the licence as the package states it; then are
    named those under the GPL or LGPL, alone or by choice, those that state none, and those that
    are not installed as locked. Packages of other platforms and Pythons are left out.

    Parameters
    ----------
    lock : Path
        Lock file; with CUDA ``requirements-gpu.lock``.
    sbom : Path, optional
        Also write a software bill of materials of what is installed there: CycloneDX 1.6, JSON, the
        same bytes for the same packages.

    Raises
    ------
    InputError
        If there is no such lock file, it is not one, or cyclonedx-python-lib is not installed.
    """
    packages, left_out = read(lock)
    width = max((len(package.name) for package in packages), default=0)
    for package in packages:
        version = package.version or "-"
        sys.stdout.write(f"{package.name:{width}}  {version:12}  {package.licence}\n")
    others = f", {left_out} of other platforms or Pythons left out" if left_out else ""
    sys.stdout.write(f"{lock}: {len(packages)} packages{others}\n")
    installed = [package for package in packages if package.version]
    differ = [
        f"{package.name} ({package.version or 'not installed'}, locked {package.locked})"
        for package in packages
        if package.version != package.locked
    ]
    for words, names in (
        ("under the GPL or LGPL, or so by choice", [p.name for p in packages if under_gpl(p)]),
        ("licence not stated", [p.name for p in installed if p.licence == UNSTATED]),
        ("not as locked", differ),
    ):
        if names:
            sys.stdout.write(f"{words}: {', '.join(names)}\n")
    if sbom:
        content = bill(installed)
        with tables.replacing(sbom) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="\n")


def read(lock: Path) -> tuple[list[Package], int]:
    """Read a lock file, and look its packages up in this environment.

    Parameters
    ----------
    lock : Path
        Lines of ``name==version``, each with a marker or none, and hashes after them.

    Returns
    -------
    list of Package, int
        Those that belong here, in order, and how many are of other platforms or Pythons.

    Raises
    ------
    InputError
        If it is not there or is no lock file.
    """
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{lock}: no such file; name a lock file, as requirements.lock") from None
    except UnicodeDecodeError:
        lines = ["\0"]  # no requirement
    found, left_out = [], 0
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith(("#", "--hash")):
            continue
        try:
            wanted = Requirement(line.rstrip("\\ "))
            (version,) = wanted.specifier
        except (InvalidRequirement, ValueError):
            raise InputError(
                f"{lock}: line {number}: wanted NAME==VERSION, got {text.shown(line[:60])}; name a "
                "lock file, as requirements.lock"
            ) from None
        if wanted.marker and not wanted.marker.evaluate():
            left_out += 1
        else:
            found.append(_package(wanted.name, version.version))
    return found, left_out


def under_gpl(package: Package) -> bool:
    """Whether a package states the GPL or LGPL, also as one of several to choose from.

    >>> under_gpl(Package("dulwich", "1.2", "1.2", "Apache-2.0 OR GPL-2.0-or-later"))
    True
    """
    return bool(GPL.search(package.licence))


def stated(fields: Mapping[str, str | None], classifiers: list[str]) -> str:
    """Licence that a package states.

    Parameters
    ----------
    fields : mapping of str to str
        Those of ``FIELDS`` that its metadata has.
    classifiers : list of str
        All of its classifiers.

    Examples
    --------
    >>> stated({"License": "Dual License"}, ["License :: OSI Approved :: MIT License"])
    'MIT License'
    """
    held = [c.split(" :: ")[-1] for c in classifiers if c.startswith("License :: ")]
    classified = ", ".join(name for name in held if name not in VAGUE)
    for field in FIELDS:
        value = (fields.get(field) or "").strip()
        if value not in VAGUE and len(value) <= LONGEST and "\n" not in value:
            return text.printable(value)
    return text.printable(classified) or UNSTATED


def bill(packages: list[Package]) -> str:
    """Software bill of materials of packages that are installed: CycloneDX 1.6, JSON.

    Parameters
    ----------
    packages : list of Package
        Each with a version.

    Returns
    -------
    str
        Each with its version, licence and package URL, and what depends on what. There is no time
        in it; the serial number follows from the content.

    Raises
    ------
    InputError
        If cyclonedx-python-lib is not installed.
    """
    try:
        boms, components, factories, output, urls = map(importlib.import_module, LIBRARY)
    except ImportError:
        raise InputError(MISSING) from None
    licence = factories.LicenseFactory().make_from_string
    program, library = components.ComponentType.APPLICATION, components.ComponentType.LIBRARY

    def component(name: str, version: str, stated: str, kind: Any) -> Any:
        url = urls.PackageURL("pypi", name=name, version=version)
        held = [] if stated == UNSTATED else [licence(stated)]
        facts = {"name": name, "version": version, "licenses": held, "purl": url}
        return components.Component(type=kind, bom_ref=str(url), **facts)

    made = {one.name: component(one.name, one.version, one.licence, library) for one in packages}
    ours = component(OURS, metadata.version(OURS), UNSTATED, program)
    bom = boms.Bom(components=made.values())
    bom.metadata.component, bom.metadata.timestamp = ours, None
    bom.register_dependency(ours)
    for name, others in _needed(made.keys()).items():
        bom.register_dependency({OURS: ours, **made}[name], [made[other] for other in others])
    facts = [vars(package) for package in packages]
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, tables.sha256([str(ours.purl), facts]))
    return output.JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _package(name: str, locked: str) -> Package:
    """Look a package up in this environment."""
    try:
        held = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return Package(name, locked, "", UNSTATED)
    fields = {key: next(iter(held.get_all(key) or []), None) for key in FIELDS}
    licence = stated(fields, held.get_all("Classifier") or [])
    return Package(name, locked, metadata.version(name), licence)


def _needed(names: Collection[str]) -> dict[str, set[str]]:
    """Which of these packages each of them needs, and this one with all its extras."""
    extras = metadata.metadata(OURS).get_all("Provides-Extra") or []
    found: dict[str, set[str]] = {}
    waiting, seen = [(OURS, extra) for extra in ("", *extras)], set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for wanted in map(Requirement, metadata.requires(name) or []):
            other = canonicalize_name(wanted.name)
            if other in names and (not wanted.marker or wanted.marker.evaluate({"extra": extra})):
                found.setdefault(name, set()).add(other)
                waiting += [(other, one) for one in ("", *wanted.extras)]
    return found
