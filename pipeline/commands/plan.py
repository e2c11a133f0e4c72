"""Plan: what dvc repro would run, why, and how long that took before.

Not a stage. It changes nothing.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline import text
from pipeline.config import listings, params
from pipeline.errors import InputError
from pipeline.files import tables

UNKNOWN = "no time known"


def plan() -> None:
    """Show what dvc repro would run, and why.

    Each stage has a line: which settings, files of code or inputs changed since it last ran, and
    how long it took then in this clone, for a training by the number of its epochs. A stage that
    follows another runs if that one gives another result. DVC takes from its cache what it has
    made from the same before.

    Raises
    ------
    InputError
        If params.yaml is wrong, or DVC is at work or cannot read its files.
    """
    now = listings.every(params.load())
    total, untimed, count = 0.0, 0, 0
    for stage, why in _pending(now):
        seconds = listings.expected(stage.replace("@", "/"), now[stage.replace("@", "/")])
        known = UNKNOWN if seconds is None else f"about {text.duration(seconds)}"
        sys.stdout.write(f"{stage}: {why} ({known})\n")
        total, untimed, count = total + (seconds or 0), untimed + (seconds is None), count + 1
    if not count:
        sys.stdout.write("up to date; dvc repro would run nothing\n")
        return
    words = f"{count} of {len(now)} stages"
    if untimed < count:
        words += f", about {text.duration(total)}"
        words += f" and {untimed} of unknown time" if untimed else ""
    sys.stdout.write(f"{words}\n")


def _pending(now: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Stages that would run, in their order, and why."""
    makers: dict[str, str] = {}  # of each output of a stage that runs
    for stage, deps, outs, found in _graph():
        name = stage.replace("@", "/")
        if name not in now:  # check, which only lists
            continue
        edited = _edited(name, now[name])
        missing = [f"{path} is {state}" for path, state in found["changed outs"]]
        inputs = [
            f"{path} is {state}"
            for path, state in found["changed deps"]
            if path not in makers and not Path(path).is_relative_to(listings.FOLDER)
        ]
        after = sorted({makers[path] for path in deps if path in makers})
        why = [edited] if edited else [text.first(inputs), text.first(missing)]
        if not any(why) and after:
            why = [f"after {text.first(after)}, if that gives another result"]
        if any(why) or after:
            makers |= dict.fromkeys(outs, stage)
            yield stage, "; ".join(filter(None, why))


def _edited(name: str, now: dict[str, Any]) -> str:
    """How the settings and the code of a stage differ from when it last ran."""
    path = listings.FOLDER / name
    if not path.is_file():
        return "never run"
    return listings.changes(tables.read_json(path), now)


def _graph() -> Iterator[tuple[str, list[str], list[str], dict[str, list]]]:
    """Stages in their order: address, dependencies, outputs, and what DVC finds changed."""
    import networkx
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            changed = repo.status()
            for stage in reversed(list(networkx.topological_sort(repo.index.graph))):
                found = defaultdict(list)
                for entry in changed.get(stage.addressing, []):
                    for key, paths in entry.items() if isinstance(entry, dict) else ():
                        found[key] += paths.items()
                deps, outs = ([str(one) for one in many] for many in (stage.deps, stage.outs))
                yield stage.addressing, deps, outs, found
    except DvcException as error:
        raise InputError(f"DVC: {text.one_line(error)}") from None
