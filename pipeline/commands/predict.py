"""Predict: any sound file in, emotion or attributes out, with a trained bundle.

Not a stage. Everything comes from the bundle: labels, waveform and feature settings, models. A clip
gets the values that evaluate gave it, if the model of the fold that held it out is asked.

From Python, ``load("models/RUN")`` gives a function of sounds: `pipeline.inference.predictor`.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import progress
from pipeline.errors import InputError
from pipeline.files import audio, tables
from pipeline.inference import inputs, predictor
from pipeline.inference import sounds as reading
from pipeline.inference.inputs import Cut, Input
from pipeline.inference.predictor import AT_ONCE, Predictor, load
from pipeline.reporting import timeline
from pipeline.scoring import targets
from pipeline.scoring.target import Target

__all__ = ["load", "predict"]

STDIN = Path("-")
SCORES = {"arousal": "Aro-Score", "dominance": "Dom-Score", "valence": "Val-Score"}


def predict(
    bundle: Path,
    sounds: list[Path],
    *,
    also: list[Path] | None = None,
    fold: int | None = None,
    csv: Path | None = None,
    scores: Path | None = None,
    window: float | None = None,
    hop: float | None = None,
    picture: Path | None = None,
    tflite: Path | None = None,
    onnx: Path | None = None,
) -> None:
    """Name the emotion or the attributes of sound files.

    A file unlike those that the model was trained on (in length, level, noise, bandwidth, or in the
    vector ahead of the network's last layer) is marked so; silence gets no answer.

    DeepEmoCluster takes 11 chunks of a second of each file, from start to end: of one longer than
    11.1 s it leaves out what lies between them, unless there are windows; one shorter than a
    second is padded with silence.

    Parameters
    ----------
    bundle : Path
        Folder that train or ``ser import`` wrote, ``models/RUN``.
    sounds : list of Path
        Sound files of any rate, channels, length and container libsndfile reads, or folders,
        searched at any depth for them; - for one that comes from standard input.
    also : list of Path, optional
        Bundles of other attributes, whose values stand next to those of the first.
    fold : int, optional
        Ask the model of this fold alone; by default the mean of what all folds' models give.
    csv : Path, optional
        Also write ``path, predicted, p_<label>...`` or ``path, <attribute>...`` there, of windows
        ``start, end`` after the path, in seconds; at the end ``unlike``, if a bundle has limits.
        Text that a spreadsheet would take for a formula has an apostrophe ahead of it.
    scores : Path, optional
        Also write the table of DeepEmoCluster's authors there, which needs all three attributes:
        ``File_Name, Aro-Score, Dom-Score, Val-Score``, of the file its name without folders.
    window : float > 0, optional
        Slide a window of so many seconds over each file, of any length; every one is answered as a
        file of its own. The last one ends where the file ends. A silent one gets no answer, but the
        reason.
    hop : float > 0, optional
        Seconds from one window to the next; by default half a window.
    picture : Path, optional
        Also draw the windows of the one file there, a PNG.
    tflite, onnx : Path, optional
        Ask this file, which ``ser export`` made of the bundle, in place of the bundle's models.

    Raises
    ------
    InputError
        If a bundle, a setting or a file cannot be used, or bundles cannot be asked together.
        Unreadable files are named after the others are predicted.
    """
    files = inputs.files(sounds)
    if files.count(STDIN) > 1:
        raise InputError(f"{STDIN}: standard input is read once; name it once")
    _check(files, window, hop, picture, scores)
    if also and (tflite or onnx):
        raise InputError("also: belongs to bundles; leave out --tflite and --onnx")
    asked = [bundle, *(also or [])]
    models = [predictor.opened(path, fold=fold, tflite=tflite, onnx=onnx) for path in asked]
    if also:
        _check_together(asked, models)
    target = targets.joined([model.card.target for model in models])
    if scores and (missing := [name for name in SCORES if name not in target.outputs]):
        raise InputError(f"scores: {bundle}: gives no {', '.join(missing)}; add them by --also")
    hop = window / 2 if window and hop is None else hop
    kept, problems = [], []
    width = max(len(audio.shown(path)) for path in files)
    with progress.showing(len(files), "predict", "files") as work:

        def taken() -> Iterator[tuple[Input, ...]]:
            """What each model takes of each clip."""
            for path in files:
                try:
                    for cuts in inputs.batches(_cuts(path, window, hop), AT_ONCE):
                        of_each = [inputs.of(cuts, one.card, fused=one.fused) for one in models]
                        yield from zip(*of_each, strict=True)
                except InputError as error:
                    problems.append(str(error))
                work.update(1)

        for some in inputs.batches(taken(), AT_ONCE):
            table = _table(some, models)
            if window is None:
                table = table.drop(columns=["start", "end"])
            if csv or scores or picture:  # else memory would grow for nothing
                kept.append(table.drop(columns="empty"))
            work.print(_shown(table, target, width))
    if kept:
        table = pd.concat(kept, ignore_index=True)
        if csv:
            tables.write_for_people(table, csv)
        if scores:
            tables.write_for_people(_scores(table), scores)
        if picture:
            timeline.draw(target, table, picture)
    if problems:
        raise InputError("; ".join(problems))


def _check(
    files: list[Path],
    window: float | None,
    hop: float | None,
    picture: Path | None,
    scores: Path | None,
) -> None:
    """Refuse settings of the timeline that do not go together."""
    for name, value in {"window": window, "hop": hop}.items():
        if value is not None and not value > 0:
            raise InputError(f"{name}: must be above 0 s, got {value:g}")
    for name, value in {"hop": hop, "picture": picture}.items():
        if value is not None and window is None:
            raise InputError(f"{name}: belongs to a timeline; give --window as well")
    if picture and picture.suffix.lower() != ".png":
        raise InputError(f"picture: {picture}: wanted a name that ends in .png")
    if picture and len(files) > 1:
        raise InputError(f"picture: shows one recording, got {len(files)}; ask for each alone")
    if scores and window is not None:
        raise InputError("scores: has a line for each file; leave out --window")


def _check_together(paths: list[Path], models: list[Predictor]) -> None:
    """Refuse bundles of emotions, and an attribute that two give."""
    giver: dict[str, Path] = {}
    for path, model in zip(paths, models, strict=True):
        target = model.card.target
        if not target.JOINS:
            raise InputError(
                f"also: {path} predicts {target.KIND}, wanted bundles of attributes only"
            )
        for name in target.outputs:
            if name in giver:
                raise InputError(f"also: {path} gives {name}, so does {giver[name]}; ask one")
            giver[name] = path


def _cuts(path: Path, window: float | None, hop: float | None) -> Iterable[Cut]:
    """Windows of a file or of what comes from standard input, or the whole of it."""
    sound = sys.stdin.buffer if path == STDIN else path
    if window is None or hop is None:
        decoded = reading.read(sound)
        return [inputs.cut(decoded._replace(name=str(path)))]
    return inputs.cuts(reading.opened(sound)._replace(name=str(path)), window, hop)


def _table(decoded: list[tuple[Input, ...]], models: list[Predictor]) -> pd.DataFrame:
    """``path, start, end, empty`` of clips, what the models give, ``unlike``: a row per clip."""
    clips = [one for one, *_ in decoded]
    frame = pd.DataFrame(
        {
            "path": [one.name for one in clips],
            "start": [one.start for one in clips],
            "end": [one.end for one in clips],
            "empty": [one.empty for one in clips],
        }
    )
    sounding = np.flatnonzero([not one.empty for one in clips])
    words: list[dict[str, str]] = [{} for _ in clips]
    for model, taken in zip(models, zip(*decoded, strict=True), strict=True):
        found, unlike = model.answer([one for one in taken if not one.empty])
        answers = model.card.target.answers(found)
        frame = frame.join(answers.set_index(sounding))
        for place, said in zip(sounding, unlike, strict=True):
            words[place] = said | words[place]
    if any(model.known for model in models):
        frame["unlike"] = ["; ".join(said.values()) for said in words]
    return frame


def _scores(table: pd.DataFrame) -> pd.DataFrame:
    """The table of DeepEmoCluster's authors."""
    names = {"File_Name": [Path(path).name for path in table.path]}
    return pd.DataFrame(names | {head: table[name] for name, head in SCORES.items()})


def _shown(table: pd.DataFrame, target: Target, width: int) -> str:
    """Write a line per clip: path, window, then what the target says of it."""
    lines = []
    for row in table.to_dict("records"):
        window = f"{row['start']:8.2f} {row['end']:8.2f}  " if "start" in row else ""
        words = [f"no answer: {row['empty']}"] if row["empty"] else target.words(row)
        words += [f"unlike the training: {row['unlike']}"] if row.get("unlike") else []
        lines.append(f"{audio.shown(row['path']):{width}}  {window}{'  '.join(words)}")
    return "\n".join(lines)
