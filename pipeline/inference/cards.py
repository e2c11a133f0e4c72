"""What a model bundle is: ``card.json``, read once by all that uses the bundle."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import text
from pipeline.engine import machines
from pipeline.errors import InputError
from pipeline.files import checked, tables
from pipeline.files.spec import Spec
from pipeline.scoring import targets
from pipeline.scoring.target import Target

NAME = "card.json"
LIMITS = "limits.npz"  # where the vectors of training clips lie (`pipeline.inference.limits`)
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.(keras|npz)")  # in the bundle, and not beyond it
WANTED = {
    **dict.fromkeys("run model corpus waveform feature spec_sha256 selection backend".split(), str),
    **dict.fromkeys("protocol certificate device".split(), str | None),
    **dict.fromkeys("labels attributes input_shape seeds folds pretrained_on leaks".split(), list),
    **dict.fromkeys("spec settings files versions".split(), dict),
    **dict.fromkeys("training weights provenance".split(), dict | None),
    "stacked": bool,
    "parameters": int,
}
WORDS = {
    str: "a text",
    str | None: "a text or null",
    list: "a list",
    dict: "a mapping",
    dict | None: "a mapping or null",
    bool: "true or false",
    int: "a whole number",
}


@dataclass(frozen=True)
class FoldModel:
    """One trained model of a bundle.

    Attributes
    ----------
    fold : int
        Fold whose test clips it did not see, from 1.
    seed : int
    file : str
        Its file in the bundle.
    epoch : int or None
        The selected one, from 1; None for imported weights.
    temperature : float
        What its probabilities are tempered by (`pipeline.scoring.calibration`), fitted on the
        validation clips of its fold; 1 where these have too few speakers, and of attributes.
    limits : mapping or None
        Lowest and highest value of its training clips, by kind (`pipeline.inference.limits`); None
        of bundles that were made without.
    """

    fold: int
    seed: int
    file: str
    epoch: int | None
    temperature: float = 1.0
    limits: Mapping[str, Sequence[float]] | None = None


@dataclass(frozen=True)
class Card:
    """All that is needed to use the models of a bundle, and to know how they were made.

    Attributes
    ----------
    folder : Path
        The bundle; not part of ``card.json``.
    run, model, corpus, waveform, feature : str
        Names in params.yaml.
    protocol : str or None
        Name in params.yaml; None for a bundle made of a checkpoint.
    target : Target
        Stated as ``labels`` and ``attributes``, one of them empty.
    input_shape : tuple of int
        Shape of one clip: ``(frames, ...)`` or ``(segments, frames, ...)``.
    spec : Spec
        What made its features.
    settings : mapping
        What the model was built with.
    training : mapping or None
        What it was trained with; None for imported weights.
    selection : str
        Rule by which the epoch was picked.
    seeds : tuple of int
    weights : mapping or None
        SHA-256 of imported weight files by name; None if the models were trained.
    files : mapping
        SHA-256 of files that ``settings`` name.
    backend, device : str
        What computed: a backend of Keras, or scikit-learn; no device if nothing was trained.
    versions : mapping
        Versions of the packages that decide numbers.
    certificate : str or None
        SHA-256 of the protocol's certificate.
    stacked : bool
        Whether folds were trained as one program.
    parameters : int
        Number of weights.
    provenance : mapping or None
        Clips that a model rests on, by fold and purpose.
    folds : tuple of FoldModel
        Its models, of each seed those of all folds.
    pretrained_on : tuple of str
        Corpora that its feature or the weights it started from have been trained on, ``unknown``
        among them where that is not known.
    leaks : tuple of str, from ``vocabulary.BROUGHT``
        Leaks that these state of themselves.
    """

    folder: Path
    run: str
    model: str
    corpus: str
    waveform: str
    feature: str
    protocol: str | None
    target: Target
    input_shape: tuple[int, ...]
    spec: Spec
    settings: Mapping[str, Any]
    training: Mapping[str, Any] | None
    selection: str
    seeds: tuple[int, ...]
    weights: Mapping[str, str] | None
    files: Mapping[str, str]
    backend: str
    device: str | None
    versions: Mapping[str, str]
    certificate: str | None
    stacked: bool
    parameters: int
    provenance: Mapping[str, Any] | None
    folds: tuple[FoldModel, ...] = ()
    pretrained_on: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()

    @property
    def classical(self) -> bool:
        """Whether its models are machines of scikit-learn, and no networks."""
        return self.backend == machines.LIBRARY

    def to_json(self) -> dict[str, Any]:
        """Give what ``card.json`` holds."""
        facts = {key: value for key, value in vars(self).items() if key not in ("folder", "target")}
        return facts | {
            **self.target.to_json(),
            "spec": self.spec.to_json(),
            "spec_sha256": tables.sha256(self.spec.to_json()),
            "input_shape": list(self.input_shape),
            "seeds": list(self.seeds),
            "pretrained_on": list(self.pretrained_on),
            "leaks": list(self.leaks),
            "folds": [vars(one) for one in self.folds],
        }

    def of_fold(self, fold: int | None) -> tuple[FoldModel, ...]:
        """Models of a fold, one for each seed; without a fold, all.

        Raises
        ------
        InputError
            If there is no such fold.
        """
        found = tuple(one for one in self.folds if fold in (None, one.fold))
        if not found:
            known = text.ranges(one.fold for one in self.folds)
            raise InputError(f"{self.folder}: no fold {fold}; it has {known}")
        return found

    def expect(self, certificate: str, spec: Spec) -> None:
        """Refuse folds or features other than those that the models were trained on.

        Parameters
        ----------
        certificate : str
            SHA-256 of the protocol's certificate.
        spec : Spec
            Spec of the feature store.

        Raises
        ------
        InputError
            If either differs.
        """
        if (self.certificate, self.spec) != (certificate, spec):
            raise InputError(f"{self.folder}: trained on other folds or features; run dvc repro")


def hashes(card: Card, ones: Sequence[FoldModel]) -> list[dict[str, Any]]:
    """Give ``fold, seed, sha256`` of models: what a result rests on."""
    return [
        {"fold": one.fold, "seed": one.seed, "sha256": tables.file_sha256(card.folder / one.file)}
        for one in ones
    ]


def read(folder: Path) -> Card:
    """Read and check the card of a bundle.

    Raises
    ------
    InputError
        If the folder is not a bundle, or a key of its card is missing or not of its type.
    """
    path = Path(folder) / NAME
    if not path.is_file():
        bundles = sorted(card.parent.name for card in path.parents[1].glob(f"[!.]*/{NAME}"))
        if bundles and not path.parent.exists():
            nearest = text.nearest(path.parent.name, bundles)
            raise InputError(f"{folder}: no such bundle; {nearest}")
        raise InputError(f"{folder}: not a model bundle (no {NAME}); train it with dvc repro")
    held = checked.read(path)
    try:
        return _card(Path(folder), held)
    except InputError as error:
        raise InputError(f"{path}: {error}; train it again with dvc repro") from None
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        reason = text.printable(text.one_line(error))
        raise InputError(f"{path}: not a card ({reason}); train it again with dvc repro") from None


def write(card: Card, folder: Path) -> None:
    """Write ``card.json`` to a folder; it states the content of the models and their history."""
    names = (*sorted({one.file for one in card.folds}), "history.csv", LIMITS)
    files = [folder / name for name in names]
    checked.write(card.to_json(), folder / NAME, [path for path in files if path.is_file()])


def _card(folder: Path, held: dict[str, Any]) -> Card:
    """Check the content of a card; what is wrong is raised without the place."""
    # bundles made before these were known rest on nothing else
    held = {"pretrained_on": [], "leaks": [], **held}
    if missing := [key for key in WANTED if key not in held]:
        raise InputError(f"has no {', '.join(missing)}")
    for key, kind in WANTED.items():
        if not isinstance(held[key], kind):
            raise InputError(f"{key} is {str(held[key])[:60]}, wanted {WORDS[kind]}")
    target = targets.of(held["attributes"], held["labels"])
    if not target.outputs:
        raise InputError("names neither labels nor attributes")
    if not held["folds"]:
        raise InputError("names no folds")
    try:
        folds = tuple(FoldModel(**one) for one in held["folds"])
    except TypeError:
        raise InputError("each of folds wants fold, seed, file and epoch") from None
    for one in folds:
        if not FILE.fullmatch(str(one.file)):
            raise InputError(f"{text.shown(one.file)} is no file of a bundle, as fold-01.keras is")
        if not all(type(value) is int for value in (one.fold, one.seed, one.epoch or 0)):
            raise InputError(f"{one.file}: fold, seed and epoch are whole numbers")
        if not isinstance(one.limits, dict | None):
            raise InputError(f"{one.file}: limits is {text.shown(one.limits)}, wanted a mapping")
        for kind, pair in (one.limits or {}).items():
            if not (isinstance(pair, list) and [*map(type, pair)] == [float, float]):
                raise InputError(f"{one.file}: limits.{kind} is {text.shown(pair)}, wanted a pair")
    shape = held["input_shape"]
    if not all(type(size) is int and 0 < size < 2**31 for size in shape) or len(shape) < 2:
        raise InputError(f"input_shape is {text.shown(shape)}, wanted whole numbers above 0")
    own = {key: held[key] for key in WANTED if key in Card.__dataclass_fields__}
    spec = Spec.from_json(held["spec"])
    lists = {key: tuple(held[key]) for key in ("input_shape", "seeds", "pretrained_on", "leaks")}
    made = {"folder": folder, "target": target, "spec": spec, "folds": folds}
    known: dict[str, Any] = own | lists | made
    return Card(**known)
