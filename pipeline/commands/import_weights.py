"""Import: a checkpoint that DeepEmoCluster's authors published, as a bundle for predict and export.

Not a stage: their corpus, MSP-Podcast 1.8, is needed for nothing here. Next to the weights they
published what features and ratings are scaled by; both go into the network, which then takes mel
spectra as they are and answers in the units of the ratings, from 1 to 7.
"""

import re
import sys
import zlib
from pathlib import Path

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from pipeline import models, text
from pipeline.engine import backend
from pipeline.errors import InputError
from pipeline.files import bundles, tables
from pipeline.files.spec import Spec
from pipeline.inference import cards
from pipeline.inference.cards import Card, FoldModel
from pipeline.scoring.targets import Attributes
from pipeline.settings import flat

SYSTEM, MODEL = "deepemocluster", "deep_emo_cluster"
ATTRIBUTES = {"Act": "arousal", "Dom": "dominance", "Val": "valence"}  # by the authors' words
KEY = "normal_para"  # of every file of normalisation
# What distinguishes the temporal networks. Without any it is Temp-Triplet, or the predecessor,
# which differ in training alone.
MARKS = {"forward.kernel": "gru", "look1.kernel": "cnn", "norm1.gamma": "trans"}
# What the weights were trained on: the recipes whole-16k and mel128-chunks, nothing left unsaid.
SHAPE = (11, 62, 128)  # chunks, frames, bins
SPEC = {
    "waveform": {
        "mix": "mean",
        "sample_rate": 16000,
        "resampler": "soxr_hq",
        "length": "whole",
        "samples": None,
        "normalise": "peak",
        "pre_emphasis": 0.0,
        "pcm16": False,
        "copies": 0,
        "augment": {},
    },
    "function": "spectral.mel",
    "settings": {
        "n_fft": 512,
        "hop": 256,
        "win_length": None,
        "window": "hann",
        "periodic": True,
        "centre": True,
        "pad_mode": "reflect",
        "power": 2.0,
        "n_mels": 128,
        "fmin": 0.0,
        "fmax": None,
        "mel_scale": "slaney",
        "mel_norm": "slaney",
        "precision": "float64",
    },
    "deltas": "none",
    "segment": 62,
    "segment_hop": 0,
    "chunks": 11,
}


