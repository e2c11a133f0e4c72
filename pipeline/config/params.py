"""params.yaml as frozen dataclasses; this module is its only reader.

The whole file is checked whenever any stage starts, so a mistake stops the first stage and not the
last: unknown keys, wrong types, names that no table holds, settings that a feature or model does
not have. A message is one line: place, what was found, what was wanted.
"""

import dataclasses
import math
import re
import textwrap
import types
import typing
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError

from pipeline import parallel, plugins, settings, text
from pipeline.audit import quality
from pipeline.engine import BALANCES, TRAINING
from pipeline.engine.backend import BACKENDS
from pipeline.errors import InputError
from pipeline.features import recipes
from pipeline.features.recipes import FeatureRecipe, WaveformRecipe
from pipeline.files.index import RATINGS
from pipeline.protocols.protocol import Protocol

FILE = Path("params.yaml")
FOLDS = ("auto", "threads", "stacked")
SELECTIONS = ("last", "best_validation", "leaky")
# Of settings of training, where a model has them.
BOUNDS = {"epochs": 1, "batch": 1, "mask_frames": 0, "mask_bins": 0, "clusters": 2, "unlabeled": 0}


@dataclasses.dataclass(frozen=True)
class Corpus:
    """One corpus: the parser that reads it with its settings, none left unsaid, and its limits.

    ``samples`` is the length its clips are cut or padded to. ``allow_partial`` goes on with a copy
    that lacks clips; ``limits`` are the counts of ``quality.json`` above which the index fails.
    """

    name: str
    parser: str
    samples: int
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    allow_partial: bool = False
    limits: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Engine:
    """How all runs are computed; nothing of what is computed."""

    backend: str
    folds: str
    memory_mb: int
    workers: str


@dataclasses.dataclass(frozen=True)
class Run:
    """One line of the table of experiments; ``settings`` and ``training`` are complete."""

    name: str
    model: str
    corpus: str
    waveform: str
    feature: str
    protocol: str
    selection: str
    seeds: tuple[int, ...]
    weights: str
    engine: Engine
    settings: dict[str, Any]
    training: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Params:
    """The whole of params.yaml, checked."""

    corpora: dict[str, Corpus]
    waveforms: dict[str, WaveformRecipe]
    features: dict[str, FeatureRecipe]
    protocols: dict[str, Protocol]
    runs: dict[str, Run]
    engine: Engine


