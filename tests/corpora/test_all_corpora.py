"""What every parser promises, for any file in ``pipeline/corpora``.

A new parser needs one thing more than its file: ``tests/copies/NAME.py``, which writes a whole
copy, made up, small, and with the oddities of the corpus. A parser whose ``expected`` is ``None``
reads corpora of the user's own: nothing is known of their counts, labels and re-uploads.
"""

import dataclasses
import re
from collections import Counter
from pathlib import Path

import pytest
from natsort import natsorted

from pipeline import plugins
from pipeline.config import params
from pipeline.corpora.clip import Clip, Expected
from pipeline.errors import InputError
from pipeline.files import audio, tables
from pipeline.stages.index import index
from tests import copies
from tests.copies.__main__ import demo_corpus

ROOT = Path(__file__).parents[2]
NAMES = copies.NAMES
FIELDS = {field.name for field in dataclasses.fields(Clip)}
TINY, SOME = 24, 480


def settings(name):
    """Settings with which a parser reads the copies of its corpus."""
    return getattr(copies.load(name), "SETTINGS", {})


def expected(name):
    """What a whole copy holds, or None."""
    return plugins.load("corpora", name).expected(**settings(name))


def read(name, folder):
    """Clips that a parser finds in a copy; the test is skipped if a library is not installed."""
    if needed := getattr(copies.load(name), "NEEDS", ""):
        pytest.importorskip(needed)
    return plugins.load("corpora", name).clips(folder, **settings(name))


def kept(clips):
    """Clips that belong to the corpus."""
    return [clip for clip in clips if not clip.skip]


KNOWN = [name for name in NAMES if expected(name)]
PUBLISHED = [name for name in KNOWN if name != "demo"]  # nobody recorded or passed on the demo
FLAT = [name for name in PUBLISHED if hasattr(copies.load(name), "flat")]


@pytest.fixture(scope="module")
def clips(whole_copy):
    """Give ``clips(name)``: what a parser finds in a whole copy."""
    found = {}

    def of(name):
        if name not in found:
            found[name] = read(name, whole_copy(name))
        return found[name]

    return of


# ---- what is stated --------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_parser_states_its_name_and_order(name):
    parser = plugins.load("corpora", name)
    assert isinstance(parser.NAME, str) and parser.NAME
    assert "\nOrder: " in parser.__doc__


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_corpus_says_whose_it_is_and_how_it_is_laid_out(name):
    parser = plugins.load("corpora", name)
    assert f" {expected(name).clips} " in parser.__doc__.splitlines()[0]
    assert re.search(r"\bLayout:\s+\S", parser.__doc__)
    assert re.search(r"\(\d{4}\)|\d{4}", parser.SOURCE.citation)
    assert parser.SOURCE.licence and parser.SOURCE.address


@pytest.mark.parametrize("name", KNOWN)
def test_counts_add_up(name):
    known = expected(name)
    assert isinstance(known, Expected) and known.clips > 0
    for counts in (known.emotion, known.speaker):
        assert not counts or sum(counts.values()) == known.clips
        assert all(count > 0 for count in counts.values())
    assert not known.names or len(known.names) == known.clips


# ---- a whole copy ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_a_whole_copy_has_what_is_expected(name, clips):
    known, found = expected(name), kept(clips(name))
    assert len(found) == known.clips
    assert not known.emotion or Counter(clip.emotion for clip in found) == known.emotion
    assert not known.speaker or Counter(clip.speaker for clip in found) == known.speaker
    assert not known.names or {clip.clip for clip in found} == known.names


@pytest.mark.parametrize("name", NAMES)
def test_clips_are_named_once_and_their_labels_are_clean(name, clips):
    found = clips(name)
    assert all(isinstance(clip, Clip) for clip in found)
    assert max(Counter(clip.clip for clip in kept(found)).values()) == 1
    for clip in found:
        texts = [getattr(clip, field) for field in FIELDS - {"path"}]
        assert all(text == text.strip() for text in texts if isinstance(text, str))
        assert clip.clip and clip.path.is_file()
        assert clip.sex in ("f", "m", "")
        ratings = (clip.arousal, clip.dominance, clip.valence)
        assert all(rating is None or isinstance(rating, float) for rating in ratings)


@pytest.mark.parametrize("name", KNOWN)
def test_labels_are_of_the_table(name, clips):
    table = plugins.load("corpora", name).EMOTIONS
    words = set(table.values() if isinstance(table, dict) else table)
    assert {clip.emotion for clip in clips(name)} <= words
    assert set(expected(name).emotion) <= words


@pytest.mark.parametrize("name", NAMES)
def test_takes_of_one_utterance_agree_in_all_it_is_made_of(name, clips):
    said = {}
    for clip in clips(name):
        if clip.utterance:
            made_of = (clip.speaker, clip.sentence, clip.emotion)
            assert said.setdefault(clip.utterance, made_of) == made_of


@pytest.mark.parametrize("name", KNOWN)
def test_the_order_is_the_documented_one(name, clips):
    text = plugins.load("corpora", name).__doc__
    order = re.search(r"(?s)\nOrder: (.+?)[:.;]", text)[1]
    keys = [word for word in re.findall(r"\w+", order) if word in (*FIELDS, "name")]
    merged = dict(re.findall(r"where (\w+) stands with (\w+)", order))
    assert keys[-1] == "name", "the line says how clips are sorted: emotion, then name"

    def place(clip):
        values = vars(clip) | {"name": clip.clip}
        return tuple(merged.get(values[key], values[key]) for key in keys)

    places = [place(clip) for clip in clips(name)]
    assert places == natsorted(places)


