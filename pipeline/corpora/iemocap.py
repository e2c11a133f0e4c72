"""IEMOCAP: 10039 turns, 10 speakers in 5 dyads, 10 emotions, 7532 agreed on, English.

Layout: ``Session<k>/sentences/wav/<dialogue>/<turn>.wav`` with the labels of each dialogue in
``Session<k>/dialog/EmoEvaluation/<dialogue>.txt``. Copies with all sound in one folder, nested once
more, or in FLAC are read too if they hold the label files. ``Ses01F_impro01_M000`` is a turn of
session 1 in which the woman wore the markers and, last letter, the man speaks: that one is the
speaker. A label line gives valence, activation (here arousal) and dominance, in this order, 1 to 5.
Turns labelled ``xxx`` and the sound of whole dialogues are skipped.

The release does not say which line of a script a turn is. ``sentence`` is the scene
(``script01_1``), which every session plays, so turns of one scene have equal text across speakers;
improvised turns have no sentence.

Order: emotion, where excited stands with happy as the four-class papers merge them, then name: the
order of the published TIM-Net run.
"""

import dataclasses
import glob
import re
from pathlib import Path

from pipeline.corpora.clip import NO_SOUND, Clip, Expected, Source, refuse, sound_files
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.order import natural

NAME = "IEMOCAP"
SOURCE = Source(
    citation=(
        "Busso et al. (2008), IEMOCAP: interactive emotional dyadic motion capture database, "
        "Language Resources and Evaluation 42(4), 335-359"
    ),
    licence="academic, no redistribution",
    address=(
        "on request from the Signal Analysis and Interpretation Laboratory, University of "
        "Southern California"
    ),
)
EMOTIONS = {
    "ang": "angry",
    "dis": "disgust",
    "exc": "excited",
    "fea": "fear",
    "fru": "frustrated",
    "hap": "happy",
    "neu": "neutral",
    "oth": "other",
    "sad": "sad",
    "sur": "surprise",
    "xxx": "",  # no majority of the raters
}
STYLES = {"impro": "improvised", "script": "scripted"}
DIALOGUE = re.compile(r"Ses0[1-5][FM]_(impro|script)\w+")
TURN = re.compile(r"(Ses0([1-5])[FM]_((impro|script)\d\d(?:_\d)?)\w*)_([FM])\w{3}")
RATING = r"(\d+(?:\.\d+)?)"
LABEL = re.compile(rf"\[[^]]*\]\s+(\w+)\s+(\w{{3}})\s+\[{RATING}, {RATING}, {RATING}\]\s*")


def expected() -> Expected:
    """Counts of the labels of the release; how many of all turns each speaker has is not known."""
    emotions = {
        "angry": 1103,
        "disgust": 2,
        "excited": 1041,
        "fear": 40,
        "frustrated": 1849,
        "happy": 595,
        "neutral": 1708,
        "other": 3,
        "sad": 1084,
        "surprise": 107,
    }
    return Expected(7532, emotions, {})


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, labelled from the files of its dialogue.

    Raises
    ------
    InputError
        If the folder is missing or empty, a file name is not IEMOCAP's, a label file names turns of
        another dialogue or does not parse, or a turn lacks its label.
    """
    files = sound_files(folder)
    labels = _labels(folder)
    found, strange, unlabelled = [], [], []
    for path in files:
        turn = TURN.fullmatch(path.stem)
        if turn is None and DIALOGUE.fullmatch(path.stem):
            skip = "a whole dialogue; its turns are on their own"
            found.append(Clip(clip=path.stem, path=path, skip=skip))
        elif turn is None:
            strange.append(f"{path.name} (wanted a name such as Ses01F_impro01_F000.wav)")
        elif path.stem not in labels:
            unlabelled.append(path.stem)
        else:
            found.append(_clip(path, turn, *labels[path.stem]))
    refuse(folder, strange)
    if unlabelled:
        raise InputError(
            f"{folder}: {len(unlabelled)} turns have no label, the first is {unlabelled[0]}; "
            "copy dialog/EmoEvaluation again"
        )
    for name in sorted(labels.keys() - {clip.clip for clip in found}):
        if turn := TURN.fullmatch(name):
            clip = _clip(folder / f"{name}.wav", turn, *labels[name])
            found.append(dataclasses.replace(clip, absent=NO_SOUND))
    return natural(found, key=lambda clip: (clip.emotion.replace("excited", "happy"), clip.clip))


def _clip(path: Path, turn: re.Match, emotion: str, ratings: list[float]) -> Clip:
    """One turn, from its name and its label."""
    _, session, scene, kind, who = turn.groups()
    valence, activation, dominance = ratings
    return Clip(
        clip=path.stem,
        path=path,
        speaker=f"0{session}{who}",
        sex=who.lower(),
        emotion=EMOTIONS[emotion],
        sentence=scene if kind == "script" else "",
        session=session,
        style=STYLES[kind],
        arousal=activation,
        dominance=dominance,
        valence=valence,
        skip="raters do not agree" if emotion == "xxx" else "",
    )


def _labels(folder: Path) -> dict[str, tuple[str, list[float]]]:
    """Emotion and valence, activation, dominance of every turn that the label files name."""
    # glob leaves out hidden files: the release has some, left by macOS
    names = sorted(glob.glob("**/EmoEvaluation/*.txt", root_dir=folder, recursive=True))
    if not names:
        raise InputError(f"{folder}: no label files; copy Session1/dialog/EmoEvaluation/*.txt, ...")
    labels, problems = {}, []
    for name in names:
        path = folder / name
        read, problem = _label_file(path)
        again = [turn for turn in read if labels.get(turn, read[turn]) != read[turn]]
        if again and not problem:
            problem = f"another file of this name labels {again[0]} otherwise"
        if problem:
            problems.append(f"{name} ({problem})")
        labels |= read
    refuse(folder, problems)
    return labels


def _label_file(path: Path) -> tuple[dict[str, tuple[str, list[float]]], str]:
    """Labels of one dialogue, and the first thing wrong with the file, or ``""``."""
    labels = {}
    # raters' remarks hold odd bytes
    for number, line in enumerate(tables.read_text(path, "latin-1").splitlines(), 1):
        if not line.startswith("["):
            continue
        match = LABEL.fullmatch(line)
        if match is None:
            return labels, f"line {number} is not [start - end], turn, emotion, [three ratings]"
        name, emotion, *numbers = match.groups()
        turn = TURN.fullmatch(name)
        if turn is None or turn[1] != path.stem:
            return labels, f"labels {name}, a turn of another dialogue"
        if emotion not in EMOTIONS:
            return labels, f"line {number}: emotion {emotion} is not in the table"
        ratings = [float(number) for number in numbers]
        if not all(1 <= rating <= 5 for rating in ratings):
            return labels, f"line {number}: ratings {', '.join(numbers)}; wanted 1 to 5"
        labels[name] = emotion, ratings
    return labels, ""
