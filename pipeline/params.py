"""params.yaml as frozen dataclasses; this module is its only reader.

The whole file is checked whenever any stage starts, so a mistake stops the first stage and not the
last: unknown keys, wrong types, names that no table holds, settings that a feature or model does
not have. A message is one line: place, what was found, what was wanted.
"""

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError

from pipeline import plugins, protocols
from pipeline.errors import InputError
from pipeline.features import framing, resampling
from pipeline.protocols import Protocol

FILE = Path("params.yaml")
SELECTIONS = ("last", "best_validation", "leaky")
BACKENDS = ("tensorflow", "jax")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """One corpus: the parser that reads it, and the length its clips are cut or padded to."""

    name: str
    parser: str
    samples: int


@dataclasses.dataclass(frozen=True)
class Waveform:
    """A recipe from sound file to waveform of fixed length; ``samples: corpus`` asks the corpus."""

    name: str
    sample_rate: int
    resampler: str
    length: str
    samples: int | str


@dataclasses.dataclass(frozen=True)
class Feature:
    """A recipe from waveforms to a tensor; ``settings`` are the function's, none left unsaid."""

    name: str
    function: str
    settings: dict[str, Any]


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
    seed: int
    weights: str
    backend: str
    settings: dict[str, Any]
    training: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Params:
    """The whole of params.yaml, checked."""

    corpora: dict[str, Corpus]
    waveforms: dict[str, Waveform]
    features: dict[str, Feature]
    protocols: dict[str, Protocol]
    runs: dict[str, Run]


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
    except YAMLError as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path}: not YAML: {problem}") from None
    try:
        return _params(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _params(data: Any) -> Params:
    """Check the parsed file; places are dotted paths within it."""
    tables = ("corpora", "waveforms", "features", "protocols", "models", "runs", "engine")
    data = _mapping(data, "top level")
    _known_keys(data, tables, "")
    _all_keys(data, tables, "")
    engine = _mapping(data["engine"], "engine")
    _known_keys(engine, ("backend",), "engine")
    backend = _choice(engine.get("backend"), BACKENDS, "engine.backend")
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
    runs = _table(data, "runs", lambda name, line, place: _run(name, line, place, known, backend))
    return Params(corpora, waveforms, features, checked_protocols, runs)


def _corpus(name: str, line: dict, place: str) -> Corpus:
    corpus = _record(Corpus, name, line, place)
    _choice(corpus.parser, tuple(plugins.names("corpora")), f"{place}.parser")
    _at_least(corpus.samples, 1, f"{place}.samples")
    return corpus


def _waveform(name: str, line: dict, place: str) -> Waveform:
    waveform = _record(Waveform, name, line, place)
    _at_least(waveform.sample_rate, 1000, f"{place}.sample_rate")
    _choice(waveform.resampler, resampling.METHODS, f"{place}.resampler")
    _choice(waveform.length, framing.POLICIES, f"{place}.length")
    if waveform.samples != "corpus":
        if isinstance(waveform.samples, str):
            found = repr(waveform.samples)
            raise InputError(f"{place}.samples: wanted a number or corpus, got {found}")
        _at_least(waveform.samples, 1, f"{place}.samples")
    return waveform


def _feature(name: str, line: dict, place: str) -> Feature:
    line = dict(_mapping(line, place))
    known = plugins.functions("features")
    _all_keys(line, ("function",), place)
    function = _choice(line.pop("function"), tuple(known), f"{place}.function")
    settings = plugins.defaults("features", *function.split("."))
    return Feature(name, function, settings | _settings(line, settings, place))


def _protocol(name: str, line: dict, place: str) -> Protocol:
    protocol = _record(Protocol, name, line, place)
    try:
        protocols.check(protocol)
    except InputError as error:
        raise InputError(f"{place}.{error}") from None
    return protocol


def _model(name: str, line: dict, place: str) -> dict[str, Any]:
    _choice(name, tuple(plugins.names("models")), place)
    defaults = plugins.defaults("models", name, "build") | plugins.constant(
        "models", name, "TRAINING"
    )
    del defaults["seed"]  # a run's own
    return defaults | _settings(_mapping(line or {}, place), defaults, place)


def _run(name: str, line: dict, place: str, known: dict[str, dict], backend: str) -> Run:
    line = dict(_mapping(line, place))
    overrides = _mapping(line.pop("settings", {}), f"{place}.settings")
    line = {"selection": "last", "seed": 0, "weights": ""} | line
    for key in ("backend", "training"):
        if key in line:
            raise InputError(f"{place}.{key}: no such key; it is engine.backend, or under settings")
    run = _record(Run, name, line | {"backend": backend, "settings": {}, "training": {}}, place)
    for key, table in known.items():
        _choice(getattr(run, key), tuple(table), f"{place}.{key}")
    _choice(run.selection, SELECTIONS, f"{place}.selection")
    protocol = known["protocol"][run.protocol]
    if run.selection == "best_validation" and not protocol.validation:
        raise InputError(
            f"{place}.selection: best_validation needs validation speakers; "
            f"set protocols.{run.protocol}.validation to 1 or more"
        )
    defaults = known["model"][run.model]
    merged = defaults | _settings(overrides, defaults, f"{place}.settings")
    training = plugins.constant("models", run.model, "TRAINING")
    return dataclasses.replace(
        run,
        settings={key: value for key, value in merged.items() if key not in training},
        training={key: value for key, value in merged.items() if key in training},
    )


def _table(data: dict, table: str, check: typing.Callable) -> dict:
    """Check each line of a table; names become folders, so they are plain."""
    checked = {}
    for name, line in _mapping(data[table], table).items():
        place = f"{table}.{name}"
        plain = isinstance(name, str) and name.replace("-", "").replace("_", "").isalnum()
        if not plain:
            raise InputError(f"{place}: a name holds letters, digits, - and _ only")
        checked[name] = check(name, line, place)
    return checked


def _record(kind: type, name: str, line: Any, place: str) -> Any:
    """Make a dataclass from a line: every field there, none unknown, each of its type."""
    line = _mapping(line, place)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.name != "name"}
    hints = typing.get_type_hints(kind)
    optional = {key for key, f in fields.items() if f.default is not dataclasses.MISSING}
    _known_keys(line, tuple(fields), place)
    _all_keys(line, tuple(key for key in fields if key not in optional), place)
    values = {key: _typed(value, hints[key], f"{place}.{key}") for key, value in line.items()}
    if "name" in hints:
        values["name"] = name
    return kind(**values)


