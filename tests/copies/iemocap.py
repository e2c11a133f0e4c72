"""IEMOCAP: its 151 dialogues and 10039 turns, dealt to speakers so that all known counts hold.

Known are, for the four classes of the papers, the turns of each speaker and each style, and for all
turns those of each session and each style. Which turn of a dialogue has which label is made up.
"""

import random
from collections import Counter
from pathlib import Path

from tests.copies import File, spread
from tests.copies.sound import noise

FOUR = {  # improvised, scripted
    "ang": (289, 814),
    "hap": (284, 311),
    "exc": (663, 378),
    "neu": (1099, 609),
    "sad": (608, 476),
}
OTHERS = {"fru": 1849, "sur": 107, "fea": 40, "dis": 2, "oth": 3, "xxx": 2507}
FOUR_BY_SPEAKER = {
    **{"1F": 528, "1M": 557, "2F": 481, "2M": 542, "3F": 522},
    **{"3M": 629, "4F": 528, "4M": 503, "5F": 590, "5M": 651},
}
OTHERS_BY_SESSION = {"1": 734, "2": 788, "3": 985, "4": 1072, "5": 929}
SCRIPTED_OTHERS = 2667
SCENES = "script01_1 script01_2 script01_3 script02_1 script02_2 script03_1 script03_2".split()


def write(folder: Path, clips: int | None = None) -> None:
    """Write ``Session1`` to ``Session5``: turns, labels, and the sound of whole dialogues.

    A copy of so many clips has none of the turns on which raters do not agree.
    """
    labels = _labels()
    turns = [
        File(_path(turn), emotion, turn[4] + turn[-4])
        for turn, emotion in labels.items()
        if clips is None or emotion != "xxx"
    ]
    ratings = random.Random(0)
    texts = {}
    for turn in spread(turns, clips):
        noise(folder / turn.path, turn.seed)
        text = texts.setdefault(Path(turn.path).parent.name, [])
        stem = Path(turn.path).stem
        start = 5.0 * len(text)
        numbers = ", ".join(f"{ratings.randrange(2, 11) / 2:.4f}" for _ in "vad")
        text.append(
            f"[{start:.4f} - {start + 4:.4f}]\t{stem}\t{turn.emotion}\t[{numbers}]\n"
            "C-E2:\tNeutral;\t()\nA-E3:\tval 3; act 2; dom  2;\t(d\u00e9j\u00e0 vu)\n"
        )
    for dialogue, text in texts.items():
        session = folder / f"Session{dialogue[4]}" / "dialog"
        path = session / "EmoEvaluation" / f"{dialogue}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        head = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
        path.write_text(head + "\n".join(text), encoding="latin-1")
        (path.parent / f"._{dialogue}.txt").write_bytes(b"\0\5\26\7Mac OS X")
        noise(session / "wav" / f"{dialogue}.wav", File(dialogue, "", "").seed)


def flat(path: Path) -> str:
    """Names of turns say it all; labels stay where they are."""
    return path.name


def _path(turn: str) -> str:
    """Where a turn lies."""
    return f"Session{turn[4]}/sentences/wav/{turn[:-5]}/{turn}.wav"


def _dialogues() -> dict[tuple[str, str], list[str]]:
    """Name the dialogues of each session and style."""
    found = {}
    for session in "12345":
        numbers = [f"{number:02}" for number in range(1, 8 if session == "1" else 9)]
        of_man = "01 02 03 04 05a 05b 06 07 08a 08b".split() if session == "3" else numbers
        names = [f"Ses0{session}F_impro{number}" for number in numbers]
        found[session, "improvised"] = names + [f"Ses0{session}M_impro{n}" for n in of_man]
        scenes = [f"Ses0{session}{who}_{scene}" for who in "FM" for scene in SCENES]
        extra = ["Ses05M_script01_1b"] if session == "5" else []
        found[session, "scripted"] = scenes + extra
    return found


def _labels() -> dict[str, str]:
    """Name every turn with its label, by dialogue."""
    deal = random.Random(0)

    def dealt(counts: dict) -> list:
        """Each key as often as its count says, in mixed order."""
        cards = [key for key, count in counts.items() for _ in range(count)]
        deal.shuffle(cards)
        return cards

    four = {
        (emotion, style): count
        for emotion, counts in FOUR.items()
        for style, count in zip(("improvised", "scripted"), counts, strict=True)
    }
    turns = [
        (*pair, speaker) for pair, speaker in zip(dealt(four), dealt(FOUR_BY_SPEAKER), strict=True)
    ]
    count = sum(OTHERS.values())
    styles = dealt({"improvised": count - SCRIPTED_OTHERS, "scripted": SCRIPTED_OTHERS})
    sessions = dealt(OTHERS_BY_SESSION)
    for emotion, style, session in zip(dealt(OTHERS), styles, sessions, strict=True):
        turns.append((emotion, style, session + deal.choice("FM")))
    dialogues, numbers, labels = _dialogues(), Counter(), {}
    for emotion, style, speaker in turns:
        dialogue = deal.choice(dialogues[speaker[0], style])
        place = f"{dialogue}_{speaker[1]}"
        labels[f"{place}{numbers[place]:03}"] = emotion
        numbers[place] += 1
    return dict(sorted(labels.items()))