# ---- the same corpus as others pass it on ----------------------------------------------------


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """Give ``part(name)``: a copy of some clips, which is faster, and what a parser finds there."""
    folder, found = tmp_path_factory.mktemp("raw_data"), {}

    def of(name):
        if name not in found:
            copies.load(name).write(folder / name, min(SOME, expected(name).clips))
            found[name] = read(name, folder / name)
        return folder / name, found[name]

    return of


def link(copy, folder, rename):
    """Make a copy of links under other names: parsers do not decode."""
    for path in sorted(copy.rglob("*")):
        if path.is_file():
            place = folder / rename(path.relative_to(copy))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path)  # fails where two have one name
    return folder


def labels(clips):
    """Clips without the place of their files, which is all that may differ."""
    return [dataclasses.replace(clip, path=None) for clip in clips]


@pytest.mark.parametrize("name", NAMES)
def test_clips_do_not_depend_on_where_the_copy_lies(name, whole_copy, clips, tmp_path):
    (tmp_path / "elsewhere").symlink_to(whole_copy(name))
    assert labels(read(name, tmp_path / "elsewhere")) == labels(clips(name))


@pytest.mark.parametrize("name", PUBLISHED)
def test_nested_once_more(name, part, tmp_path):
    copy, found = part(name)
    (tmp_path / "a download").symlink_to(copy)
    assert labels(read(name, tmp_path)) == labels(found)


@pytest.mark.parametrize("name", FLAT)
def test_all_in_one_folder(name, part, tmp_path):
    copy, found = part(name)

    def rename(path):
        is_sound = path.suffix in audio.SUFFIXES
        return copies.load(name).flat(path) if is_sound else path

    assert labels(read(name, link(copy, tmp_path / "flat", rename))) == labels(found)


@pytest.mark.parametrize("name", PUBLISHED)
def test_flac_in_place_of_wav(name, part, tmp_path):
    copy, found = part(name)

    def rename(path):
        return path.with_suffix(".flac") if path.suffix == ".wav" else path

    assert labels(read(name, link(copy, tmp_path / "flac", rename))) == labels(found)


# ---- what cannot be read ---------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_names_that_do_not_belong_are_refused_in_one_line(name, tmp_path):
    copies.load(name).write(tmp_path / "raw", TINY)
    folder_of_clips = next(path for path in sorted((tmp_path / "raw").rglob("*.wav"))).parent
    for number in range(4):
        (folder_of_clips / f"take {number}.wav").write_bytes(b"sound")
    with pytest.raises(InputError) as error:
        read(name, tmp_path / "raw")
    said = str(error.value)
    assert said.startswith(f"{tmp_path / 'raw'}: 4 files do not belong: ")
    assert said.endswith("; rename or remove them")
    assert re.search(
        r"take 0\.wav \(.+\); .*take 1\.wav \(.+\); .*take 2\.wav \(.+\); \.\.\.", said
    )
    assert "\n" not in said


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_is_missing_or_empty_is_refused(name, tmp_path):
    with pytest.raises(InputError, match=r"here: no such folder; put the corpus there, or a link"):
        read(name, tmp_path / "here")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "notes.txt").write_text("to do: copy the corpus")
    with pytest.raises(InputError, match=r"here: holds no sound files \(\.wav .*\); copy the corp"):
        read(name, tmp_path / "here")


# ---- the copies themselves -------------------------------------------------------------------


def test_every_parser_has_copies():
    assert plugins.names("corpora") == copies.NAMES


@pytest.mark.parametrize("name", KNOWN)
def test_a_tiny_copy_has_every_emotion_and_many_speakers(name, tmp_path):
    copies.load(name).write(tmp_path / "raw", TINY)
    found, known = kept(read(name, tmp_path / "raw")), expected(name)
    assert {clip.emotion for clip in found} >= set(known.emotion)
    assert len({clip.speaker for clip in found}) >= min(len(known.speaker), TINY // 3)


@pytest.mark.parametrize("name", NAMES)
def test_make_demo_corpus_gives_what_the_index_takes(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    demo_corpus(name, clips=TINY)
    line = capsys.readouterr().out.splitlines()[-1]
    text = re.sub(r"(?m)^  demo: .*$", lambda _: line, (ROOT / "params.yaml").read_text())
    text = re.sub(r"(?ms)^(sounds|data|folds|runs):.*?(?=^\S)", r"\1: {}\n", text)
    (tmp_path / "params.yaml").write_text(text)
    corpus = params.load().corpora[name]
    raw, quality = tmp_path / "raw_data" / name, tmp_path / "quality.json"
    assert len(kept(read(name, raw))) == TINY
    index(raw, tmp_path / "index.csv", quality, corpus=corpus)
    assert 0 < tables.read_json(quality)["clips"] <= TINY


def test_make_demo_corpus_leaves_what_is_there_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw_data").mkdir()
    (tmp_path / "raw_data" / "emodb").symlink_to(tmp_path / "away")
    with pytest.raises(InputError, match=r"raw_data/emodb: is there already; remove it, or move"):
        demo_corpus("emodb")
    assert [path.name for path in (tmp_path / "raw_data").iterdir()] == ["emodb"]


@pytest.mark.parametrize(
    ("name", "clips", "message"),
    [
        ("emodbb", 40, r"CORPUS: no 'emodbb'; did you mean emodb\?"),
        ("emodb", 0, "clips: must be between 1 and 535, got 0"),
        ("emodb", 536, "clips: must be between 1 and 535, got 536"),
    ],
)
def test_make_demo_corpus_says_what_it_cannot_do(name, clips, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        demo_corpus(name, clips=clips)
    assert list(tmp_path.rglob("*")) == []
