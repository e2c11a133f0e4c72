"""When a published number may be compared with ours: where both were made under one protocol.

A published line of a model (``PUBLISHED``) states under ``conditions`` how its number was made. The
difference from it is shown only for a run that was made so in every one of `differences`; for any
other run the report says in words what differs.

Reference numbers, ``references.json``, are of systems that are not rebuilt here. They are shown
next to runs on exactly their clips, classes and folds, of any model.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.reporting.results import SELECTION, partial

REFERENCES = Path(__file__).with_name("references.json")
# settings of a protocol that do not decide the folds of given clips and classes
IGNORED = ("allow", "clips", "labels", "where")


def differences(facts: Mapping[str, Any], conditions: Mapping[str, Any] | None) -> list[str]:
    """Say in what a run differs from a publication.

    Parameters
    ----------
    facts : mapping
        Facts of run.json.
    conditions : mapping or None
        What a line of ``PUBLISHED`` states: ``copy`` (settings of the parser that decide its
        clips), ``clips`` (tested, over all folds; ``whole``: those of a whole copy), ``classes``,
        ``folds`` (settings of the protocol; those left out have their defaults, and seed ``any``
        stands for some seed), ``selection``, ``epochs``, ``feature`` (settings of the feature and
        of its waveforms) and ``settings`` (of network and training; one that a run did not have yet
        is not compared).

    Returns
    -------
    list of str
        One for each way; empty where the numbers can be compared. What either side does not state
        is a way to differ.
    """
    if not conditions:
        return ["how the published number was made is not stated"]
    return [
        *filter(None, [partial(facts)]),
        *_corpus(facts, conditions),
        *_classes(facts, conditions),
        *_folds(facts, conditions),
        *_selection(facts, conditions),
        *_epochs(facts, conditions),
        *_settings("features", _feature(facts), conditions.get("feature")),
        *_training(facts, conditions.get("settings", {})),
    ]


def references(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Reference numbers on the clips, classes and folds of a run.

    Returns
    -------
    list of dict
        ``system``, ``figure`` (what the number is, as its source calls it), ``value``,
        ``deviation`` (or None), ``source``, ``caveat``; values in percent.
    """
    found = []
    if partial(facts):
        return found
    for table in json.loads(REFERENCES.read_text(encoding="utf-8"))["tables"]:
        same = table["corpus"] == parser(facts)
        same &= _tested(facts) == table.get("clips", _tested(facts))
        if same and not [*_classes(facts, table), *_folds(facts, table, ("validation",))]:
            common = {key: table[key] for key in ("source", "caveat")} | {"deviation": None}
            found += [common | row for row in table["rows"]]
    return found


def parser(facts: Mapping[str, Any]) -> str:
    """Parser of the corpus of a run; where a recorded run is older than that, the corpus's name."""
    return facts.get("quality", {}).get("parser") or facts["corpus"]


def _corpus(facts: Mapping[str, Any], conditions: Mapping[str, Any]) -> Iterator[str]:
    """Other clips of the corpus: another release, a part of it, or some left out."""
    found = facts.get("quality", {}).get("parser_settings", {})
    yield from _settings("corpus", found, conditions.get("copy", {}))
    wanted = conditions.get("clips")
    if wanted is None:
        yield "clips: not stated by the publication"
    elif wanted == "whole":
        if facts.get("quality", {}).get("partial"):
            yield "part of the corpus"
    elif _tested(facts) != wanted:
        yield f"{_tested(facts)} clips, not {wanted}"


def _tested(facts: Mapping[str, Any]) -> int:
    """Clips tested over all folds, each as often as it is."""
    return facts["leaks"]["clip"]["of"]


def _classes(facts: Mapping[str, Any], conditions: Mapping[str, Any]) -> Iterator[str]:
    """Other classes, or ratings."""
    ours, theirs = set(facts.get("labels", ())), set(conditions.get("classes", ()))
    if ours != theirs:
        words = [f"without {', '.join(sorted(theirs - ours))}"] if theirs - ours else []
        words += [f"with {', '.join(sorted(ours - theirs))}"] if ours - theirs else []
        yield f"classes: {'; '.join(words)}"


