"""What the evaluate stage wrote of runs, and what was recorded of them: read and checked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import text
from pipeline.errors import DamagedError, InputError
from pipeline.files import checked, tables
from pipeline.protocols.vocabulary import DECLARABLE, LEAKS, POOL, leak
from pipeline.scoring import groups, intervals, targets
from pipeline.scoring.groups import Group
from pipeline.scoring.target import Measure, Target

if TYPE_CHECKING:
    import pandas as pd

SELECTION = {
    "last": "last epoch",
    "best_validation": "epoch picked on validation",
    "leaky": "epoch picked on test",
}
PICKED = "picked on test"
# What becomes of the clips by the length policy of their waveforms.
LENGTHS = {
    "centre": "brought to {:.2f} s about their middle",
    "start": "brought to {:.2f} s from their start",
    "whole": "taken whole",
    "segments": "taken whole, in segments of {:.2f} s",
}

# What the files of any result hold, and what those of a run hold besides.
FACTS = (
    "model corpus selection weights training folds clips speakers leaks length published"
).split()
RUN_FACTS = (
    "waveform feature protocol protocol_settings settings seeds parameters input_shape labels "
    "device backend certificate provenance quality versions"
).split()
PREDICTED = "clip speaker fold seed".split()
HOW = "hardware cores backend seconds command commit date note".split()

MAP = "map.csv"
DASH = "\N{EN DASH}"


def _no_rows() -> "pd.DataFrame":
    """Give a table of nothing."""
    import pandas as pd  # slow

    return pd.DataFrame(columns=["fold", "seed", "epoch"])


@dataclass(frozen=True, eq=False)
class Result:
    """Facts and metrics of a run wherever it was made, from files that were read and checked."""

    name: str
    facts: dict[str, Any]  # run.json
    target: Target
    metrics: dict[str, float]  # metrics.json, fractions 0..1
    _: KW_ONLY
    # one row per clip and seed; of attributes, numbers; empty of runs recorded before any were kept
    predictions: "pd.DataFrame" = field(default_factory=_no_rows)
    # one row per fold, seed and epoch, numbers, NaN where empty; empty as above
    history: "pd.DataFrame" = field(default_factory=_no_rows)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Those that it has."""
        return self.target.measures

    def show(self, measure: Measure) -> str:
        """Format a measure, a dash if the run has none."""
        return self.target.show(self.metrics[measure.key]) if measure in self.measures else DASH

    def interval(self, measure: Measure) -> str:
        """Format the 95 % interval of a measure that it has: ``[88.1, 94.0]``."""
        ends = (self.target.show(self.metrics[f"{measure.key}_{end}"]) for end in ("low", "high"))
        return f"[{', '.join(ends)}]"

    def over_seeds(self, measure: Measure) -> str:
        """Format the spread of a measure over the seeds: ``s.d. 1.2 over 3 seeds``; or nothing."""
        spread = self.metrics.get(f"{measure.key}_seeds_std")
        if spread is None:
            return ""
        return f"s.d. {self.target.show(spread)} over {len(self.facts['seeds'])} seeds"

    @property
    def over_speakers(self) -> bool:
        """Whether the intervals were drawn over speakers; otherwise over clips."""
        if not self.predictions.empty:
            return intervals.over_speakers(self.predictions["speaker"].tolist())
        known = self.facts["leaks"]["speaker"] is not None
        return known and self.facts["speakers"] >= intervals.FEWEST_SPEAKERS

    @cached_property
    def groups(self) -> dict[str, list[Group]]:
        """Measures by speaker, sex and so on, of what the corpus states."""
        found = {kind: groups.of(self.target, self.predictions, kind) for kind in groups.KINDS}
        return {kind: of_kind for kind, of_kind in found.items() if of_kind}

    def floor(self, measure: Measure) -> float:
        """Give what guessing earns."""
        return self.metrics[measure.floor] if measure.floor else 0.0

    @property
    def title(self) -> str:
        """Model and corpus: runs with the same title differ in protocol or settings only."""
        return f"{self.facts['model']} on {self.facts['corpus']}"

    @property
    def speakers(self) -> str:
        """Whether test speakers are in training, in plain words."""
        words = {"apart": "held out", "shared": "shared", "unknown": "not known"}
        return f"speakers {words[state(self.facts['leaks']['speaker'])]}"

    @property
    def protocol(self) -> str:
        """The protocol in plain words, from what was checked and not from what it is called."""
        words = [self.speakers]
        if self.facts["weights"]:
            words.append("imported weights")
        if self.epochs or self.facts["selection"] == "leaky":
            words.append(SELECTION[self.facts["selection"]])
        if self.epochs:
            words.append(self.epochs_in_words)
        if self.facts.get("quality", {}).get("partial"):
            words.append("part of the corpus")
        return ", ".join(words)

    @property
    def objections(self) -> list[str]:
        """Why the number is not an honest one; empty if it is."""
        states = {
            ("unlabelled " if kind.startswith(POOL) else "") + leak(kind).shared: state(
                self.facts["leaks"][kind]
            )
            for kind in DECLARABLE
            if kind in self.facts["leaks"] and leak(kind).shared
        }
        found = [f"{what} shared" for what, how in states.items() if how == "shared"]
        found += [f"{what} not known" for what, how in states.items() if how == "unknown"]
        if self.facts["weights"]:
            found.append("trained elsewhere")  # the certificate cannot vouch for that training
        return found + ([PICKED] if self.facts["selection"] == "leaky" else [])

    @property
    def clips_of_folds(self) -> dict[int, int]:
        """Test clips by fold, of a result with predictions."""
        counts = Counter(self.predictions["fold"].astype(int).tolist())
        return {fold: count // len(self.facts["seeds"]) for fold, count in counts.items()}

    @property
    def partial(self) -> str:
        """Folds that it is of, where there are more: ``6 of 10 folds``; else nothing."""
        return partial(self.facts)

    @property
    def folds_in_words(self) -> str:
        """Number of folds as tables have it: ``10``, ``6 of 10``."""
        return self.partial.removesuffix(" folds") or str(self.facts["folds"])

    @property
    def epochs_in_words(self) -> str:
        """Epochs, and of how many where the model's paper has more: ``60 of 500 epochs``."""
        wanted = self.facts.get("epochs_of_paper") or 0  # of runs that were recorded before
        return (
            f"{self.epochs} of {wanted} epochs" if self.epochs < wanted else f"{self.epochs} epochs"
        )

    @property
    def epochs(self) -> int:
        """Epochs that every fold was trained for; 0 for imported weights and classical models."""
        return (self.facts["training"] or {}).get("epochs", 0)


@dataclass(frozen=True, eq=False)
class Recorded(Result):
    """One run of ``reports/recorded``: what evaluate wrote then, and how it was made."""

    how: dict[str, Any]  # how.json

    @property
    def made(self) -> str:
        """Hardware, time and day in words."""
        cores = f"{self.how['cores']} core{'s' if self.how['cores'] > 1 else ''}"
        words = [self.how["hardware"], cores, self.how["backend"]]
        if self.how["seconds"] is not None:
            words.append(text.duration(self.how["seconds"]))
        return ", ".join([*words, self.how["date"]])


@dataclass(frozen=True, eq=False)
class Run(Result):
    """One run of params.yaml, with what its figures are drawn from."""

    # where a network puts its held-out clips; empty of classical models, and of runs of before
    map: "pd.DataFrame" = field(default_factory=_no_rows)

    @property
    def confusion(self) -> list[list[int]]:
        """Of emotions: [true][predicted], predictions, in the order of the labels."""
        pairs = self.predictions.value_counts(["label", "predicted"])
        labels = self.target.outputs
        return [[int(pairs.get((true, guess), 0)) for guess in labels] for true in labels]

    @property
    def measured(self) -> list[str]:
        """Columns of the history that hold anything."""
        return list(self.history.columns[self.history.notna().any()])

    @property
    def folds(self) -> list[tuple[str, list[float]]]:
        """Fold number, and its measures."""
        place = f"{self.measures[0].key}_fold_"
        numbers = sorted(
            key.removeprefix(place) for key in self.metrics if key.removeprefix(place).isdigit()
        )
        return [(n, [self.metrics[f"{m.key}_fold_{n}"] for m in self.measures]) for n in numbers]


def read_run(folder: Path) -> Run:
    """Read and check the folder of one run.

    Parameters
    ----------
    folder : Path
        Holds ``run.json``, ``metrics.json``, ``predictions.csv`` and ``history.csv``.

    Raises
    ------
    InputError
        Naming the file, what is wrong with it, and the command that makes it again.
    """
    try:
        return _run(folder)
    except DamagedError:  # says all itself
        raise
    except InputError as error:
        raise InputError(f"{error}; run dvc pull, or dvc repro evaluate@{folder.name}") from None


def read_recorded(folder: Path) -> Recorded:
    """Read and check the folder of one recorded run.

    Parameters
    ----------
    folder : Path
        Holds ``run.json``, ``metrics.json`` and ``how.json``, and ``predictions.csv`` and
        ``history.csv`` but for runs that were recorded before they were kept.

    Raises
    ------
    InputError
        Naming the file, what is wrong with it, and how it is mended.
    """
    try:
        _there(folder, "run.json", "metrics.json", "how.json")
        result = _result(folder, tables.read_json(folder / "run.json"))
        how = tables.read_json(folder / "how.json")
        _need(folder, "how.json", HOW, how)
        if (folder / "history.csv").is_file():
            result = _with_tables(folder, result)
    except InputError as error:
        raise InputError(
            f"{error}; take it back from git, or record the run again (ser record --help)"
        ) from None
    return Recorded(**vars(result), how=how)


def _run(folder: Path) -> Run:
    """Read a run; what is wrong is raised without the remedy."""
    names = ("metrics.json", "predictions.csv", "history.csv")
    _there(folder, "run.json", *names)
    checked.expect(folder / "run.json", *(folder / name for name in names))
    result = _result(folder, checked.read(folder / "run.json"))
    _need(folder, "run.json", RUN_FACTS, result.facts)
    _need(folder, "run.json quality", ["quarantined", "duplicates"], result.facts["quality"])
    first = f"{min(result.facts.get('tested_folds', [1])):02d}"
    folds = [f"{m.key}_fold_{end}" for m in result.measures for end in ("mean", "std", first)]
    _need(folder, "metrics.json", folds, result.metrics)
    found = vars(_with_tables(folder, result))
    if not (folder / MAP).is_file():
        return Run(**found)
    checked.expect(folder / "run.json", folder / MAP)
    return Run(**found, map=tables.read(folder / MAP))


def _with_tables(folder: Path, result: Result) -> Result:
    """Read predictions and history of a result."""
    _there(folder, "predictions.csv", "history.csv")
    predictions, target = tables.read(folder / "predictions.csv"), result.target
    _need(folder, "predictions.csv", [*PREDICTED, *target.columns], predictions)
    history = tables.read(folder / "history.csv")
    _need(folder, "history.csv", ["fold", "seed", "epoch", "loss", *target.HISTORY], history)
    try:
        predictions = target.parsed(predictions)
    except InputError as error:
        raise InputError(f"{folder}: predictions.csv: {error}") from None
    try:
        history = history.replace("", "nan").astype(float)
    except ValueError as error:
        raise InputError(f"{folder}: history.csv: {error}") from None
    return replace(result, predictions=predictions, history=history)


def _result(folder: Path, facts: dict[str, Any]) -> Result:
    """Read what is kept of every result, besides its facts."""
    _need(folder, "run.json", FACTS, facts)
    _need(folder, "run.json leaks", list(LEAKS), facts["leaks"])
    facts = {"attributes": []} | facts  # runs were recorded before any predicted attributes
    for key, found, wanted in (
        ("selection", facts["selection"], SELECTION),
        ("length.policy", facts["length"].get("policy"), LENGTHS),
    ):
        if found not in wanted:
            raise InputError(
                f"{folder}: run.json: {key} is {found!r}, wanted one of {', '.join(wanted)}"
            )
    try:
        target = targets.of(facts["attributes"], facts.get("labels", ()))
    except InputError as error:
        raise InputError(f"{folder}: run.json: {error}") from None
    result = Result(folder.name, facts, target, tables.read_json(folder / "metrics.json"))
    for measure in result.measures:
        keys = [measure.key, f"{measure.key}_low", f"{measure.key}_high", measure.second]
        _need(folder, "metrics.json", keys, result.metrics)
    return result


def _there(folder: Path, *names: str) -> None:
    """Refuse a folder that lacks a file."""
    for name in names:
        if not (folder / name).is_file():
            raise InputError(f"{folder}: {name} is missing")


def _need(folder: Path, name: str, keys: Sequence[str], present: Any) -> None:
    """Refuse a file that lacks a key or a column."""
    missing = [key for key in keys if key not in present]
    if missing:
        raise InputError(f"{folder}: {name} has no {', '.join(missing)}")


def partial(facts: Mapping[str, Any]) -> str:
    """Say of how many folds a result is if not of all: ``6 of 10 folds``; else nothing.

    >>> partial({"folds": 10, "tested_folds": [5, 6]}), partial({"folds": 10})
    ('2 of 10 folds', '')
    """
    tested = facts.get("tested_folds")  # of runs that were recorded before, all
    if tested is None or len(tested) == facts["folds"]:
        return ""
    return f"{len(tested)} of {facts['folds']} folds"


def state(leak: dict[str, Any] | None) -> str:
    """Reduce one kind of leak to a word: ``apart``, ``shared`` or ``unknown``.

    >>> state({"clips": 0, "unlabelled": 12})
    'unknown'
    """
    if leak is None:
        return "unknown"
    if leak["clips"]:
        return "shared"
    unchecked = leak.get("unlabelled") or leak.get("unlabelled_training")
    return "unknown" if unchecked else "apart"
