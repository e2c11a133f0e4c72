"""MSP-Podcast: 50362 clips (1.6) to 264700 (2.0), 8 emotions and other, spontaneous English.

Layout: ``Audios`` (or ``Audio``) with ``MSP-PODCAST_NNNN_NNNN.wav``, ``Labels`` with
``labels_consensus.csv`` (spelt ``labels_concensus.csv`` up to 1.8), ``Partition.txt``. Copies with
all in one folder, nested once more, or in FLAC are read too. Columns are found by name: valence
comes before dominance. Ratings are means from 1 (calm, weak, negative) to 7. A clip on which the
raters do not agree (``X``) keeps its ratings and has no emotion. Not every speaker is known, and
some speak in several test sets. The labels of test set 3 are secret: its clips are skipped, and so
are files of earlier releases below ``Previous_releases_information``.

Order: name.
"""

import dataclasses
import glob
import re
from pathlib import Path
from typing import Any

from pipeline import text
from pipeline.corpora.clip import NO_SOUND, Clip, Expected, Source, refuse, sound_files
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.order import natural

NAME = "MSP-Podcast"
SOURCE = Source(
    citation=(
        "Lotfian & Busso (2019), Building naturalistic emotionally balanced speech corpus by "
        "retrieving emotional speech from existing podcast recordings, IEEE Transactions on "
        "Affective Computing 10(4), 471-483"
    ),
    licence="signed, no redistribution",
    address=("on request from the Multimodal Signal Processing lab, University of Texas at Dallas"),
)
EMOTIONS = {
    "A": "angry",
    "C": "contempt",
    "D": "disgust",
    "F": "fear",
    "H": "happy",
    "N": "neutral",
    "O": "other",
    "S": "sad",
    "U": "surprise",
    "X": "",  # no majority of the raters
}
PARTITIONS = {
    "Train": "train",
    "Development": "validation",
    "Validation": "validation",
    "Test": "test",
    "Test1": "test",
    "Test2": "test2",
    "Test3": "test3",
}
RELEASES = {"1.6": 50362, "1.8": 73042, "1.11": 149307}  # clips with labels: no test set 3
SEXES = {"Female": "f", "Male": "m"}
COLUMNS = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set")
EARLIER = "Previous_releases_information"


def expected(*, release: str = "") -> Expected | None:
    """How many labelled clips a release has; of which emotion and by whom is not known.

    Parameters
    ----------
    release : str
        A key of ``RELEASES``; ``""``: another one, of which nothing is known.

    Raises
    ------
    InputError
        If the release is not known.
    """
    if not release:
        return None
    if release not in RELEASES:
        known = text.nearest(release, tuple(RELEASES))
        raise InputError(f"release: no {release!r}; {known}; '' takes any, without counting")
    return Expected(RELEASES[release], {}, {})


def clips(folder: Path, *, release: str = "") -> list[Clip]:
    """Every sound file below ``folder``, labelled from the consensus of the raters.

    Parameters
    ----------
    folder : Path
        The corpus.
    release : str
        Number of the release, for ``expected``; all are read alike.

    Returns
    -------
    list of Clip
        ``partition`` is train, validation, test, test2 or, skipped, test3.

    Raises
    ------
    InputError
        If the folder is missing or empty, there is no label file or more than one, a row of it does
        not parse, or a clip lacks its row.
    """
    files = sound_files(folder)
    labels = _labels(folder)
    secret = _secret(folder)
    found, unlabelled = [], []
    for path in files:
        row = labels.get(path.stem)
        if EARLIER in path.parts:
            found.append(Clip(clip=path.stem, path=path, skip="of an earlier release"))
        elif path.stem in secret or (row and row["Split_Set"] == "Test3"):
            skip = "test set 3: its labels are secret"
            found.append(Clip(clip=path.stem, path=path, partition="test3", skip=skip))
        elif row:
            found.append(_clip(path, row))
        else:
            unlabelled.append(f"{path.name} (not in the label file)")
    refuse(folder, unlabelled)
    there = {clip.clip for clip in found if EARLIER not in clip.path.parts}
    for name in sorted(labels.keys() - there):
        if labels[name]["Split_Set"] != "Test3":
            clip = _clip(folder / f"{name}.wav", labels[name])
            found.append(dataclasses.replace(clip, absent=NO_SOUND))
    return natural(found, key=lambda clip: clip.clip)


def _clip(path: Path, row: dict[str, str]) -> Clip:
    """One clip, from its row."""
    return Clip(
        clip=path.stem,
        path=path,
        speaker="" if row["SpkrID"] == "Unknown" else row["SpkrID"],
        sex=SEXES.get(row["Gender"], ""),
        emotion=EMOTIONS[row["EmoClass"]],
        partition=PARTITIONS[row["Split_Set"]],
        arousal=float(row["EmoAct"]),
        dominance=float(row["EmoDom"]),
        valence=float(row["EmoVal"]),
    )


def _labels(folder: Path) -> dict[str, dict[str, str]]:
    """Rows of the label file by name of the clip, each checked."""
    names = glob.glob("**/labels_con[cs]ensus.csv", root_dir=folder, recursive=True)
    names = sorted(name for name in names if EARLIER not in Path(name).parts)
    if len(names) != 1:
        raise InputError(
            f"{folder}: wanted one labels_consensus.csv, found {', '.join(names) or 'none'}; "
            "copy Labels, of one release"
        )
    table = tables.read_labels(folder / names[0])
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise InputError(f"{folder / names[0]}: has no column {missing[0]}; copy it again")
    labels, problems = {}, []
    for row in table.to_dict("records"):
        name = Path(row["FileName"]).stem
        problem = "has two rows" if name in labels else _problem(row)
        if problem:
            problems.append(f"{name} {problem}")
        labels[name] = row
    if problems:
        raise InputError(
            f"{folder / names[0]}: {len(problems)} rows do not parse, the first: {problems[0]}; "
            "copy it again"
        )
    return labels


def _problem(row: dict[Any, str]) -> str:
    """What is wrong with a row, or ``""``."""
    if row["Split_Set"] not in PARTITIONS:
        return f"has Split_Set {row['Split_Set']!r}, not one of {', '.join(PARTITIONS)}"
    if row["Split_Set"] == "Test3":
        return ""  # what it says of it differs between releases
    if row["EmoClass"] not in EMOTIONS:
        return f"has EmoClass {row['EmoClass']!r}, not one of {' '.join(EMOTIONS)}"
    for column in ("EmoAct", "EmoVal", "EmoDom"):
        number = re.fullmatch(r"\d+(\.\d+)?", row[column])
        if not number or not 1 <= float(number[0]) <= 7:
            return f"has {column} {row[column]!r}, not a number from 1 to 7"
    return ""


def _secret(folder: Path) -> set[str]:
    """Names of the clips that ``Partition.txt`` puts into test set 3."""
    names = glob.glob("**/Partition.txt", root_dir=folder, recursive=True)
    lines = [
        line
        for name in names
        if EARLIER not in Path(name).parts
        for line in tables.read_text(folder / name, "latin-1").splitlines()
    ]
    found = [re.search(r"MSP-PODCAST_\w+", line) for line in lines if "Test3" in line]
    return {match[0] for match in found if match}
