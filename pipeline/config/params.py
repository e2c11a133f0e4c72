"""params.yaml, read and checked; this module is its only reader.

The whole file is checked before anything is made (stage check), so a mistake stops the first stage
and not the last: unknown keys, wrong types, values out of bounds, names that no table holds. A
message is one line: place, what was found, what was wanted.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from pipeline import corpora, models, text
from pipeline.audit import quality
from pipeline.config import document
from pipeline.config.records import NAME, Corpus, Data, Engine, Folds, Params, Run, Sound
from pipeline.errors import InputError
from pipeline.features import recipes
from pipeline.features.recipes import FeatureRecipe, WaveformRecipe
from pipeline.models.training import AttributeTraining, Fit
from pipeline.protocols.protocol import Protocol
from pipeline.settings import choice, fields, mapping, read, typed

FILE = Path("params.yaml")


def load(path: Path = FILE) -> Params:
    """Read and check params.yaml.

    Raises
    ------
    InputError
        One line: the place in the file, what was found, what was wanted.
    """
    data = document.read(path)
    try:
        return _params(data)
    except InputError as error:
        raise InputError(f"{path}: {text.one_line(error)}") from None


def _params(data: Any) -> Params:
    """Check the parsed file, table by table; places are dotted paths within it."""
    tables = [field.name for field in dataclasses.fields(Params)]
    data = mapping(data, "top level")
    for key in data:
        if key not in tables:
            raise InputError(f"{key}: no such table; {text.nearest(str(key), tables)}")
    for key in tables:
        if key not in data:
            raise InputError(f"{key}: missing")
    found: dict[str, Any] = {"engine": read(Engine, data["engine"], "engine")}
    makers = {
        "corpora": _corpus,
        "waveforms": _waveform,
        "features": _feature,
        "protocols": _protocol,
        "sounds": _sound,
        "data": _data,
        "folds": _folds,
        "runs": partial(_run, cache(models.facts)),  # once for all runs of a model
    }
    for table, make in makers.items():
        found[table] = _table(data[table], table, make, found)
    return Params(**found)


def _table(lines: Any, table: str, make: Callable, found: dict[str, Any]) -> dict[str, Any]:
    """Check each line of a table; names become folders and words of commands, so they are plain."""
    made = {}
    for name, line in mapping(lines, table).items():
        place = f"{table}.{name}"
        if not isinstance(name, str):
            raise InputError(f"{place}: a name is a text, got {text.shown(name)}; put it in quotes")
        if not NAME.fullmatch(name):
            raise InputError(
                f"{table}: {text.shown(name)} is no name; wanted letters, digits, ., _ and -, the "
                "first a letter, a digit or _, and at most 100"
            )
        made[name] = make(name, line, place, found)
    return made


def _corpus(name: str, line: Any, place: str, _: dict) -> Corpus:
    line = dict(mapping(line, place))
    if "parser" not in line:
        raise InputError(f"{place}.parser: missing")
    parser = choice(line.get("parser"), tuple(corpora.names()), f"{place}.parser")
    settings = {}
    try:
        own = corpora.parser(parser).settings
    except InputError as error:
        raise InputError(f"{place}.parser: {error}") from None
    for key, (kind, default) in own.items():
        settings[key] = typed(line.pop(key), kind, f"{place}.{key}") if key in line else default
    corpus = read(Corpus, line, place, name=name, settings=settings)
    for key, value in corpus.limits.items():
        choice(key, quality.LIMITS, f"{place}.limits")
        if typed(value, float, f"{place}.limits.{key}") < 0:
            raise InputError(f"{place}.limits.{key}: must be at least 0, got {value}")
    return corpus


def _waveform(_: str, line: Any, place: str, __: dict) -> WaveformRecipe:
    return read(WaveformRecipe, line, place)


def _feature(_: str, line: Any, place: str, __: dict) -> FeatureRecipe:
    return recipes.read_feature(line, place)


def _protocol(_: str, line: Any, place: str, __: dict) -> Protocol:
    return read(Protocol, line, place)


def _sound(name: str, line: Any, place: str, found: dict) -> Sound:
    corpus = found["corpora"][_named(line, "corpus", found["corpora"], place, "corpora")]
    waveform = _named(line, "waveform", found["waveforms"], place, "waveforms")
    recipe = found["waveforms"][waveform]
    if corpus.samples and recipe.samples is None and recipe.length != "whole":
        line = {"samples": corpus.samples, **line}
    return read(Sound, line, place, name=name, recipe=recipe)


def _data(name: str, line: Any, place: str, found: dict) -> Data:
    sound = found["sounds"][_named(line, "sound", found["sounds"], place, "sounds")]
    _named(line, "feature", found["features"], place, "features")
    return read(Data, line, place, name=name, corpus=sound.corpus, waveform=sound.waveform)


def _folds(name: str, line: Any, place: str, found: dict) -> Folds:
    _named(line, "corpus", found["corpora"], place, "corpora")
    protocol = _named(line, "protocol", found["protocols"], place, "protocols")
    return read(Folds, line, place, name=name, rule=found["protocols"][protocol])


def _named(line: Any, key: str, table: Mapping, place: str, name: str, wanted: str = "") -> str:
    """Name of the line of another table that a line states; an unknown one with what to add."""
    line = mapping(line, place)
    if key not in line:
        raise InputError(f"{place}.{key}: missing")
    if not isinstance(value := line[key], str) or value not in table:
        add = f"; or add under {name}: {wanted}" if wanted else ""
        nearest = text.nearest(str(value), [*table])
        raise InputError(f"{place}.{key}: no {text.shown(value)} under {name}; {nearest}{add}")
    return value


def _run(facts: Callable, name: str, line: Any, place: str, found: dict) -> Run:
    line = dict(mapping(line, place))
    corpus = _named(line, "corpus", found["corpora"], place, "corpora")
    made = f"{line.get('data')}: {{sound: {corpus}-WAVEFORM, feature: FEATURE}}"
    data: Data = found["data"][_named(line, "data", found["data"], place, "data", made)]
    made = f"{line.get('folds')}: {{corpus: {corpus}, protocol: PROTOCOL}}"
    folds: Folds = found["folds"][_named(line, "folds", found["folds"], place, "folds", made)]
    for key, other in (("data", data), ("folds", folds)):
        if other.corpus != corpus:
            raise InputError(f"{place}.{key}: {other.name} is of {other.corpus}, not of {corpus}")
    given = mapping(line.pop("settings", {}), f"{place}.settings")
    if "model" not in line:
        raise InputError(f"{place}.model: missing")
    settings, training = _network(line["model"], given, place, facts)
    engine, backend = found["engine"], line.get("backend")
    joined = found["corpora"][corpus].settings.get("of", {})
    run = read(
        Run,
        line,
        place,
        name=name,
        waveform=data.waveform,
        feature=data.feature,
        protocol=folds.protocol,
        engine=dataclasses.replace(engine, backend=backend) if backend else engine,
        settings=settings,
        training=training,
        parsers=(found["corpora"][corpus].parser, *joined.values()),
    )
    protocol: Protocol = found["protocols"][run.protocol]
    if run.selection == "best_validation" and not protocol.validates:
        raise InputError(
            f"{place}.selection: best_validation needs validation speakers; "
            f"set protocols.{run.protocol}.validation to 1 or more"
        )
    if isinstance(training, Fit):
        _fitted_at_once(run, place)
    elif training.patience and run.selection != "best_validation":
        raise InputError(
            f"{place}.settings.patience: needs selection: best_validation, got {run.selection}"
        )
    if isinstance(training, AttributeTraining):
        _takes_whole_clips(run, found, place)
    return run


def _network(model: Any, line: Mapping, place: str, facts_of: Callable) -> tuple[Any, Any]:
    """Settings and training of a model: its paper's, but for what the settings of a run say."""
    try:
        facts = facts_of(str(model))
    except InputError as error:
        raise InputError(f"{place}.model: {error}") from None
    place = f"{place}.settings"
    own, trained = (
        [field.name for field, _ in fields(kind)] for kind in (facts.settings, type(facts.training))
    )
    for key in line:
        if key not in (*own, *trained):
            raise InputError(
                f"{place}.{key}: no such key; {text.nearest(str(key), [*own, *trained])}"
            )
    of_network, of_training = (
        {key: value for key, value in line.items() if key in names} for names in (own, trained)
    )
    record = read(facts.settings, of_network, place)
    for key in facts.searched:
        if not getattr(record, key):
            raise InputError(f"{place}.{key}: wanted one or more values, got none")
    training = read(type(facts.training), of_training, place, facts.training)
    try:
        facts.check(record, training)
    except InputError as error:
        raise InputError(f"{place}.{error}") from None
    return record, training


def _fitted_at_once(run: Run, place: str) -> None:
    """Refuse what only a network can do."""
    if run.selection != "last":
        raise InputError(f"{place}.selection: {run.model} has no epochs to choose from; remove it")
    if run.backend:
        raise InputError(f"{place}.backend: {run.model} is computed by scikit-learn; remove it")
    if run.start_from:
        raise InputError(f"{place}.start_from: {run.model} is fitted at once; remove it")


def _takes_whole_clips(run: Run, found: dict, place: str) -> None:
    """Refuse recipes by which the frames of a clip are not all of it, or not in chunks."""
    if found["waveforms"][run.waveform].length != "whole":
        raise InputError(
            f"{place}.data: {run.model} takes whole clips; "
            f"set waveforms.{run.waveform}.length to whole, or name other data"
        )
    if not found["features"][run.feature].chunks:
        raise InputError(
            f"{place}.data: {run.model} is trained on chunks of a clip; "
            f"give features.{run.feature} segment and chunks, or name other data"
        )