def load(path: Path = FILE) -> Params:
    """Read and check params.yaml.

    Raises
    ------
    InputError
        One line: the place in the file, what was found, what was wanted.
    """
    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run this where dvc.yaml lies") from None
    # the last three: a text that is not what its form or tag says (2026-02-30), or nested too deep
    except (YAMLError, ValueError, KeyError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: {error.problem}" if mark else _one_line(error)
        raise InputError(f"{path}: not YAML: {where}") from None
    try:
        return _params(data)
    except InputError as error:
        raise InputError(f"{path}: {_one_line(error)}") from None


def _params(data: Any) -> Params:
    """Check the parsed file; places are dotted paths within it."""
    tables = ("corpora", "waveforms", "features", "protocols", "models", "runs", "engine")
    data = _mapping(data, "top level")
    _known_keys(data, tables, "")
    _all_keys(data, tables, "")
    engine = _engine(data["engine"])
    corpora = _table(data, "corpora", _corpus)
    waveforms = _table(data, "waveforms", _waveform)
    features = _table(data, "features", _feature)
    checked_protocols = _table(data, "protocols", _protocol)
    models = _table(data, "models", _model)
    known = {
        "model": models,
        "corpus": corpora,
        "waveform": waveforms,
        "feature": features,
        "protocol": checked_protocols,
    }
    runs = _table(data, "runs", lambda name, line, place: _run(name, line, place, known, engine))
    return Params(corpora, waveforms, features, checked_protocols, runs, engine)


def _engine(line: Any) -> Engine:
    engine = _record(Engine, "", line, "engine")
    _choice(engine.backend, BACKENDS, "engine.backend")
    _choice(engine.folds, FOLDS, "engine.folds")
    _at_least(engine.memory_mb, 1, "engine.memory_mb")
    if not parallel.known(engine.workers):
        raise InputError(
            f"engine.workers: wanted {', '.join(parallel.LOCAL)} or tcp://HOST:PORT of a dask "
            f"scheduler, got {_shown(engine.workers)}"
        )
    return engine


def _corpus(name: str, line: dict, place: str) -> Corpus:
    line, parsers = dict(_mapping(line, place)), plugins.names("corpora")
    if "settings" in line:
        raise InputError(f"{place}.settings: no such key; a parser's stand beside the others")
    if line.get("parser") in parsers:
        defaults = plugins.defaults("corpora", line["parser"], "clips")
        given = {key: line.pop(key) for key in defaults if key in line}
        line["settings"] = defaults | _settings(given, defaults, {}, place)
    corpus = _record(Corpus, name, line, place)
    _choice(corpus.parser, tuple(parsers), f"{place}.parser")
    _at_least(corpus.samples, 1, f"{place}.samples")
    for key, value in corpus.limits.items():
        _choice(key, quality.LIMITS, f"{place}.limits")
        _at_least(_typed(value, float, f"{place}.limits.{key}"), 0, f"{place}.limits.{key}")
    return corpus


def _waveform(name: str, line: dict, place: str) -> WaveformRecipe:
    return settings.read(WaveformRecipe, line, place)


def _feature(name: str, line: dict, place: str) -> FeatureRecipe:
    return recipes.read_feature(line, place)


def _protocol(name: str, line: dict, place: str) -> Protocol:
    return settings.read(Protocol, line, place)


def _model(name: str, line: dict | None, place: str) -> dict[str, Any]:
    _choice(name, tuple(plugins.names("models")), place)
    defaults = plugins.defaults("models", name, "build") | _training(name)
    del defaults["seed"]  # a run's own
    overrides = {} if line is None else _mapping(line, place)
    nullable = plugins.nullable("models", name, "build")
    return defaults | _settings(overrides, defaults, nullable, place)


def _training(model: str) -> dict[str, Any]:
    """Settings of training that a model states, and those that any training takes."""
    return TRAINING | plugins.constant("models", model, "TRAINING")


def _run(name: str, line: dict, place: str, known: dict[str, dict], engine: Engine) -> Run:
    line = dict(_mapping(line, place))
    overrides = _mapping(line.pop("settings", {}), f"{place}.settings")
    line = {"selection": "last", "seeds": [0], "weights": ""} | line
    backend = _choice(line.pop("backend", engine.backend), BACKENDS, f"{place}.backend")
    derived = {"engine": dataclasses.replace(engine, backend=backend), "training": {}}
    for key in derived:
        if key in line:
            raise InputError(f"{place}.{key}: no such key; see engine, or settings of the run")
    run = _record(Run, name, line | derived | {"settings": {}}, place)
    for key, table in known.items():
        _choice(getattr(run, key), tuple(table), f"{place}.{key}")
    _choice(run.selection, SELECTIONS, f"{place}.selection")
    if not run.seeds or len(set(run.seeds)) < len(run.seeds):
        found = _shown(list(run.seeds))
        raise InputError(f"{place}.seeds: wanted one or more, all different, got {found}")
    _at_least(min(run.seeds), 0, f"{place}.seeds")
    protocol = known["protocol"][run.protocol]
    validated = protocol.validation or protocol.kind == "partition"
    if run.selection == "best_validation" and not validated:
        raise InputError(
            f"{place}.selection: best_validation needs validation speakers; "
            f"set protocols.{run.protocol}.validation to 1 or more"
        )
    defaults = known["model"][run.model]
    nullable = plugins.nullable("models", run.model, "build")
    merged = defaults | _settings(overrides, defaults, nullable, f"{place}.settings")
    training = _training(run.model)
    for key, bound in BOUNDS.items():
        if key in merged:
            _at_least(merged[key], bound, f"{place}.settings.{key}")
    attributes = merged.get("attributes", RATINGS)
    for attribute in attributes:
        _choice(attribute, RATINGS, f"{place}.settings.attributes")
    if not attributes or len(set(attributes)) < len(attributes):
        found = _shown(list(attributes))
        raise InputError(f"{place}.settings.attributes: wanted one or more, once, got {found}")
    _choice(merged["balance"], BALANCES, f"{place}.settings.balance")
    if "attributes" in training:
        _takes_whole_clips(run, known, place)
    return dataclasses.replace(
        run,
        settings={key: value for key, value in merged.items() if key not in training},
        training={key: value for key, value in merged.items() if key in training},
    )


def _takes_whole_clips(run: Run, known: dict[str, dict], place: str) -> None:
    """Refuse recipes of which a run on attributes cannot tell the frames of a clip."""
    if known["waveform"][run.waveform].length != "whole":
        raise InputError(
            f"{place}.waveform: {run.model} takes whole clips; "
            f"set waveforms.{run.waveform}.length to whole, or name another"
        )
    if not known["feature"][run.feature].chunks:
        raise InputError(
            f"{place}.feature: {run.model} learns from chunks of a clip; "
            f"give features.{run.feature} segment and chunks, or name another"
        )


def _table(data: dict, table: str, check: typing.Callable) -> dict:
    """Check each line of a table; names become folders, so they are plain."""
    checked = {}
    for name, line in _mapping(data[table], table).items():
        place = f"{table}.{name}"
        if not isinstance(name, str):
            raise InputError(f"{place}: a name is a text, got {_shown(name)}; put it in quotes")
        if not re.fullmatch(r"\w[\w-]*", name):
            raise InputError(f"{place}: a name holds letters, digits, _ and, not in front, -")
        checked[name] = check(name, line, place)
    return checked


def _record(kind: type, name: str, line: Any, place: str) -> Any:
    """Make a dataclass from a line: every field there, none unknown, each of its type."""
    line = _mapping(line, place)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.name != "name"}
    hints = typing.get_type_hints(kind)
    missing = dataclasses.MISSING
    optional = {
        key for key, f in fields.items() if (f.default, f.default_factory) != (missing, missing)
    }
    _known_keys(line, tuple(fields), place)
    _all_keys(line, tuple(key for key in fields if key not in optional), place)
    values = {key: _typed(value, hints[key], f"{place}.{key}") for key, value in line.items()}
    if "name" in hints:
        values["name"] = name
    return kind(**values)


