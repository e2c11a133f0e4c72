"""params.yaml as plain data: read within limits, and without what no setting can be.

A file may come from elsewhere. Anchors that name each other unfold to more than any memory holds,
brackets to more than the stack of the library that reads them; so events are counted before data is
made of them. A number of thousands of digits, a control character or half of a character would be
an error where it is first shown.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent

from pipeline import text
from pipeline.errors import InputError

FILE_BYTES = 4 * 2**20  # 300 runs are a fiftieth of it
DEPTH = 30
NODES = 500_000  # aliases unfolded
LARGEST = 2**63  # whole number
LONGEST = 10_000  # text, in characters


def read(path: Path) -> Any:
    """Read a YAML file.

    Returns
    -------
    dict, list, str, int, float, bool or None
        And dates, which are no setting either.

    Raises
    ------
    InputError
        One line: if there is no such file, it is no YAML, beyond the limits, or holds a number or a
        character that no setting can be.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise InputError(f"{path}: not a file; run this where dvc.yaml is")
        if state.st_size > FILE_BYTES:
            found = f"{state.st_size / 2**20:.1f} MB"
            raise InputError(f"{path}: {found} large, wanted at most {FILE_BYTES // 2**20} MB")
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run this where dvc.yaml is") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not YAML: {text.one_line(error)}") from None
    try:
        _check_size(content, path)
        data = YAML(typ="safe").load(content)
    # the last ones: a text that is not what its form or tag says (2026-02-30)
    except (YAMLError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None)
        where = f"line {mark.line + 1}: {problem}" if mark else text.one_line(error)
        raise InputError(f"{path}: not YAML: {where}") from None
    for place, value in _leaves(data):
        if isinstance(value, int) and abs(value) >= LARGEST:
            bits = value.bit_length()
            raise InputError(f"{path}: {place}: a number of {bits} bits; no setting is so large")
        if isinstance(value, str) and len(value) > LONGEST:
            raise InputError(f"{path}: {place}: {len(value)} characters; no setting is so long")
        if isinstance(value, str) and text.CONTROL.search(value.replace("\n", "")):
            odd = text.shown(text.printable(value))
            raise InputError(f"{path}: {place}: {odd} holds a control character; no setting does")
    return data


def _check_size(content: str, path: Path) -> None:
    """Refuse what would unfold to more than there is memory, or stack."""
    sizes: dict[str, int] = {}  # of anchors
    total, open_ones = 0, []  # (anchor, total before it)
    for event in YAML(typ="safe").parse(content):
        if isinstance(event, CollectionEndEvent):
            anchor, before = open_ones.pop()
            sizes[anchor] = total - before
            continue
        if not isinstance(event, NodeEvent):
            continue
        total += 1
        if isinstance(event, AliasEvent):
            total += sizes.get(event.anchor, 0)  # of one that it stands in: found by its depth
            if any(event.anchor == anchor for anchor, _ in open_ones):
                raise InputError(f"{path}: *{event.anchor} stands within what it names")
        elif isinstance(event, CollectionStartEvent):
            open_ones.append((event.anchor, total))
        elif event.anchor:
            sizes[event.anchor] = 1
        if len(open_ones) > DEPTH:
            line = event.start_mark.line + 1
            raise InputError(f"{path}: line {line}: nested too deep, wanted at most {DEPTH} levels")
        if total > NODES:
            raise InputError(f"{path}: more than {NODES} values, its aliases unfolded")


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Each value and key, and its place, ``runs.mine.seeds``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield place, key
            named = text.printable(str(key)[:60])
            yield from _leaves(inner, f"{place}.{named}" if place else named)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from _leaves(inner, place)
    else:
        yield place, value
