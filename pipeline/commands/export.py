"""Export: a trained model as TFLite or ONNX files, each compared with it before it is written.

Not a stage. Networks are saved by any backend and read here by Keras with TensorFlow, whose
converters make the files; classical models go to ONNX alone, without Keras. A file takes one clip:
its feature (1, frames, ...), or with ``--fused`` its sound (1, samples), of any length, at the
recipe's rate.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipeline import models as networks
from pipeline import text
from pipeline.config import experiment
from pipeline.engine import backend, dataset, machines
from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.files import checked, tables
from pipeline.inference import cards, exported, graphs, inputs
from pipeline.inference import models as trained
from pipeline.inference.cards import Card, FoldModel

# Files of each format. int8: weights alone, as the converter's "dynamic range"; int8-full: all
# that is computed as well, input and output too. Eight bits do not hold a waveform.
KINDS = {"tflite": ("float32", "float16", "int8", "int8-full"), "onnx": ("float32",)}
NOT_FUSED = "int8-full"
# Largest deviation from Keras that float32 may leave: of a probability, or of an attribute by the
# deviation of its ratings. Features that are made in float32 instead of float64 leave more.
EXACT, EXACT_FUSED = 1e-5, 1e-3
CHECKED = 20  # held-out clips that each file is tried on
REPRESENTATIVE = 100  # training clips that int8-full takes its scales from
NOTHING = np.empty(0)  # is known of what is true


@dataclass(frozen=True)
class Clips:
    """What a file is tried on.

    Attributes
    ----------
    features : list of ndarray, shape (frames, ...)
        Features as the models of the bundle take them.
    sounds : list of ndarray, shape (samples,)
        The same clips at the recipe's rate; empty if nothing is fused.
    truth : ndarray, shape (clips,) or (clips, outputs)
        What is true of each clip, as the target gives it; empty if it is not known.
    representative : ndarray, shape (clips, frames, ...)
        Features of training clips.
    """

    features: list[np.ndarray]
    sounds: list[np.ndarray]
    truth: np.ndarray
    representative: np.ndarray


@dataclass(frozen=True)
class Source:
    """What is written as files.

    Attributes
    ----------
    answer : callable
        From features (frames, ...) of clips to (clips, outputs).
    scale : ndarray or float
        What deviations are divided by.
    converted : callable
        From format and kind to the content of a file.
    """

    answer: Callable[[list[np.ndarray]], np.ndarray]
    scale: np.ndarray | float
    converted: Callable[[str, str], bytes]


def export(
    bundle: Path,
    *,
    to: Path,
    format: Literal["tflite", "onnx"] = "tflite",
    fold: int | None = None,
    fused: bool = False,
    sounds: list[Path] | None = None,
    evaluate: bool = False,
) -> None:
    """Write the model of a fold as TFLite or ONNX files.

    TFLite: float32, float16, int8 and int8-full; ONNX: float32.

    Each file is tried on held-out clips before it is written. A table shows its bytes, those
    published of it, and the largest deviation from Keras: of a probability, or of an attribute, by
    the deviation of its ratings in training. It is printed and written next to the files,
    FORMAT.csv. Ask the files with ``ser predict --tflite`` or ``--onnx``. Their probabilities are
    without the temperature of the card, which changes no answer.

    Parameters
    ----------
    bundle : Path
        Folder that train or ``ser import`` wrote, ``models/RUN``.
    to : Path
        Folder to write to; of files that are there, those of the same names are replaced.
    format : {"tflite", "onnx"}
        TFLite files need the operations that are built into its interpreter, and no more. Of
        DeepEmoCluster int8-full deviates much: eight bits do not hold energies without a logarithm.
    fold : int, optional
        Fold of the model; by default the first.
    fused : bool
        Put the recipe into the file, so that it takes sound: any length, mono, full scale 1.0, at
        the recipe's rate. There is no int8-full of it. ONNX, which has no Fourier transform in
        float32, holds it as a matrix, and is larger by that.
    sounds : list of Path, optional
        Sound files, or folders of them, to try the files on and to take the scales of int8-full
        from; by default the clips of the run, held-out ones and training ones.
    evaluate : bool
        Try the files on all held-out clips of the fold, and print UAR and WAR of each, or the CCC
        of each attribute, and what they lose.

    Raises
    ------
    InputError
        If the format is unknown or not one of a classical model, its packages are missing, the
        recipe has a step that cannot be fused, the bundle or its clips are not there, or a float32
        file deviates from the model.
        Nothing is written then.
    """
    card = cards.read(bundle)
    one = card.of_fold(fold)[0]
    _check(card, format, fused, sounds, evaluate)
    if sounds:
        clips = clips_given(card, sounds)
    else:
        clips = clips_of_the_run(card, one.fold, fused, None if evaluate else CHECKED)
    source = _machine(card, one) if card.classical else _network(card, one, fused, clips)
    wanted, scale = source.answer(clips.features), source.scale  # (clips, outputs)
    truth = clips.truth if evaluate else NOTHING
    content = (bundle / one.file).read_bytes()
    rows = [measured(one.file, content, wanted, wanted, scale, card, truth)]
    written = {}
    for kind in KINDS[format]:
        if fused and kind == NOT_FUSED:
            continue
        name = f"{'fused-' if fused else ''}{kind}.{format}"
        content = source.converted(format, kind)
        found = exported.load(content, format).predict(clips.sounds if fused else clips.features)
        rows.append(measured(name, content, found, wanted, scale, card, truth))
        limit = EXACT_FUSED if fused else EXACT
        if kind == "float32" and not rows[-1]["deviation"] <= limit:
            raise InputError(
                f"{bundle}: {name} deviates by {rows[-1]['deviation']:.1e} from the model, wanted "
                f"{limit:g} or less; nothing was written"
            )
        written[name] = content
    table = pd.DataFrame(rows).astype({"published": "Int64"})
    for score in table.columns[4:]:
        lost = table[score].iloc[0] - table[score]
        table[f"{score}_lost"] = lost.round(12) + 0.0  # no -0.0
    for name, content in written.items():
        with tables.replacing(to / name) as temporary:
            temporary.write_bytes(content)
    tables.write(table, to / f"{'fused-' if fused else ''}{format}.csv")
    sys.stdout.write(f"{bundle}: {len(wanted)} clips\n{as_text(table, card)}\n")


def _check(card: Card, format: str, fuse: bool, sounds: list[Path] | None, evaluate: bool) -> None:
    """Refuse what cannot be done before anything is."""
    if format not in KINDS:
        raise InputError(f"format: no {format!r}; {text.nearest(format, tuple(KINDS))}")
    if card.classical and (format != "onnx" or fuse):
        raise InputError(
            f"{card.model} takes the feature and goes to ONNX alone; give --format onnx"
            + ", and leave out --fused" * fuse
        )
    if fuse:
        from pipeline.inference import fused

        fused.check(card.spec)
    if sounds and evaluate:
        raise InputError("evaluate: needs the labels of held-out clips; leave out --sounds")
    packages = ("onnx", "onnxruntime", "tf2onnx") if format == "onnx" else ()
    if not all(importlib.util.find_spec(name) for name in packages):  # importing takes seconds
        raise InputError(exported.ONNX_MISSING)
    trained.check(card)
    inputs.check(card)


def _network(card: Card, one: FoldModel, fuse: bool, clips: Clips) -> Source:
    """A network, read by Keras with TensorFlow."""
    use_tensorflow()
    from pipeline.engine import answers
    from pipeline.inference import conversion

    model = trained.models(card)(one)
    return Source(
        lambda given: answers.predict(model, framing.rectangle(given, card.input_shape)),
        _scale(model),
        lambda format, kind: conversion.network(
            model, card, format, kind, fuse, clips.representative
        ),
    )


def _machine(card: Card, one: FoldModel) -> Source:
    """A classical model."""
    machine = machines.read(card.folder / one.file)
    scale = machine.spread if machine.head == "values" else 1.0
    return Source(machine.of_clips, scale, lambda *_: graphs.onnx(machine, card.input_shape))


def use_tensorflow() -> None:
    """Let Keras compute with TensorFlow, for models of any backend."""
    if "keras" in sys.modules and sys.modules["keras"].backend.backend() != "tensorflow":
        raise InputError("Keras computes with another backend already; export in a new process")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # it announces itself at every start
    backend.start("tensorflow")


def clips_given(card: Card, sounds: list[Path]) -> Clips:
    """Features and sounds of files that are given."""
    files = inputs.files(sounds)
    features = [inputs.read(file, card, fused=False).values for file in files]
    decoded = [inputs.read(file, card, fused=True).values for file in files]
    representative = framing.rectangle(features[:REPRESENTATIVE], card.input_shape)
    return Clips(features, decoded, NOTHING, representative)


def clips_of_the_run(card: Card, fold: int, fuse: bool, most: int | None) -> Clips:
    """Held-out and training clips of a fold, from where the stages of the run put them."""
    made = experiment.of_bundle(card, "run dvc repro, or give --sounds")
    checked.expect(made.certificate, made.folds)
    data = dataset.load(made.store, made.index, made.folds, target=card.target, memory_mb=0)
    card.expect(checked.read(made.certificate)["sha256"], data.spec)
    (parts,) = (part for part in data.folds if part.number == fold)
    held_out = _spread(parts.test, most)
    paths = [made.raw / path for path in data.clips.path[held_out]]
    read = [inputs.read(path, card, fused=True) for path in paths] if fuse else []
    return Clips(
        data.each(held_out),
        [one.values for one in read],
        data.truth[held_out],
        data.take(_spread(parts.train, REPRESENTATIVE)),
    )


def _spread(rows: np.ndarray, most: int | None) -> np.ndarray:
    """Take some rows, spread evenly, or all."""
    if most is None or len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]


def _scale(model: Any) -> np.ndarray | float:
    """What deviations are divided by: 1 for probabilities, for ratings their own deviation."""
    scales = [np.asarray(layer.std) for layer in model.layers if layer.name == "ratings"]
    return scales[0] if scales else 1.0


def measured(
    name: str,
    content: bytes,
    found: np.ndarray,
    wanted: np.ndarray,
    scale: np.ndarray | float,
    card: Card,
    truth: np.ndarray,
) -> dict[str, Any]:
    """What the table says of a file; scores where the truth is given."""
    row = {
        "file": name,
        "bytes": len(content),
        "published": published_size(name, card),
        "deviation": float((np.abs(found - wanted) / scale).max()),
    }
    return row | (card.target.summary(truth, found) if len(truth) else {})


def published_size(name: str, card: Card) -> int | None:
    """Bytes that the authors' file of the same kind, input and classes has."""
    sizes = networks.facts(card.model).published_sizes
    facts = {"file": name, "input_shape": list(card.input_shape)}
    facts |= {"labels": len(card.target.outputs)}
    return next((s["bytes"] for s in sizes if {**s, **facts} == s), None)


def as_text(table: pd.DataFrame, card: Card) -> str:
    """The table for a terminal, recalls in percent, CCC as it is."""
    digits, scale = card.target.DIGITS + 1, card.target.SCALE
    scores = {
        column: (scale * table[column]).map(f"{{:.{digits}f}}".format)
        for column in table.columns[4:]
    }
    shown = table.assign(
        published=table.published.astype(object).where(table.published.notna(), "-"),
        deviation=table.deviation.map("{:.1e}".format),
        **scores,
    )
    return shown.to_string(index=False)
