"""Tables of one run: its metrics, classes, confusions, groups, floors, folds and settings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.reporting import confusions, floors, wording
from pipeline.reporting.results import DASH, Result, Run
from pipeline.reporting.tabular import Cell, Column, Table, cells
from pipeline.scoring.groups import Group
from pipeline.scoring.targets import Attributes, Emotions

MISTAKES = 10
# Metrics of a whole run, how they are called, and whether they are shown in percent.
METRICS = (
    ("macro_f1", "Macro F1", True),
    ("weighted_f1", "Weighted F1", True),
    ("mcc", "MCC", False),
    ("top_2", "Top-2 accuracy", True),
    ("log_loss", "Log-loss", False),
    ("brier", "Brier score, 0 to 2", False),
    ("ece", "Calibration error (ECE)", True),
)
FLOORS = {
    "majority": "the commonest emotion of training",
    "mean": "the mean of training",
    "length": "from the length of a clip alone",
    "svm": "on mean and deviation of the run's feature",
    "svr": "on mean and deviation of the run's feature",
}
GROUPS = {
    "speaker": "Speaker",
    "sex": "Sex",
    "sentence": "Sentence",
    "session": "Session",
    "length": "Length of the clip",
}


def tables(run: Run) -> list[Table]:
    """Every table of a run that has a row."""
    found = [metrics(run), classes(run), confused(run), mistakes(run), floor_table(run)]
    found += [groups(run, kind) for kind in run.groups]
    found += [by_fold(run), epochs_by_fold(run), changed(run)]
    return [table for table in found if table.rows]


def recorded_tables(result: Result) -> list[Table]:
    """Every table of a recorded run that has a row; they stand in a folder of their own."""
    found = [metrics(result), classes(result), *(groups(result, kind) for kind in result.groups)]
    found += [epochs_by_fold(result), changed(result)]
    return [replace(table, name=f"recorded/{table.name}") for table in found if table.rows]


def metrics(result: Result) -> Table:
    """Every metric of a whole run: over all held-out clips, and of a fold."""
    rows, target = [], result.target
    for measure in result.measures:
        rows.append(_metric(result, measure.key, f"{measure.name}{target.UNIT}", target.show))
        if isinstance(target, Attributes):
            for key, name in (("pearson", "Pearson"), ("rmse", "RMSE")):
                words = f"{name} {measure.published}"
                rows.append(_metric(result, f"{key}_{measure.published}", words, target.show))
    if isinstance(target, Emotions):
        for key, name, percent in METRICS:
            words = f"{name}{target.UNIT}" if percent else name
            rows.append(_metric(result, key, words, target.show if percent else _plain))
    columns = (
        *(Column("Metric"), Column("Over all clips", True)),
        *(Column("Mean of a fold", True), Column("s.d.", True)),
    )
    rows = [row for row in rows if row[1].text != DASH]
    return Table(f"{result.name}/metrics", f"Metrics of {result.name}", columns, rows)


def classes(result: Result) -> Table:
    """Recall and precision of each class, and its clips; nothing of attributes."""
    rows, show = [], result.target.show
    for label in result.target.outputs if isinstance(result.target, Emotions) else ():
        found = [result.metrics.get(f"{what}_{label}") for what in ("recall", "precision")]
        clips = int((result.predictions.get("label", pd.Series(dtype=str)) == label).sum())
        shown = [DASH if value is None else show(value) for value in found]
        rows.append([Cell(label), *map(Cell, shown), Cell(str(clips) if clips else DASH)])
    columns = (
        Column("Emotion"),
        *(Column(name, True) for name in ("Recall, %", "Precision, %", "Predictions of its clips")),
    )
    return Table(f"{result.name}/classes", f"Classes of {result.name}", columns, rows)


def confused(run: Run) -> Table:
    """The emotions that are taken for another most often, by the fraction of their clips."""
    rows = []
    for one in confusions.worst(run, 1) if isinstance(run.target, Emotions) else ():
        shown = run.target.show(one.fraction)
        rows.append(cells([one.true, one.predicted, str(one.count), shown]))
    columns = (
        *(Column("Emotion"), Column("Taken for"), Column("Predictions", True)),
        Column("Of its clips, %", True),
    )
    return Table(f"{run.name}/confusions", f"Worst confusions of {run.name}", columns, rows)


def mistakes(run: Run) -> Table:
    """The clips that were named wrongly with the most confidence."""
    rows = []
    if isinstance(run.target, Emotions):
        wrong = run.predictions[run.predictions["label"] != run.predictions["predicted"]]
        given = wrong[[f"p_{label}" for label in run.target.labels]].to_numpy(float).max(axis=1)
        for place in np.argsort(-given, kind="stable")[:MISTAKES].tolist():
            row = wrong.iloc[place]
            named = [Cell(row["clip"], code=True), *cells([row["fold"], row["label"]])]
            rows.append([*named, *cells([row["predicted"], run.target.show(given[place])])])
    columns = (
        *(Column("Clip"), Column("Fold", True), Column("Emotion"), Column("Taken for")),
        Column("Probability, %", True),
    )
    return Table(f"{run.name}/mistakes", f"Surest mistakes of {run.name}", columns, rows)


def groups(result: Result, kind: str) -> Table:
    """The measures of each speaker, sex, sentence, session or bucket of length."""
    found = result.groups[kind]
    target, of_emotions = result.target, isinstance(result.target, Emotions)

    def score(group: Group, key: str) -> Cell:
        one = group.scores[key]
        known = np.isfinite(one.low)
        ends = f"[{target.show(one.low)}, {target.show(one.high)}]" if known else ""
        return Cell(target.show(one.value), ends)

    rows = [
        [
            Cell(group.value),
            Cell(str(group.clips)),
            *([Cell(str(group.classes))] if of_emotions else []),
            *(score(group, measure.key) for measure in result.measures),
        ]
        for group in found
    ]
    columns = (
        *(Column(GROUPS[kind]), Column("Clips", True)),
        *([Column("Classes", True)] if of_emotions else []),
        *(Column(f"{measure.name}{target.UNIT}", True) for measure in result.measures),
    )
    caption = f"By {GROUPS[kind].lower()}: {result.name}"
    return Table(f"{result.name}/by-{kind}", caption, columns, rows)


def floor_table(run: Run) -> Table:
    """Floors on the same clips and folds, and the run below them."""
    found, show = floors.of(run), run.target.show
    rows = [
        [
            Cell(name, notes=(FLOORS[name],)),
            *(
                Cell(show(of[m.key]), tone="bad" if name in floors.below(run, m) else "")
                for m in run.measures
            ),
        ]
        for name, of in found.items()
    ]
    if rows:
        rows.append([Cell("this run"), *(Cell(run.show(m), strong=True) for m in run.measures)])
    headings = (f"{measure.name}{run.target.UNIT}" for measure in run.measures)
    columns = (
        Column("On the same clips and folds", notes="what it is"),
        *(Column(heading, True) for heading in headings),
    )
    return Table(f"{run.name}/floors", f"Floors of {run.name}", columns, rows)


def by_fold(run: Run) -> Table:
    """The measures of each fold."""
    headings = [f"{measure.name}{run.target.UNIT}" for measure in run.measures]
    rows = [cells([fold, *map(run.target.show, values)]) for fold, values in run.folds]
    columns = (Column("Fold"), *(Column(heading, True) for heading in headings))
    return Table(f"{run.name}/folds", f"Folds of {run.name}", columns, rows)


def epochs_by_fold(result: Result) -> Table:
    """The last, the mean and the best epoch of each fold, of what was watched on test."""
    names = [row[0] for row in wording.level_cells(result)]
    whats = ("last epoch", "mean ± s.d. of the last", "best epoch", "number of the best")
    headings = [f"{name}, {what}" for name in names for what in whats]
    columns = (Column("Fold, on test"), *(Column(heading, True) for heading in headings))
    rows = [cells(row) for row in wording.fold_cells(result)]
    return Table(f"{result.name}/epochs", f"Epochs of {result.name} by fold", columns, rows)


def changed(result: Result) -> Table:
    """The settings of network and training that differ from the model's own."""
    facts = result.facts
    here = dict(wording.flat((facts.get("settings") or {}) | (facts["training"] or {})))
    own = dict(wording.flat(facts.get("model_defaults", {})))
    rows = [
        [Cell(key, code=True), Cell(here[key]), Cell(own[key])]
        for key in own
        if key in here and here[key] != own[key]
    ]
    columns = (Column("Setting"), Column("Here"), Column("Default"))
    return Table(f"{result.name}/settings", f"Settings of {result.name}", columns, rows)


def _metric(result: Result, key: str, name: str, show: Any) -> list[Cell]:
    """Name of a metric, its value, and its mean and deviation over the folds."""
    found = [result.metrics.get(f"{key}{end}") for end in ("", "_fold_mean", "_fold_std")]
    shown = [DASH if value is None else show(value) for value in found]
    measures = {measure.key: measure for measure in result.measures}
    interval = result.interval(measures[key]) if key in measures else ""
    return [Cell(name), Cell(shown[0], interval, strong=True), *map(Cell, shown[1:])]


def _plain(value: float) -> str:
    """Format a metric that is no percentage."""
    return Attributes.show(value)
