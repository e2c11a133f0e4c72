"""The models: a file or a folder each, and what it must hold.

That ``pipeline/models/NAME.py`` is there, or the folder ``pipeline/models/NAME``, makes a model
known; no list is edited. A single file states the facts and has ``build``, which imports keras
inside it. The files of a folder:

``__init__.py``
    The facts: a docstring that says what the system is, and `Facts`. Read whenever params.yaml is,
    before it is known which backend computes, so it loads no Keras.
``network.py``
    The network: `Network`; or ``build`` in ``__init__.py``, as in a single file. A classical model,
    whose ``TRAINING`` is a fit, has no network: next to its facts it defines ``estimator``, a
    machine of scikit-learn on functionals of the feature (`functionals`).
``weights.py``
    For a model whose weights were published: ``read_published(path)``, which gives the weights of
    one file by role, for ``set_weights`` of the network.

``models/README.md`` has a complete example. `training` holds the records of training, `layers` what
several networks need.
"""

import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from pipeline import plugins, settings, text
from pipeline.errors import InputError
from pipeline.models.training import AnyTraining, AttributeTraining, Fit

if TYPE_CHECKING:
    import keras
    import numpy as np

GUIDE = "see models/README.md"
ENGINES = {"keras", "tensorflow", "jax", "torch"}
SHARED = ("functionals", "layers", "training")  # parts of models, not models


@dataclass(frozen=True)
class Facts:
    """What the file of a model states, there in capitals; the last four may be left out.

    Attributes
    ----------
    settings : type
        ``Settings``: record of the network's settings (`pipeline.settings`), the paper's its
        defaults; of a classical model one field of it is ``functionals: Functionals``.
    training : Training or Fit
        ``TRAINING``: the paper's training, an `EmotionTraining` (a `SegmentTraining` is one) or
        `AttributeTraining`; or, of a classical model, an `EmotionFit` or `AttributeFit`.
    published : sequence of mapping
        ``PUBLISHED``: published results, each with ``corpus`` (its parser), ``protocol`` in words,
        ``source``, numbers by the names of metrics, and ``conditions``: how they were made, as
        `reporting.comparison.differences` compares it with a run.
    published_sizes : sequence of mapping
        ``PUBLISHED_SIZES``: ``file, input_shape, labels, bytes`` of files that authors exported.
    searched : sequence of str
        ``SEARCHED`` of a classical model: settings that list values, of which one is chosen by
        inner folds.
    check : callable
        ``check(settings, training)``: raises an InputError, ``SETTING: what is wrong``, where
        settings of the network and of its training do not go together.
    """

    settings: type
    training: AnyTraining
    published: Sequence[Mapping[str, Any]]
    published_sizes: Sequence[Mapping[str, Any]]
    searched: Sequence[str] = ()
    check: Callable[[Any, Any], None] = lambda settings, training: None

    @property
    def classical(self) -> bool:
        """Whether it is fitted at once, by scikit-learn, and no network."""
        return isinstance(self.training, Fit)


class Network(Protocol):
    """What ``network.py`` of a model defines, or its single file.

    ``with_clusters`` is wanted where ``TRAINING`` is an `AttributeTraining`, ``role_names`` and
    ``set_weights`` where weights were published; others leave them out.
    """

    def build(
        self, input_shape: tuple[int, ...], outputs: int, settings: Any, seed: int
    ) -> "keras.Model":
        """Build the network, untrained.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one clip: the feature's, time first.
        outputs : int
            Number of emotions, or of attributes.
        settings : Settings
            The model's record, checked.
        seed : int
            Seed of the weights at the start and of the dropout.

        Returns
        -------
        keras.Model
            ``(batch, *input_shape)`` to ``(batch, outputs)``: probabilities, from a last layer
            whose activation is softmax; or attributes in the units of the ratings.

        Raises
        ------
        InputError
            If the network cannot take an input of this shape.
        """
        ...

    def role_names(self, model: "keras.Model") -> "dict[str, keras.Variable]":
        """Name each weight by what it does: ``conv1.kernel``.

        Parameters
        ----------
        model : keras.Model
            Made by `build` or `with_clusters`.

        Returns
        -------
        dict of str to keras.Variable
            Trained weights and running statistics, in any order.
        """
        ...

    def set_weights(self, model: "keras.Model", weights: "dict[str, np.ndarray]") -> None:
        """Set all weights by role.

        Parameters
        ----------
        model : keras.Model
            Made by `build` or `with_clusters`.
        weights : dict of str to ndarray
            Arrays by the names of `role_names`.

        Raises
        ------
        InputError
            If they are those of another network: of other settings, inputs or outputs.
        """
        ...

    def with_clusters(self, model: "keras.Model", clusters: int, *, seed: int = 0) -> "keras.Model":
        """Put a branch for clusters on a network, with the same weights."""
        ...


def names() -> list[str]:
    """Names of all models, sorted."""
    return sorted(
        found.name for found in pkgutil.iter_modules(__path__) if found.name not in SHARED
    )


