"""Predict: any sound file in, emotion out, with a trained bundle.

Not a stage. Everything comes from the bundle: labels, waveform and feature settings, models. A clip
gets the probabilities that evaluate gave it, if the model of the fold that held it out is asked.

From Python, ``predict.load("models/RUN")("a.wav")`` gives the probability of each emotion.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import backend, exported, inputs, timeline
from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.files import bundles, tables


def predict(
    bundle: Path,
    sounds: list[Path],
    *,
    fold: int | None = None,
    csv: Path | None = None,
    window: float | None = None,
    hop: float | None = None,
    picture: Path | None = None,
    tflite: Path | None = None,
    onnx: Path | None = None,
) -> None:
    """Name the emotion of sound files, or how it goes in long ones.

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
        Also write ``path, predicted, p_<label>...`` there, and of windows ``path, start, end,
        predicted, p_<label>...``, in seconds.
    window : float > 0, optional
        Slide a window of so many seconds over each file; every one is answered as a file of its
        own. The last one ends where the file ends.
    hop : float > 0, optional
        Seconds from one window to the next; by default half a window.
    picture : Path, optional
        Also draw the windows of the one file there, a PNG.
    tflite, onnx : Path, optional
        Ask this file, which ``ser export`` made of the bundle, in place of the bundle's models.

    Raises
    ------
    InputError
        If the bundle, a setting or a file cannot be used. Unreadable files are named after the
        others are predicted.
    """
    files = inputs.files(sounds)
    _check(files, window, hop, picture)
    card, fused, answer = _model(bundle, fold, tflite, onnx)
    hop = window / 2 if window and hop is None else hop
    heard, problems = [], []
    for path in files:
        try:
            heard += inputs.read(path, card, fused=fused, window=window, hop=hop)
        except InputError as error:
            problems.append(str(error))
    if heard:
        table = _table(heard, answer([one.values for one in heard]), card["labels"])
        if window is None:
            table = table.drop(columns=["start", "end"])
        _show(table, card["labels"])
        if csv:
            tables.write(table, csv)
        if picture:
            timeline.draw(table, card["labels"], picture)
    if problems:
        raise InputError("; ".join(problems))


def load(
    bundle: Path | str,
    *,
    fold: int | None = None,
    tflite: Path | str | None = None,
    onnx: Path | str | None = None,
) -> Callable[[Path | str], dict[str, float]]:
    """Make a function of a bundle, which names the emotion of a sound file as `predict` does.

    Parameters
    ----------
    bundle, fold, tflite, onnx
        Of `predict`.

    Returns
    -------
    callable
        From a sound file to the probability of each label, in the order of the model's outputs.

    Raises
    ------
    InputError
        If the bundle or the exported file cannot be used; the function itself raises it if the
        sound file cannot.
    """
    paths = [path if path is None else Path(path) for path in (tflite, onnx)]
    card, fused, answer = _model(Path(bundle), fold, *paths)

    def probabilities(sound: Path | str) -> dict[str, float]:
        (one,) = inputs.read(Path(sound), card, fused=fused)
        return dict(zip(card["labels"], answer([one.values])[0].tolist(), strict=True))

    return probabilities


def _check(
    files: list[Path], window: float | None, hop: float | None, picture: Path | None
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


def _model(
    bundle: Path, fold: int | None, tflite: Path | None, onnx: Path | None
) -> tuple[dict, bool, Callable[[list[np.ndarray]], np.ndarray]]:
    """Card, whether sound is taken in place of features, and what answers (clips, classes)."""
    card = bundles.read_card(bundle)
    given = {"tflite": tflite, "onnx": onnx}
    asked = [kind for kind, path in given.items() if path]
    if len(asked) > 1 or (asked and fold is not None):
        raise InputError(f"{asked[0]}: the file is one model; leave out --onnx and --fold")
    if asked:
        backend.choose(card["backend"])  # TensorFlow starts in silence
        model = exported.read(given[asked[0]], asked[0], card)
        return card, model.fused, model.predict
    names = [unit["file"] for unit in card["folds"] if fold in (None, unit["fold"])]
    if not names:
        raise InputError(f"{bundle}: no fold {fold}; it has 1 to {card['folds'][-1]['fold']}")
    return card, False, _trained(bundle, card, names)


def _trained(
    bundle: Path, card: dict, names: list[str]
) -> Callable[[list[np.ndarray]], np.ndarray]:
    """Answer with the mean of a bundle's models, which are read when they are first asked."""
    held = []

    def answer(features: list[np.ndarray]) -> np.ndarray:
        backend.choose(card["backend"])
        from pipeline.engine import inference

        if not held:
            held.append(inference.models(bundle))
        x = framing.rectangle(features, tuple(card["input_shape"]))
        answers = [inference.predict(held[0](name), x) for name in names]  # each (clips, classes)
        return answers[0] if len(names) == 1 else np.mean(answers, axis=0)

    return answer


def _table(heard: list[inputs.Input], probabilities: np.ndarray, labels: list[str]) -> pd.DataFrame:
    """``path, start, end, predicted, p_<label>...`` of probabilities (clips, classes)."""
    table = pd.DataFrame(
        {
            "path": [str(one.path) for one in heard],
            "start": [one.start for one in heard],
            "end": [one.end for one in heard],
            "predicted": [labels[i] for i in probabilities.argmax(axis=1)],
        }
    )
    return table.join(pd.DataFrame(probabilities, columns=[f"p_{label}" for label in labels]))


def _show(table: pd.DataFrame, labels: list[str]) -> None:
    """Print a line per clip: path, window, emotion, and the probabilities in per cent."""
    width = max(len(path) for path in table.path)
    name = max(len(label) for label in labels)
    for row in table.to_dict("records"):
        shares = "  ".join(f"{label} {100 * row[f'p_{label}']:.1f}" for label in labels)
        window = f"{row['start']:8.2f} {row['end']:8.2f}  " if "start" in row else ""
        sys.stdout.write(f"{row['path']:{width}}  {window}{row['predicted']:{name}}  {shares}\n")


if __name__ == "__main__":
    from pipeline.cli import command

    command(predict)
