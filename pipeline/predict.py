"""Predict: any sound file in, emotion out, with a trained bundle.

Not a stage. Everything comes from the bundle: labels, waveform and feature settings, models. A clip
gets the probabilities that evaluate gave it, if the model of the fold that held it out is asked.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import backend
from pipeline.errors import InputError
from pipeline.features import framing, recipes
from pipeline.files import audio, bundles, tables


def predict(
    bundle: Path, sounds: list[Path], *, fold: int | None = None, csv: Path | None = None
) -> None:
    """Name the emotion of sound files.

    Parameters
    ----------
    bundle : Path
        Folder that train wrote, ``models/RUN``.
    sounds : list of Path
        Sound files of any rate, channels, length and container libsndfile reads, or folders,
        searched at any depth for them.
    fold : int, optional
        Ask the model of this fold alone; by default the mean of all folds' probabilities.
    csv : Path, optional
        Also write ``path, predicted, p_<label>...`` there.

    Raises
    ------
    InputError
        If the bundle or a file cannot be used. Unreadable files are named after the others are
        predicted.
    """
    card = bundles.read_card(bundle)
    asked = [unit["file"] for unit in card["folds"] if fold in (None, unit["fold"])]
    if not asked:
        raise InputError(f"{bundle}: no fold {fold}; it has 1 to {card['folds'][-1]['fold']}")
    paths, features, problems, shape = [], [], [], tuple(card["input_shape"])
    for path in (path for given in sounds for path in _files(given)):
        try:
            features.append(_feature(path, card))
            paths.append(str(path))
        except InputError as error:
            problems.append(str(error))
    if paths:
        table = _table(bundle, card, paths, framing.rectangle(features, shape), asked)
        _show(table, card["labels"])
        if csv:
            tables.write(table, csv)
    if problems:
        raise InputError("; ".join(problems))


def _feature(path: Path, card: dict) -> np.ndarray:
    """Feature of one file (frames, ...), made as the stages make it."""
    spec, longest = card["spec"], card["input_shape"][0]
    signal, sample_rate = audio.read(path)
    if not np.isfinite(signal).all():
        raise InputError(f"{path}: holds values that are not numbers")
    recipe = spec["waveform"]
    try:
        clip = recipes.waveform(audio.mono(signal), sample_rate, recipe)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    (feature,) = recipes.feature([clip], recipe["sample_rate"], spec)
    if len(feature) > longest:
        raise InputError(
            f"{path}: {len(feature)} frames long, the model takes up to {longest}; cut it"
        )
    return feature


def _table(
    bundle: Path, card: dict, paths: list[str], x: np.ndarray, files: list[str]
) -> pd.DataFrame:
    """``path, predicted, p_<label>...`` of features (clips, frames, ...)."""
    backend.choose(card["backend"])
    from pipeline.engine import inference

    models, labels = inference.models(bundle), card["labels"]
    answers = [inference.predict(models(file), x) for file in files]  # each (clips, classes)
    probabilities = answers[0] if len(files) == 1 else np.mean(answers, axis=0)
    table = pd.DataFrame(probabilities, columns=[f"p_{label}" for label in labels])
    table.insert(0, "path", paths)
    table.insert(1, "predicted", [labels[i] for i in probabilities.argmax(axis=1)])
    return table


def _files(given: Path) -> list[Path]:
    """A file itself; below a folder, whatever libsndfile may read."""
    if given.is_dir():
        found = audio.below(given)
        if not found:
            raise InputError(f"{given}: holds no sound files ({' '.join(sorted(audio.SUFFIXES))})")
        return found
    return [given]


def _show(table: pd.DataFrame, labels: list[str]) -> None:
    """Print a line per clip: path, emotion, and the probabilities in per cent."""
    width = max(len(path) for path in table.path)
    name = max(len(label) for label in labels)
    for row in table.to_dict("records"):
        shares = "  ".join(f"{label} {100 * row[f'p_{label}']:.1f}" for label in labels)
        sys.stdout.write(f"{row['path']:{width}}  {row['predicted']:{name}}  {shares}\n")


if __name__ == "__main__":
    from pipeline.cli import command

    command(predict)
