"""The embedded demo corpus: 210 synthetic clips, 10 speakers, 7 emotions, 3 sentences.

Made by the demo stage; no licence needed. Labels are read from ``labels.csv``.

Order: emotion, then name.
"""

from pathlib import Path

from pipeline.corpora.clip import Clip, Expected, Source, refuse, sound_files
from pipeline.files import tables
from pipeline.order import natural

NAME = "the demo corpus"
SOURCE = Source(
    citation="none: synthetic speech, made by this project's stage demo",
    licence="none: it is made on the machine that uses it",
    address="pipeline/stages/demo.py",
)
EMOTIONS = ("angry", "boredom", "disgust", "fear", "happy", "neutral", "sad")


def expected() -> Expected:
    """Every speaker says every sentence in every emotion."""
    speakers = [f"{sex}{number:02d}" for sex in "fm" for number in range(1, 6)]
    return Expected(210, dict.fromkeys(EMOTIONS, 30), dict.fromkeys(speakers, 21))


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, labelled from ``labels.csv``.

    Raises
    ------
    InputError
        If the folder is missing or empty, or a file has no (valid) label.
    """
    files = sound_files(folder)
    labels = tables.read(folder / "labels.csv").set_index("path").to_dict("index")
    found, problems = [], []
    for path in files:
        name = path.relative_to(folder).as_posix()
        if name not in labels:
            problems.append(f"{name} (not in labels.csv)")
        elif labels[name]["emotion"] not in EMOTIONS:
            problems.append(f"{name} (emotion {labels[name]['emotion']!r} is not in the table)")
        else:
            row = labels[name]
            found.append(
                Clip(
                    clip=path.stem,
                    path=path,
                    speaker=row["speaker"],
                    sex=row["sex"],
                    emotion=row["emotion"],
                    sentence=row["sentence"],
                    utterance=f"{row['speaker']}-{row['sentence']}-{row['emotion']}",
                    arousal=float(row["arousal"]),
                    dominance=float(row["dominance"]),
                    valence=float(row["valence"]),
                )
            )
    refuse(folder, problems)
    return natural(found, key=lambda clip: (clip.emotion, clip.clip))