def _folds(
    facts: Mapping[str, Any], conditions: Mapping[str, Any], ignored: tuple[str, ...] = ()
) -> Iterator[str]:
    """Other folds; some settings of the protocol may be ignored."""
    wanted, found = conditions.get("folds"), facts.get("protocol_settings")
    if wanted is None:
        yield "folds: not stated by the publication"
    elif found is None:
        yield "folds: not recorded"
    else:
        found = dict(found)
        if wanted.get("seed") == "any" and found.get("seed") is not None:
            found["seed"] = "any"
        ours, theirs = (_deciding(rule, (*IGNORED, *ignored)) for rule in (found, wanted))
        if ours != theirs:
            yield f"folds: {_shown(ours)}; not {_shown(theirs)}"


def _selection(facts: Mapping[str, Any], conditions: Mapping[str, Any]) -> Iterator[str]:
    """Another rule by which the epoch is chosen."""
    wanted = conditions.get("selection")
    if wanted is None:
        yield "choice of the epoch: not stated by the publication"
    elif facts["selection"] != wanted:
        yield f"{SELECTION[facts['selection']]}, not {SELECTION[wanted]}"


def _epochs(facts: Mapping[str, Any], conditions: Mapping[str, Any]) -> Iterator[str]:
    """Another number of epochs; weights that were imported are as their authors trained them."""
    wanted = conditions.get("epochs")
    if facts["weights"] or "epochs" not in facts["training"]:
        return
    epochs = facts["training"]["epochs"]
    if wanted is None:
        yield "epochs: not stated by the publication"
    elif epochs < wanted:
        yield f"{epochs} of {wanted} epochs"
    elif epochs > wanted:
        yield f"{epochs} epochs, not {wanted}"


def _feature(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Settings of feature and waveforms in one mapping; None where they were not recorded."""
    spec = facts.get("spec")
    if spec is None:
        return None
    own = {key: value for key, value in spec.items() if not isinstance(value, dict)}
    return own | spec["settings"] | spec["waveform"]


def _training(facts: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """Other settings of network and training; imported weights were trained by their authors."""
    found = dict(facts.get("settings", {}))
    if not facts["weights"]:
        found |= facts["training"]
    wanted = {key: value for key, value in wanted.items() if key in found}
    yield from _settings("settings", found, wanted)


def _settings(
    what: str, found: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None
) -> Iterator[str]:
    """Each setting that the publication states and the run has otherwise, in one text."""
    if wanted is None:
        yield f"{what}: not stated by the publication"
    elif found is None:
        yield f"{what}: not recorded"
    else:
        words = [
            f"{key} {_value(found[key])}, not {_value(value)}"
            for key, value in wanted.items()
            if key in found and _value(found[key]) != _value(value)
        ]
        words += [f"{key} not recorded" for key in wanted if key not in found]
        if words:
            yield f"{what}: {'; '.join(words)}"


def _deciding(protocol: Mapping[str, Any], ignored: tuple[str, ...]) -> dict[str, str]:
    """Settings of a protocol that decide its folds, as text; what is not set is left out."""
    found = {
        key: _value(value)
        for key, value in protocol.items()
        if key not in ignored and value is not None and (key == "seed" or value)
    }
    if found == {"kind": "partition", "test": "test"}:  # which is what it tests unasked
        del found["test"]
    return found


def _shown(deciding: dict[str, str]) -> str:
    """A protocol in words: its kind, and what it sets."""
    rest = [f"{key} {value}" for key, value in sorted(deciding.items()) if key != "kind"]
    return ", ".join([deciding["kind"], *rest])


def _value(value: Any) -> str:
    """A setting as text: the same for a list and a tuple, 1 and 1.0."""
    if isinstance(value, list | tuple):
        return " ".join(map(_value, value))
    if value is None or isinstance(value, bool | str):
        return str(value).lower()
    return f"{value:g}"
