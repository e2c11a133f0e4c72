"""The parser of IEMOCAP, on single dialogues and on a copy of full size."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.corpora import iemocap
from pipeline.errors import InputError
from tests.copies import iemocap as copies

HEAD = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"


def dialogue(folder, name, *labels, turns=None):
    """Make a dialogue: label lines as ``(turn, emotion, ratings)``; a sound file for each turn."""
    session = folder / f"Session{name[4]}"
    text = session / "dialog" / "EmoEvaluation" / f"{name}.txt"
    text.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"[6.29 - 8.24]\t{name}_{turn}\t{label}\t[{vad}]\n" for turn, label, vad in labels]
    text.write_text(HEAD + "C-E2:\tNeutral;\t()\n".join(lines))
    for turn in [label[0] for label in labels] if turns is None else turns:
        path = session / "sentences" / "wav" / name / f"{name}_{turn}.wav"
        touch(path)
    return text


def touch(path):
    """Make a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sound")


def refused(folder, match):
    """Check that a copy is refused with one line."""
    with pytest.raises(InputError, match=match) as error:
        iemocap.clips(folder)
    assert len(str(error.value).splitlines()) == 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give what the parser, which does not decode, finds in a whole copy without sound."""
    folder = tmp_path_factory.mktemp("raw_data") / "iemocap"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "noise", lambda path, seed: touch(path))
        copies.write(folder)
    return iemocap.clips(folder)


def test_every_field_of_a_clip(tmp_path):
    dialogue(tmp_path, "Ses02F_script03_1b", ("M012", "exc", "4.5000, 3.0000, 2.6667"))
    (clip,) = iemocap.clips(tmp_path)
    assert vars(clip) == {
        "clip": "Ses02F_script03_1b_M012",
        "path": tmp_path / "Session2/sentences/wav/Ses02F_script03_1b/Ses02F_script03_1b_M012.wav",
        "corpus": "",
        "speaker": "02M",  # who speaks, not who wears the markers
        "sex": "m",
        "emotion": "excited",
        "sentence": "script03_1",
        "session": "2",
        "style": "scripted",
        "partition": "",
        "utterance": "",
        "parent": "",
        "arousal": 3.0,
        "dominance": 2.6667,
        "valence": 4.5,
        "skip": "",
        "absent": "",
    }


def test_improvised_turns_have_no_sentence(tmp_path):
    dialogue(tmp_path, "Ses03M_impro05a", ("F000", "neu", "3, 3, 3"))
    (clip,) = iemocap.clips(tmp_path)
    assert (clip.style, clip.sentence, clip.speaker) == ("improvised", "", "03F")


def test_the_whole_release_has_the_counts_of_the_papers(whole):
    skipped = Counter(clip.skip for clip in whole)
    assert skipped["raters do not agree"] == 2507
    assert skipped["a whole dialogue; its turns are on their own"] == 151
    kept = [clip for clip in whole if not clip.skip]
    assert len(kept) == 10039 - 2507
    assert Counter(clip.emotion for clip in kept) == iemocap.expected().emotion
    four = [c for c in kept if c.emotion in ("angry", "happy", "excited", "neutral", "sad")]
    assert len(four) == 5531
    assert Counter(clip.speaker for clip in four) == {
        **{"01F": 528, "01M": 557, "02F": 481, "02M": 542, "03F": 522},
        **{"03M": 629, "04F": 528, "04M": 503, "05F": 590, "05M": 651},
    }
    by_style = Counter((clip.style, clip.emotion) for clip in four)
    assert by_style == {
        ("improvised", "angry"): 289,
        ("improvised", "happy"): 284,
        ("improvised", "excited"): 663,
        ("improvised", "neutral"): 1099,
        ("improvised", "sad"): 608,
        ("scripted", "angry"): 814,
        ("scripted", "happy"): 311,
        ("scripted", "excited"): 378,
        ("scripted", "neutral"): 609,
        ("scripted", "sad"): 476,
    }
    assert Counter(clip.style for clip in four) == {"improvised": 2943, "scripted": 2588}


def test_sessions_and_styles_of_all_turns(whole):
    turns = [clip for clip in whole if clip.session]
    sessions = Counter(clip.session for clip in turns)
    assert sessions == {"1": 1819, "2": 1811, "3": 2136, "4": 2103, "5": 2170}
    assert Counter(clip.style for clip in turns) == {"improvised": 4784, "scripted": 5255}
    assert {clip.sentence for clip in turns} == {"", *copies.SCENES}


def test_happy_and_excited_are_in_one_order(whole):
    kept = [clip for clip in whole if not clip.skip]
    merged = [clip.clip for clip in kept if clip.emotion in ("happy", "excited")]
    assert merged == sorted(merged)
    blocks = [clip.emotion.replace("excited", "happy") for clip in kept]
    assert blocks == sorted(blocks)


def test_turns_in_one_folder_of_their_session(tmp_path):
    dialogue(tmp_path, "Ses01F_impro01", ("F000", "neu", "3, 3, 3"), ("M000", "ang", "1, 5, 5"))
    session = tmp_path / "Session1"
    for path in sorted(session.rglob("*.wav")):
        path.rename(session / path.name)
    assert [clip.emotion for clip in iemocap.clips(tmp_path)] == ["angry", "neutral"]


def test_an_outer_folder_and_files_left_by_macos(tmp_path):
    labels = dialogue(
        tmp_path / "IEMOCAP_full_release", "Ses01F_impro01", ("F000", "neu", "3, 3, 3")
    )
    labels.with_name(f"._{labels.name}").write_bytes(b"\0\5\26\7Mac OS X")
    (labels.parent / "Categorical").mkdir()
    (labels.parent / "Categorical" / "Ses01F_impro01_e2_cat.txt").write_text("no label file")
    (clip,) = iemocap.clips(tmp_path)
    assert clip.emotion == "neutral"


def test_a_swapped_label_file_is_refused(tmp_path):
    first = dialogue(tmp_path, "Ses01F_impro01", ("F000", "neu", "3, 3, 3"))
    second = dialogue(tmp_path, "Ses01F_impro02", ("F000", "ang", "1, 5, 5"))
    texts = first.read_text(), second.read_text()
    first.write_text(texts[1])
    second.write_text(texts[0])
    refused(
        tmp_path,
        r"2 files do not belong: Session1/dialog/EmoEvaluation/Ses01F_impro01\.txt \(labels "
        r"Ses01F_impro02_F000, a turn of another dialogue\); .*; rename or remove them",
    )


def test_a_turn_without_a_label_is_refused(tmp_path):
    dialogue(tmp_path, "Ses01F_impro01", ("F000", "neu", "3, 3, 3"), turns=("F000", "F001"))
    refused(tmp_path, r": 1 turns have no label, the first is Ses01F_impro01_F001; copy dialog/Emo")


def test_labelled_turns_without_sound_are_given_as_absent(tmp_path):
    turns = ("F000", "neu", "3, 3, 3"), ("M000", "xxx", "3, 3, 3"), ("M001", "sad", "2, 3, 3")
    dialogue(tmp_path, "Ses01F_impro01", *turns, turns=("F000",))
    found = iemocap.clips(tmp_path)
    absent = {clip.clip: clip.skip for clip in found if clip.absent}
    assert absent == {
        "Ses01F_impro01_M000": "raters do not agree",
        "Ses01F_impro01_M001": "",
    }


def test_a_copy_without_label_files_is_refused(tmp_path):
    labels = dialogue(tmp_path, "Ses01F_impro01", ("F000", "neu", "3, 3, 3"))
    labels.unlink()
    refused(tmp_path, r": no label files; copy Session1/dialog/EmoEvaluation/\*\.txt")


def test_a_name_of_another_corpus_is_refused(tmp_path):
    dialogue(tmp_path, "Ses01F_impro01", ("F000", "neu", "3, 3, 3"))
    (tmp_path / "Session1" / "03a01Fa.wav").write_bytes(b"sound")
    refused(tmp_path, r"03a01Fa\.wav \(wanted a name such as Ses01F_impro01_F000\.wav\); rename or")


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        (("F000", "hmm", "3, 3, 3"), "line 3: emotion hmm is not in the table"),
        (("F000", "neu", "3, 3, 0.5"), "line 3: ratings 3, 3, 0.5; wanted 1 to 5"),
        (("F000", "neu", "3, 3"), r"line 3 is not \[start - end\], turn, emotion, \[three rat"),
    ],
)
def test_a_line_that_does_not_parse_is_refused(tmp_path, label, reason):
    dialogue(tmp_path, "Ses01F_impro01", label)
    refused(tmp_path, rf"Session1/dialog/EmoEvaluation/Ses01F_impro01\.txt \({reason}")


def test_two_label_files_that_disagree_are_refused(tmp_path):
    first = dialogue(tmp_path, "Ses01F_impro01", ("F000", "neu", "3, 3, 3"))
    again = tmp_path / "again" / "EmoEvaluation" / first.name
    again.parent.mkdir(parents=True)
    again.write_text(first.read_text())
    assert len(iemocap.clips(tmp_path)) == 1
    again.write_text(first.read_text().replace("neu", "sad"))
    refused(tmp_path, r"txt \(another file of this name labels Ses01F_impro01_F000 otherwise\)")


def test_a_tiny_copy_has_every_speaker_and_class(tmp_path):
    copies.write(tmp_path, 40)
    kept = [clip for clip in iemocap.clips(tmp_path) if not clip.skip]
    assert len(kept) == 40
    assert len({clip.speaker for clip in kept}) == len({clip.emotion for clip in kept}) == 10
    assert all(Path(clip.path).is_relative_to(tmp_path) for clip in kept)