def import_weights(
    system: str,
    checkpoint: Path,
    bundle: Path,
    *,
    normalisation: Path | None = None,
    attribute: str = "",
) -> None:
    """Make a bundle of a published checkpoint.

    Of Temporal DeepEmoCluster, for ``ser predict`` and ``ser export``. Nothing that is pickled in
    the checkpoint is run, and PyTorch is not needed. The weights show which temporal network it is.

    Parameters
    ----------
    system : {"deepemocluster"}
        System that the checkpoint is of.
    checkpoint : Path
        Such as ``TempDeepEmoCluster_epoch30_batch64_10clusters_Act_Temp-CNN.pth.tar``.
    bundle : Path
        Folder to write; it must not be there yet.
    normalisation : Path, optional
        Folder of ``feat_norm_means.mat``, ``feat_norm_stds.mat`` and, by the attribute,
        ``act_``, ``dom_`` or ``val_norm_means.mat`` and ``_stds.mat``; by default the one that the
        checkpoint lies in.
    attribute : str
        What the checkpoint predicts, if its name says neither ``_Act_``, ``_Dom_`` nor ``_Val_``:
        arousal, dominance or valence.

    Raises
    ------
    InputError
        If the system or the attribute is not known, the bundle is there already, or the checkpoint
        or a file of normalisation is missing, damaged or of something else. Nothing is written
        then.
    """
    if system != SYSTEM:
        raise InputError(f"system: no {system!r}; known: {SYSTEM}")
    if bundle.exists():
        raise InputError(f"{bundle}: is there already; choose another folder, or remove it")
    library = backend.start(backend.BACKENDS[0])
    weights = models.read_published(MODEL)(checkpoint)
    predicted = attribute or _attribute(checkpoint)
    if predicted not in ATTRIBUTES.values():
        nearest = text.nearest(predicted, tuple(ATTRIBUTES.values()))
        raise InputError(f"attribute: no {predicted!r}; {nearest}")
    files = _files(normalisation or checkpoint.parent, predicted)
    sizes = {"scaled": SHAPE[-1], "ratings": 1}
    scales = {role: _scale(path, sizes[role.split(".")[0]]) for role, path in files.items()}
    if not (scales["ratings.std"] > 0).all():
        raise InputError(
            f"{files['ratings.std']}: holds {scales['ratings.std'][0]:g}, wanted above 0"
        )

    network = models.network(MODEL)
    settings = models.facts(MODEL).settings(temporal=_temporal(weights, checkpoint))
    model = network.build(SHAPE, 1, settings, 0)
    try:
        network.set_weights(model, weights | scales)
    except InputError as error:
        raise InputError(f"{checkpoint}: {error}") from None
    one = FoldModel(fold=1, seed=0, file=f"{bundles.fold_name(1, 0, (0,))}.keras", epoch=None)
    card = Card(
        folder=bundle,
        run=bundle.name,
        model=MODEL,
        corpus="msp_podcast",
        waveform="whole-16k",
        feature="mel128-chunks",
        protocol=None,
        target=Attributes((predicted,)),
        input_shape=SHAPE,
        spec=Spec.from_json(SPEC),
        settings=flat(settings),
        training=None,
        selection="best_validation",
        seeds=(0,),
        weights={path.name: tables.file_sha256(path) for path in (checkpoint, *files.values())},
        files={},
        backend=library,
        device=None,
        versions=bundles.versions(library),
        certificate=None,
        stacked=False,
        parameters=model.count_params(),
        provenance=None,
        folds=(one,),
    )
    with bundles.resume(bundle, tables.sha256(card.to_json())) as temporary:
        bundles.write_model(model.save, temporary / one.file)
        cards.write(card, temporary)
    sys.stdout.write(f"{bundle}: {predicted}, {settings.temporal}, of {checkpoint.name}\n")


def _attribute(checkpoint: Path) -> str:
    """Attribute that the name of a checkpoint states."""
    match = re.search(rf"_({'|'.join(ATTRIBUTES)})_", checkpoint.name)
    if not match:
        raise InputError(
            f"{checkpoint}: its name states no attribute (_Act_, _Dom_ or _Val_); give --attribute"
        )
    return ATTRIBUTES[match[1]]


def _temporal(weights: dict[str, np.ndarray], checkpoint: Path) -> str:
    """Name of the temporal network that some weights are of."""
    marked = [temporal for role, temporal in MARKS.items() if role in weights]
    return marked[0] if marked else "triplet" if "Temp-Triplet" in checkpoint.name else "none"


def _files(folder: Path, attribute: str) -> dict[str, Path]:
    """Files of normalisation by the weight that each gives."""
    (word,) = (word for word, name in ATTRIBUTES.items() if name == attribute)
    files = {
        f"{layer}.{weight}": folder / f"{of}_norm_{what}.mat"
        for layer, of in (("scaled", "feat"), ("ratings", word.lower()))
        for weight, what in (("mean", "means"), ("std", "stds"))
    }
    if missing := [path.name for path in files.values() if not path.is_file()]:
        raise InputError(
            f"{folder}: holds no {', '.join(missing)}; name the folder that does by --normalisation"
        )
    return files


def _scale(path: Path, size: int) -> np.ndarray:
    """Numbers of one file of normalisation (size,)."""
    try:
        values = np.asarray(scipy.io.loadmat(path)[KEY], np.float64).ravel()
    except (
        *(MatReadError, ValueError, TypeError, LookupError, RuntimeError, OSError),
        *(ArithmeticError, MemoryError, zlib.error),
    ) as error:  # any that a damaged file may raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: not a MATLAB file with {KEY}, or damaged ({reason}); copy it again"
        ) from None
    if values.shape != (size,) or not np.isfinite(values).all():
        raise InputError(f"{path}: {KEY}: found {len(values)} numbers, wanted {size}, all finite")
    return values