def _settings(
    line: dict, defaults: dict[str, Any], nullable: dict[str, type], place: str
) -> dict[str, Any]:
    """Check settings against the defaults they replace: known names, the default's type."""
    _known_keys(line, tuple(defaults), place)
    checked = {}
    for key, value in line.items():
        wanted = nullable[key] | None if key in nullable else type(defaults[key])
        checked[key] = _typed(value, wanted, f"{place}.{key}")
    return checked


def _typed(value: Any, wanted: Any, place: str) -> Any:
    """Return ``value`` as the wanted type; whole numbers pass for decimals, nothing else bends."""
    union = isinstance(wanted, types.UnionType)
    kinds = typing.get_args(wanted) if union else (wanted,)
    plain = [typing.get_origin(kind) or kind for kind in kinds]
    if tuple in plain and isinstance(value, list):
        items = typing.get_args(kinds[plain.index(tuple)])  # tuple[str, ...]: of what it is made
        return tuple(_typed(item, items[0], place) if items else item for item in value)
    if float in plain and type(value) is int and abs(value) < 2**53:
        return float(value)
    if isinstance(value, bool):
        fits = bool in plain
    elif isinstance(value, float):
        fits = float in plain and math.isfinite(value)
    else:
        fits = isinstance(value, tuple(plain))
    if not fits:
        raise InputError(f"{place}: wanted {_type_name(plain)}, got {_shown(value)}")
    return value


def _type_name(kinds: list[type]) -> str:
    """Types in words."""
    words = {
        int: "a whole number",
        float: "a number",
        str: "a text",
        bool: "true or false",
        tuple: "a list",
        dict: "a mapping",
        types.NoneType: "null",
    }
    return " or ".join(words[kind] for kind in kinds)


def _mapping(value: Any, place: str) -> dict:
    if not isinstance(value, dict):
        raise InputError(f"{place}: wanted a mapping, got {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    """A value found, as YAML spells it, and not at any length."""
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else textwrap.shorten(repr(value), 60)


def _one_line(error: Exception) -> str:
    """Message of an error without line breaks, which may come out of the file."""
    return " ".join(str(error).split())


def _known_keys(line: dict, known: tuple[str, ...], place: str) -> None:
    for key in line:
        if key not in known:
            where = f"{place}.{key}".lstrip(".")
            raise InputError(f"{where}: no such key; {text.nearest(key, known)}")


def _all_keys(line: dict, wanted: tuple[str, ...], place: str) -> None:
    for key in wanted:
        if key not in line:
            raise InputError(f"{f'{place}.{key}'.lstrip('.')}: missing")


def _choice(value: Any, known: tuple[str, ...], place: str) -> str:
    if value not in known:
        raise InputError(f"{place}: no {_shown(value)}; {text.nearest(value, known)}")
    return value


def _at_least(value: float, bound: int, place: str) -> None:
    if value < bound:
        raise InputError(f"{place}: must be at least {bound}, got {value}")