def facts(name: str) -> Facts:
    """Give the facts of a model, checked.

    Raises
    ------
    InputError
        One line, if there is no such model, its file cannot be imported or loads Keras, or what
        it must state is missing or wrong.
    """
    known = names()
    if name not in known:
        raise InputError(f"no model {text.shown(name)}; {text.nearest(name, known)}")
    module, file = _imported(name), _file(name)
    record, training = getattr(module, "Settings", None), getattr(module, "TRAINING", None)
    if not isinstance(record, type) or not is_dataclass(record):
        raise InputError(f"{file}: wanted Settings, a frozen dataclass; {GUIDE}")
    if not isinstance(training, AnyTraining):
        raise InputError(
            f"{file}: wanted TRAINING, an EmotionTraining or AttributeTraining; {GUIDE}"
        )
    settings.read(type(training), settings.flat(training), f"{file}: TRAINING")
    of_both = {field.name for field, _ in settings.fields(record)} & settings.flat(training).keys()
    if of_both:
        raise InputError(f"{file}: Settings: {min(of_both)} is of TRAINING; choose another name")
    if isinstance(training, Fit):
        _check_functions(module, file, {"estimator": ("settings", "chosen", "balance", "dims")})
    elif not _has(name, "network"):
        _check_network(module, file, training)
    published = (getattr(module, name, ()) for name in ("PUBLISHED", "PUBLISHED_SIZES", "SEARCHED"))
    if hasattr(module, "check"):
        _check_functions(module, file, {"check": ("settings", "training")})
    return Facts(record, training, *published, check=getattr(module, "check", Facts.check))


def estimator(name: str) -> Callable[..., Any]:
    """Give ``estimator`` of a classical model.

    ``estimator(settings, chosen, balance, dims)`` makes a machine of scikit-learn, unfitted: an
    ``SVC`` with ``break_ties``, ``SVR``, ``LogisticRegression`` or ``Ridge``. ``chosen`` holds one
    value of each setting that is ``SEARCHED``, ``balance`` is that of the training (``none`` of
    attributes), and ``dims`` the number of functionals.
    """
    return _imported(name).estimator


def network(name: str) -> Network:
    """Import the network of a model, which registers its layers; Keras is loaded.

    Raises
    ------
    InputError
        One line, as of `facts`.
    """
    training = facts(name).training
    if not _has(name, "network"):
        return cast(Network, _imported(name))
    module = _imported(name, "network")
    _check_network(module, _file(name, "network"), training)
    return cast(Network, module)


def read_published(name: str) -> "Callable[[Path], dict[str, np.ndarray]]":
    """Give the reader of a model's published weights.

    Raises
    ------
    InputError
        If none were published.
    """
    if not _has(name, "weights"):
        raise InputError(f"weights: none of {name} were published; leave weights out")
    return _imported(name, "weights").read_published


def _imported(name: str, part: str = "__init__") -> ModuleType:
    """Import a file of a model; any failure is one line."""
    before = ENGINES & sys.modules.keys()
    dotted = f"{__name__}.{name}" if part == "__init__" else f"{__name__}.{name}.{part}"
    module = plugins.imported(dotted, _file(name, part))
    if part == "__init__" and (loaded := (ENGINES & sys.modules.keys()) - before):
        raise InputError(
            f"{_file(name)}: imports {min(loaded)}, but is read before a backend is chosen; "
            "import it inside build, or move the network to network.py next to it"
        )
    return module


def _check_network(module: ModuleType, file: str, training: AnyTraining) -> None:
    """Refuse a network whose functions are missing or cannot be called."""
    wanted: dict[str, tuple[str, ...]] = {"build": ("input_shape", "outputs", "settings", "seed")}
    if isinstance(training, AttributeTraining):
        wanted["with_clusters"] = ("model", "clusters")
    _check_functions(module, file, wanted)


def _check_functions(module: ModuleType, file: str, wanted: dict[str, tuple[str, ...]]) -> None:
    """Refuse a file that lacks a function, or has one that cannot be called so."""
    for function, parameters in wanted.items():
        found, call = getattr(module, function, None), f"{function}({', '.join(parameters)})"
        if not callable(found):
            raise InputError(f"{file}: wanted a function {call}; {GUIDE}")
        try:
            inspect.signature(found).bind(*parameters)
        except TypeError as error:
            raise InputError(f"{file}: wanted {call}, but {error}; {GUIDE}") from None


def _file(name: str, part: str = "__init__") -> str:
    """Where a file of a model is, from the top of the project."""
    inside = f"{name}/{part}" if _is_folder(name) else name
    return f"{__name__.replace('.', '/')}/{inside}.py"


def _is_folder(name: str) -> bool:
    """Whether a model is a folder, not a single file."""
    return any(found.ispkg for found in pkgutil.iter_modules(__path__) if found.name == name)


def _has(name: str, part: str) -> bool:
    """Whether a model is a folder with that file."""
    return _is_folder(name) and importlib.util.find_spec(f"{__name__}.{name}.{part}") is not None
