"""The guides (README.md of the folders): blocks copied out of them, and tables made from records.

``python -m tests.guides`` writes the tables into the guides again.
"""

import dataclasses
import re
import types
import typing
from pathlib import Path

from pipeline import models, settings
from pipeline.features import functions
from pipeline.features.augmentation import Augment
from pipeline.features.recipes import FeatureRecipe, WaveformRecipe
from pipeline.models.training import (
    AttributeFit,
    AttributeTraining,
    EmotionFit,
    EmotionTraining,
    SegmentTraining,
)

ROOT = Path(__file__).parents[1]
RAW_DATA = ROOT / "raw_data" / "README.md"
FEATURES, MODELS = ROOT / "features" / "README.md", ROOT / "models" / "README.md"
OF_FEATURES, OF_MODELS = (
    {record.__name__: record for record in records}
    for records in (
        (WaveformRecipe, Augment, FeatureRecipe),
        (EmotionTraining, SegmentTraining, AttributeTraining, EmotionFit, AttributeFit),
    )
)
NETWORKS = {name: models.facts(name).settings for name in models.names()}
RECORDS = OF_FEATURES | OF_MODELS | NETWORKS
BUILT_IN = ("cepstral.", "spectral.", "pitch.", "egemaps.", "embedding.")
TABLES = {  # of each guide
    FEATURES: (*OF_FEATURES, "functions"),
    MODELS: (*NETWORKS, *OF_MODELS, "papers"),
}


def blocks(guide, language):
    """Code blocks of a guide in one language, in order; of the own part in ``LANGUAGE own``."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", guide.read_text())


def add_own_part(guide, clone):
    """Write the own part of a guide into a clone: its file, and its lines of params.yaml."""
    (source,) = blocks(guide, "python own")
    (clone / source.partition("\n")[0].removeprefix("# ")).write_text(source)
    (lines,) = blocks(guide, "yaml own")
    added = (clone / "params.yaml").read_text()
    for table, line in re.findall(r"(?m)^(\w+):\n(.*)", lines):
        added, times = re.subn(f"(?m)^{table}:", f"{table}:\n{line}\n  #", added)
        assert times == 1
    (clone / "params.yaml").write_text(added)


def held(guide, name):
    """Give a table as a guide holds it."""
    (found,) = re.findall(rf"(?s)<!-- table of {name} -->\n(.*?)<!-- end -->", guide.read_text())
    return found


def made(name):
    """Make a table from the code."""
    if name in RECORDS:
        found = settings.fields(RECORDS[name])
        of_base = {
            field.name
            for base in RECORDS[name].__bases__
            if base in RECORDS.values()
            for field, _ in settings.fields(base)
        }
        rows = [
            row(field, kind)
            for field, kind in found
            if "bounds" in field.metadata and field.name not in of_base
        ]
        return lines(("setting", "default", "may be", "what"), rows)
    if name == "papers":
        return papers()
    holders, found = {}, {}
    for function in filter(lambda name: name.startswith(BUILT_IN), functions.known()):
        for field, kind in settings.fields(functions.load(function).record):
            holders.setdefault(field.name, []).append(function.partition(".")[2])
            found[field.name] = row(field, kind)
    rows = [(*cells[:3], ", ".join(holders[key]), cells[3]) for key, cells in found.items()]
    return lines(("setting", "default", "may be", "functions", "what"), rows)


def papers():
    """Make the table of the papers' trainings; nothing where a training has no such setting."""
    names = [name for name in NETWORKS if not models.facts(name).classical]
    held = [settings.flat(models.facts(name).training) for name in names]
    keys = dict.fromkeys(key for training in held for key in training)
    rows = [
        (f"`{key}`", *(spelled(training[key]) if key in training else "" for training in held))
        for key in keys
    ]
    return lines(("setting", *names), rows)


def row(field, kind):
    """Cells of one setting: its name, default, what it may be, and what it is."""
    bounds, default = field.metadata["bounds"], field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    union = isinstance(kind, types.UnionType)
    plain = [typing.get_origin(one) or one for one in (typing.get_args(kind) if union else (kind,))]
    words = [" or ".join(settings.WORDS[one] for one in plain), bounds.wanted()]
    values = map(spelled, bounds.choices) if bounds.choices else filter(None, words)
    shown = "" if default is dataclasses.MISSING else f"`{spelled(default)}`"
    return f"`{field.name}`", shown, ", ".join(values), bounds.doc


def spelled(value):
    """A value as params.yaml has it."""
    if isinstance(value, tuple):
        return str(list(value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def lines(heads, rows):
    """Table in Markdown."""
    cells = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


if __name__ == "__main__":
    for guide, names in TABLES.items():
        for name in names:
            text, old = guide.read_text(), held(guide, name)
            mark = f"<!-- table of {name} -->\n"
            guide.write_text(text.replace(f"{mark}{old}<!--", f"{mark}{made(name)}<!--"))