def _settings(line: dict, defaults: dict[str, Any], place: str) -> dict[str, Any]:
    """Check settings against the defaults they replace: known names, the default's type."""
    _known_keys(line, tuple(defaults), place)
    checked = {}
    for key, value in line.items():
        default = defaults[key]
        wanted = float | None if default is None else type(default)
        if default is not None and value is None:
            wanted = wanted | None
        checked[key] = _typed(value, wanted, f"{place}.{key}")
    return checked


def _typed(value: Any, wanted: Any, place: str) -> Any:
    """Return ``value`` as the wanted type; whole numbers pass for decimals, nothing else bends."""
    union = isinstance(wanted, types.UnionType)
    kinds = typing.get_args(wanted) if union else (wanted,)
    plain = [typing.get_origin(kind) or kind for kind in kinds]
    if isinstance(value, bool):
        fits = bool in plain
    elif tuple in plain and isinstance(value, list):
        return tuple(value)
    else:
        fits = isinstance(value, tuple(plain))
        if not fits and float in plain and isinstance(value, int):
            return float(value)
    if not fits:
        raise InputError(f"{place}: wanted {_type_name(plain)}, got {value!r}")
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
        raise InputError(f"{place}: wanted a mapping, got {value!r}")
    return value


def _known_keys(line: dict, known: tuple[str, ...], place: str) -> None:
    for key in line:
        if key not in known:
            where = f"{place}.{key}".lstrip(".")
            raise InputError(f"{where}: no such key; {plugins.nearest(key, known)}")


def _all_keys(line: dict, wanted: tuple[str, ...], place: str) -> None:
    for key in wanted:
        if key not in line:
            raise InputError(f"{f'{place}.{key}'.lstrip('.')}: missing")


def _choice(value: Any, known: tuple[str, ...], place: str) -> str:
    if value not in known:
        raise InputError(f"{place}: no {value!r}; {plugins.nearest(value, known)}")
    return value


def _at_least(value: int, bound: int, place: str) -> None:
    if value < bound:
        raise InputError(f"{place}: must be at least {bound}, got {value}")
