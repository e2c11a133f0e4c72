"""Indexes small enough to count by hand, and RAVDESS's by the rule of its file names."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from natsort import natsorted

from pipeline.errors import InputError
from pipeline.protocols import listed
from pipeline.protocols.folds import assign
from pipeline.protocols.kinds import KINDS
from pipeline.protocols.protocol import Protocol

COLUMNS = (
    "clip corpus speaker sex emotion sentence session style partition utterance parent".split()
)
# IEMOCAP's turns by style and emotion, as its papers count them, and one of a class nobody uses
IEMOCAP = {
    "improvised": {"angry": 289, "happy": 284, "excited": 663, "neutral": 1099, "sad": 608},
    "scripted": {"angry": 814, "happy": 311, "excited": 378, "neutral": 609, "sad": 476},
}
RAVDESS = ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"]


def table(rows):
    """Make an index of rows that name some of its columns; the rest is empty."""
    frame = pd.DataFrame(dict.fromkeys(COLUMNS, "") | row for row in rows)
    named = frame["clip"].where(frame["clip"] != "", [f"c{i:04d}" for i in range(len(frame))])
    return frame.assign(clip=named, pcm_hash=named, recording=named)


def grid(speakers=4, sentences=4, emotions=("angry", "sad")):
    """Every speaker says every sentence in every emotion."""
    return table(
        {"speaker": f"s{s}", "sentence": f"t{t}", "emotion": emotion, "sex": "fm"[s % 2]}
        for s, t, emotion in product(range(speakers), range(sentences), emotions)
    )


def iemocap():
    """As many turns of each style and emotion as IEMOCAP has, and 40 of fear."""
    rows = [
        {"style": style, "emotion": emotion, "speaker": f"0{i % 5 + 1}{'FM'[i % 2]}"}
        for style, counts in IEMOCAP.items()
        for emotion, count in counts.items()
        for i in range(count)
    ]
    return table([*rows, *[{"style": "improvised", "emotion": "fear", "speaker": "01F"}] * 40])


def every_kind(**common):
    """Give a protocol of every kind, each of which fits `everything`."""
    known = {"folds": 3, "seed": 7, "sentence_folds": 2, "share": 0.25, "prefix": 4}
    known |= {"test": ("test",), "list": "emodb", "validation": 0}
    for name, kind in KINDS.items():
        yield Protocol(name, **{key: known[key] for key in (*kind.needs, *kind.takes)}, **common)


def everything(emotions=("angry", "sad")):
    """An index that every kind can be carried out on: EMO-DB's speakers, two corpora and parts."""
    index = grid(10, 4, emotions)
    names = dict(zip(natsorted(set(index["speaker"])), listed.read("emodb").speakers, strict=True))
    index["speaker"] = index["speaker"].map(names)
    index["corpus"] = np.where(index["sentence"] < "t2", "one", "test")
    index["session"] = index["sentence"]
    index["partition"] = np.where(index["speaker"] < "12", "train", "test")
    return index


def parts(index, protocol):
    """Assign and return ``{fold: {part: rows of the index}}``."""
    protocol.check()
    frame = assign(index, protocol).merge(index, on="clip", validate="many_to_one")
    return {fold: dict(list(rows.groupby("part"))) for fold, rows in frame.groupby("fold")}


def refused(index, protocol, match):
    protocol.check()
    with pytest.raises(InputError, match=match):
        assign(index, protocol)


def ravdess():
    """The index of RAVDESS, from the rule that makes its file names."""
    rows = []
    for code, emotion in enumerate(RAVDESS, start=1):
        for intensity in ("01", "02") if emotion != "neutral" else ("01",):
            for sentence in ("01", "02"):
                for actor in range(1, 25):
                    take = f"03-01-{code:02d}-{intensity}-{sentence}"
                    for repetition in ("01", "02"):
                        rows.append(
                            {
                                "clip": f"{take}-{repetition}-{actor:02d}",
                                "speaker": f"{actor:02d}",
                                "sex": "male" if actor % 2 else "female",
                                "emotion": emotion,
                                "sentence": sentence,
                                "session": "",
                                "utterance": f"{take}-{actor:02d}",
                                "parent": "",
                                "pcm_hash": f"pcm of {take}-{repetition}-{actor:02d}",
                                "recording": f"{take}-{repetition}-{actor:02d}",
                                "status": "ok",
                            }
                        )
    index = pd.DataFrame(rows)
    twins = index["clip"].isin(["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"])
    index.loc[twins, "pcm_hash"] = "the same recording twice"
    index.loc[twins, "recording"] = "03-01-03-01-02-01-07"
    rank = {clip: number for number, clip in enumerate(natsorted(index["clip"]))}
    return index.sort_values(
        ["emotion", "clip"], key=lambda c: c.map(rank) if c.name == "clip" else c, ignore_index=True
    )


def corpus(clips_of, emotions=("angry", "sad")):
    """An index with so many clips of each speaker, ``{"f1": 4}``; the letter is the sex."""
    rows = [
        {
            "clip": f"{speaker}-{number:02d}",
            "speaker": speaker,
            "sex": {"f": "female", "m": "male"}[speaker[0]],
            "emotion": emotions[number % len(emotions)],
            "sentence": "",
            "session": "",
            "utterance": "",
            "parent": "",
            "pcm_hash": f"{speaker}-{number:02d}",
            "recording": f"{speaker}-{number:02d}",
            "status": "ok",
        }
        for speaker, clips in clips_of.items()
        for number in range(clips)
    ]
    return pd.DataFrame(rows)


def speakers_tested(frame, index):
    """Speakers of the test part, ``{fold: set}``."""
    test = frame[frame["part"] == "test"].merge(index, on="clip")
    return test.groupby("fold")["speaker"].agg(set).to_dict()
