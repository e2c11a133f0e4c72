"""Across corpora: which run is how good on which corpus, under which ontology, in one table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import DamagedError, InputError
from pipeline.files import checked, tables
from pipeline.protocols import ontology as ontologies
from pipeline.reporting.results import DASH, Result
from pipeline.reporting.tabular import CROSS, Cell, Column, Table
from pipeline.scoring import evaluation
from pipeline.scoring.merging import merged
from pipeline.scoring.targets import Emotions

FACTS = (
    "run model trained_on corpus ontology labels left_out unanswered clips speakers leaks unlike "
    "imported quality models"
).split()
SCORES = ("uar", "uar_low", "uar_high")
KINDS = ("pcm", "speaker", "pretraining")  # of leaks
LEAKS = {
    "pcm": "{} clips have the samples of a clip of the training corpus",
    "speaker": "the speakers of {} clips are in the training corpus",
    "pretraining": "its feature or first weights were trained on this corpus",
}
UNKNOWN = {"pcm": "sound", "speaker": "speakers", "pretraining": "what it was trained on before"}
STALE = "tested with other models than the run's own; run ser test-on again"
JOINED = "corpora"  # kind of the protocol that tests corpora of a joined one by the others


@dataclass(frozen=True)
class Transfer:
    """A run tested on one corpus.

    Attributes
    ----------
    run, model : str
    trained_on : str
        Corpus, or several with ``+`` between.
    corpus : str
        What it was tested on.
    ontology : str
        Name, or empty where the words are the run's own.
    classes : int
    clips : int
    scores : dict of str to float
        Those in ``SCORES``, fractions.
    models : frozenset of str
        SHA-256 of the models that were asked; empty where the run was evaluated itself.
    warnings, notes : tuple of str
    sources : list of dict
        Citations of the corpus that was tested.
    """

    run: str
    model: str
    trained_on: str
    corpus: str
    ontology: str
    classes: int
    clips: int
    scores: dict[str, float]
    models: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[dict[str, str], ...] = ()


def read(folder: Path) -> list[Transfer]:
    """Read what ``ser test-on`` wrote: of each run a folder, of each corpus and ontology one in it.

    Raises
    ------
    InputError
        If a file is missing, damaged or lacks a key.
    """
    found = sorted(path for path in folder.glob("[!.]*/[!.]*") if path.is_dir())
    return [_read(path) for path in found]


def _read(folder: Path) -> Transfer:
    """Read one."""
    path = folder / "across.json"
    try:
        facts = checked.read(path)
        checked.expect(path, folder / "metrics.json", folder / "predictions.csv")
        scores = tables.read_json(folder / "metrics.json")
        for name, keys, held in ((path.name, FACTS, facts), ("metrics.json", SCORES, scores)):
            if missing := [key for key in keys if key not in held]:
                raise InputError(f"{folder}: {name} has no {', '.join(missing)}")
    except DamagedError:  # says all itself
        raise
    except InputError as error:
        raise InputError(f"{error}; take it back from git, or run ser test-on again") from None
    return Transfer(
        **{key: facts[key] for key in ("run", "model", "trained_on", "corpus", "ontology")},
        classes=len(facts["labels"]),
        clips=facts["clips"],
        scores={key: scores[key] for key in SCORES},
        models=frozenset(one["sha256"] for one in facts["models"]),
        warnings=tuple(_warnings(facts)),
        notes=tuple(_notes(facts)),
        sources=tuple(facts["quality"]["sources"]),
    )


def _warnings(facts: dict[str, Any]) -> list[str]:
    """What makes the number less than a test on a corpus that the model does not know."""
    found = [LEAKS[kind].format(facts["leaks"][kind]) for kind in KINDS if facts["leaks"][kind]]
    if facts["imported"]:
        found.append("trained elsewhere")
    return found


def _notes(facts: dict[str, Any]) -> list[str]:
    """What else there is to say of it."""
    unknown = [UNKNOWN[kind] for kind in KINDS if facts["leaks"][kind] is None]
    found = [f"not checkable: {', '.join(unknown)}"] if unknown else []
    left_out = {word or "without emotion": n for word, n in facts["left_out"].items()}
    if left_out:
        found.append("left out: " + ", ".join(f"{word} {n}" for word, n in left_out.items()))
    if unlike := facts["unlike"]:
        percent = Emotions.show(unlike["warned"] / unlike["predictions"])
        found.append(f"warned that {percent} % are unlike its training")
    if why := facts["unanswered"]:
        found.append(f"not answered: {sum(why.values())} ({max(why, key=why.get)})")
    return found


def own(result: Result, ontology: str) -> Transfer | None:
    """What a run scores on its own corpus, held out by its protocol, under an ontology.

    Parameters
    ----------
    result : Result
        Run on emotions.
    ontology : str

    Returns
    -------
    Transfer or None
        None if its predictions were not kept.
    """
    if result.predictions.empty or result.target.KIND != Emotions.KIND:
        return None
    labels = result.target.outputs
    label_of = ontologies.labels(ontology, labels)
    classes = sorted(set(label_of.values()))
    rows = result.predictions[result.predictions["label"].isin(label_of)].reset_index(drop=True)
    answers = rows[[f"p_{label}" for label in labels]].to_numpy(float)
    truth = rows["label"].map(label_of).map({label: i for i, label in enumerate(classes)})
    target = Emotions(tuple(classes))
    said = target.predictions(truth.to_numpy(), merged(answers, labels, label_of, classes))
    table = rows[["clip", "speaker", "fold", "seed"]].join(said)
    scores = evaluation.scores(target, table)
    return Transfer(
        run=result.name,
        model=result.facts["model"],
        trained_on=result.facts["corpus"],
        corpus=result.facts["corpus"],
        ontology=ontology,
        classes=len(classes),
        clips=table["clip"].nunique(),
        scores={key: scores[key] for key in SCORES},
        warnings=tuple(result.objections),
        notes=("its own corpus, other folds",),
    )


def of_joined(result: Result) -> list[Transfer]:
    """What a run scores that tests each of several joined corpora by the others, by corpus."""
    names = sorted((result.facts.get("quality") or {}).get("parser_settings", {}).get("of", {}))
    held = result.facts.get("protocol_settings") or {}
    if held.get("kind") != JOINED or result.predictions.empty or not names:
        return []
    part, found = _part(result.predictions["clip"], names), []
    tested_together = part.groupby(result.predictions["fold"]).agg(set)
    for fold, tested in tested_together.items():
        rows = result.predictions["fold"] == fold
        for name in sorted(tested):
            scores = evaluation.scores(result.target, result.predictions[rows & (part == name)])
            labels = held.get("labels")
            found.append(
                Transfer(
                    run=result.name,
                    model=result.facts["model"],
                    trained_on=" + ".join(other for other in names if other not in tested),
                    corpus=name,
                    ontology=labels if isinstance(labels, str) else "",
                    classes=len(result.target.outputs),
                    clips=result.predictions["clip"][rows & (part == name)].nunique(),
                    scores={key: scores[key] for key in SCORES},
                    warnings=tuple(result.objections),
                )
            )
    return found


def _part(clips: pd.Series, names: Sequence[str]) -> pd.Series:
    """Corpus of each clip of a joined corpus, by the name before its own."""
    longest_first = sorted(names, key=len, reverse=True)
    parts = [next(n for n in longest_first if clip.startswith(f"{n}-")) for clip in clips.tolist()]
    return pd.Series(parts, index=clips.index)


def collected(results: Iterable[Result], transfers: Iterable[Transfer]) -> list[Transfer]:
    """All that there is to show: tests on other corpora, on joined ones, and next to them the own.

    Parameters
    ----------
    results : iterable of Result
        Runs and recorded runs.
    transfers : iterable of Transfer
        Those that were read.
    """
    results = list(results)
    by_name = {result.name: result for result in reversed(results)}
    found = [_current(one, by_name.get(one.run)) for one in transfers]
    for run, ontology in dict.fromkeys((one.run, one.ontology) for one in found):
        if run in by_name and (of_run := own(by_name[run], ontology)):
            found.append(of_run)
    return found + [one for result in results for one in of_joined(result)]


def _current(one: Transfer, run: Result | None) -> Transfer:
    """Warn of a test with models that are not those of the run any more."""
    known = {model["sha256"] for model in run.facts.get("models", ())} if run else set()
    changed = bool(known) and not one.models <= known
    return replace(one, warnings=(*one.warnings, STALE)) if changed else one


def table(found: Sequence[Transfer]) -> Table:
    """Trained on rows, tested on columns: UAR with its interval."""
    corpora = sorted({one.corpus for one in found})
    rows = []
    for key in dict.fromkeys((one.run, one.trained_on, one.ontology) for one in found):
        of_row = [one for one in found if (one.run, one.trained_on, one.ontology) == key]
        by_corpus = {one.corpus: one for one in of_row}
        cells = [Cell(key[1], notes=(key[0], of_row[0].model)), Cell(key[2] or "own labels")]
        rows.append([*cells, *(_cell(by_corpus.get(name)) for name in corpora)])
    columns = (
        Column("Trained on", notes="run and model"),
        Column("Ontology"),
        *(Column(f"UAR % on {name}", True, notes="of what") for name in corpora),
    )
    return Table("across-corpora", "Trained on rows, tested on columns", columns, rows, prose=True)


def words(one: Transfer) -> str:
    """Say what a test gave, and of what it is: ``41.2 [35.0, 47.8] (3 classes, ...)``."""
    cell = _cell(one)
    return f"{cell.text} {cell.interval} ({'; '.join(cell.notes)})"


def _cell(one: Transfer | None) -> Cell:
    """UAR with its interval, and of what it is."""
    if one is None:
        return Cell(DASH)
    value, *ends = (Emotions.show(one.scores[key]) for key in SCORES)
    of_what = f"{one.classes} classes, guessing {Emotions.show(1 / one.classes)}"
    notes = (of_what, f"{one.clips} clips", *one.notes, *(f"{CROSS} {w}" for w in one.warnings))
    return Cell(value, f"[{', '.join(ends)}]", notes, strong=True)
