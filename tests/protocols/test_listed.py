"""Published lists of speakers: what they hold, and the folds made of them."""

from collections import Counter
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config.records import Folds
from pipeline.corpora import cremad, emodb, ravdess
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.protocols import listed
from pipeline.protocols.folds import assign
from pipeline.protocols.protocol import Protocol
from pipeline.stages.split import split

SHARED = Path(__file__).parents[3] / "shared" / "corpora"
PARSERS = {"ravdess": ravdess, "emodb": emodb, "cremad": cremad}
# as the page of published splits counts them: folds, speakers, of them tested and for validation
COUNTS = {
    "ravdess": (24, [(5, 2), (5, 2), (5, 2), (5, 2), (4, 2)]),
    "emodb": (10, [(4, 0)]),
    "cremad": (91, [(17, 18)]),
}


def index(name, emotions=("angry", "sad")):
    """Every speaker of a list has one clip of each emotion, men where the number is odd."""
    rows = [
        {
            "clip": f"{speaker}-{emotion}",
            "speaker": speaker,
            "sex": "male" if int(speaker) % 2 else "female",
            "emotion": emotion,
        }
        for speaker, emotion in product(listed.read(name).speakers, emotions)
    ]
    return pd.DataFrame(rows)


def speakers(name, **settings):
    """Speakers by part of each fold: ``[{part: set}]``."""
    protocol = Protocol("listed_speakers", list=name, **settings)
    protocol.check()
    frame = assign(index(name), protocol).merge(index(name), on="clip")
    return [rows.groupby("part")["speaker"].agg(set).to_dict() for _, rows in frame.groupby("fold")]


@pytest.mark.parametrize("name", listed.names())
def test_a_list_names_each_speaker_of_its_corpus_in_one_part_of_a_fold(name):
    held = listed.read(name)
    number, folds = COUNTS[name]
    assert len(held.speakers) == len(set(held.speakers)) == number
    assert set(PARSERS[name].expected().speaker) in (set(), set(held.speakers))
    assert [(len(fold["test"]), len(fold["validation"])) for fold in held.folds] == folds
    for fold in held.folds:
        named = Counter([*fold["test"], *fold["validation"]])
        assert set(named.values()) == {1}
        assert set(named) < set(held.speakers)
    assert held.corpus == name
    assert held.source.count("https://") == 1


def test_the_five_folds_of_ravdess_test_each_actor_once():
    tested = Counter(actor for fold in listed.read("ravdess").folds for actor in fold["test"])
    assert tested == Counter(listed.read("ravdess").speakers)
    folds = speakers("ravdess")
    assert folds[1]["test"] == {"03", "06", "07", "13", "18"}
    assert all(set(fold) == {"train", "test"} for fold in folds)
    folds = speakers("ravdess", validation=2)
    assert [fold["validation"] for fold in folds] == [
        {"03", "06"},
        {"10", "11"},
        {"08", "17"},
        {"01", "14"},
        {"02", "05"},
    ]
    assert len(folds[4]["train"]) == 24 - 4 - 2


def test_audeering_s_training_speakers_are_what_its_lists_leave():
    (fold,) = speakers("emodb")
    assert fold["train"] == {"03", "08", "09", "10", "11", "13"}
    assert fold["test"] == {"12", "14", "15", "16"}
    (fold,) = speakers("cremad", validation=18)
    rest = (1050, 1051, 1052, 1056, 1057, 1060, 1072, 1073, 1081)
    assert fold["train"] == {str(number) for number in (*range(1001, 1048), *rest)}
    assert {part: len(names) for part, names in fold.items()} == {
        **{"train": 56, "validation": 18, "test": 17}
    }


def test_a_list_without_validation_speakers_takes_those_that_any_kind_does():
    (fold,) = speakers("emodb", validation=2)
    assert fold["test"] == {"12", "14", "15", "16"}
    assert fold["validation"] == {"03", "08"}  # a man and a woman, the first by name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"16": ""}, "1 of 10 clips have no speaker label"),
        ({"16": "99"}, "list: emodb is a list of the speakers of emodb: no clip is of 16; it does"),
        ({"16": "15"}, "no clip is of 16; take the whole of that corpus, or another protocol$"),
        ({"16": "99"}, "it does not name 99; take the whole"),
    ],
)
def test_a_list_is_for_the_speakers_that_it_names(change, message):
    clips = index("emodb", ("angry",)).replace({"speaker": change})
    with pytest.raises(InputError, match=message):
        assign(clips, Protocol("listed_speakers", list="emodb"))


@pytest.mark.corpus
def test_the_listed_folds_of_ravdess_itself_hold_out_speakers(tmp_path):
    if not (SHARED / "ravdess").is_dir():
        pytest.skip("../shared/corpora/ravdess not found")
    clips = pd.DataFrame([vars(clip) for clip in ravdess.clips(SHARED / "ravdess")])
    own = {"status": "ok", "pcm_hash": clips["clip"], "recording": clips["clip"]}
    tables.write(clips.drop(columns="path").assign(**own), tmp_path / "index.csv")
    paths = tmp_path / "listed.csv", tmp_path / "listed.json"
    protocol = Protocol("listed_speakers", list="ravdess", validation=2, allow=("sentence",))
    folds = Folds("listed", protocol, "ravdess", "ravdess-listed")
    split(tmp_path / "index.csv", *paths, folds=folds)
    report = tables.read_json(paths[1])
    counts = [fold["clips"] for fold in report["folds"]]  # 60 clips of each actor
    assert [fold["test"] for fold in counts] == [300, 300, 300, 300, 240]
    assert [fold["validation"] for fold in counts] == [120] * 5
    assert [fold["train"] for fold in counts] == [1020, 1020, 1020, 1020, 1080]
    assert report["leaks"]["speaker"]["clips"] == 0
    assert len(report["labels"]) == 8
