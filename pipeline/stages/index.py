"""Stage index: list every clip of a corpus, decode each once, check the copy is whole.

``index.csv`` has one row per sound file in the corpus's documented order (it decides the authors'
folds). ``status`` is ``ok``, ``quarantined`` (the file cannot be used; ``reason`` says why) or
``skipped`` (the file is not part of the corpus). ``recording`` names the first of the clips that
hold one take, be it in the same samples or not; `pipeline.audit.conditions` says what ``level``,
``noise`` and ``bandwidth`` are. ``quality.json`` counts it all and names what is
suspicious; ``pipeline.audit.quality`` says what its keys are.
"""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import median

import pandas as pd

from pipeline import corpora, progress, text
from pipeline.audit import fingerprints
from pipeline.audit.conditions import conditions
from pipeline.audit.fingerprints import Fingerprint
from pipeline.audit.quality import SUSPICIONS, Facts, facts, length_confound, suspicions, unusable
from pipeline.audit.takes import Takes, contradictions, of_clips
from pipeline.config.records import Corpus
from pipeline.corpora.clip import Clip, Expected, seen
from pipeline.errors import InputError
from pipeline.files import audio, checked, tables
from pipeline.files.index import COLUMNS, USABLE
from pipeline.order import natural

FIRST = 20  # of a long list in quality.json
SHOWN = 3  # in a message
PADDING = 0.25  # seconds, that a lossy encoding adds or leaves out


@dataclass(frozen=True)
class Decoded:
    """Facts of one decoded clip: fields of its row, and of a usable one the rest.

    Attributes
    ----------
    row : dict
    facts : Facts or None
    misnamed : str
        The container where it is not the one of the suffix.
    unchecked : str
        Why a cut would not be noticed.
    fingerprint : Fingerprint or None
    """

    row: dict
    facts: Facts | None = None
    misnamed: str = ""
    unchecked: str = ""
    fingerprint: Fingerprint | None = None


def index(raw: Path, index: Path, quality: Path, *, corpus: Corpus) -> None:
    """List and check every clip of a corpus.

    Parameters
    ----------
    raw : Path
        The corpus as its distributor ships it. Never written to.
    index, quality : Path
        ``index.csv`` and ``quality.json`` to write.
    corpus : Corpus
        Names the parser and its settings, and says how much may be amiss with the copy.

    Raises
    ------
    InputError
        If the folder is missing or empty, a name or label does not parse, two different recordings
        have one name, the copy does not hold the clips the corpus is known to have and is not
        allowed to be partial, none can be used, or a count is above its limit.
    """
    parser = corpora.parser(corpus.parser)
    clips = parser.clips(raw, **corpus.settings)
    _check_names(clips, raw)
    _check_spelling(clips, raw)
    hints = {clip.clip: clip.absent for clip in clips if clip.absent and not clip.skip}
    clips = [clip for clip in clips if not clip.absent]
    decoded = _decode_all(clips)
    rows = [_row(clip, raw, one.row) for clip, one in zip(clips, decoded, strict=True)]
    rows = _copies_skipped(rows, raw)
    # object: a file without facts must not turn whole numbers into decimals
    frame = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    partial = _partial(frame, parser.expected(**corpus.settings), natural(hints))
    if partial and not corpus.allow_partial:
        raise InputError(
            f"{raw}: found {partial['found']} clips, {parser.name} has {partial['expected']} "
            f"({_amiss(partial, hints)}); copy the corpus again, or go on with what is there: "
            f"corpora.{corpus.name}.allow_partial: true"
        )
    usable = frame.status == USABLE
    if not usable.any():
        reasons = frame.reason[frame.status == "quarantined"]
        reason = reasons.iloc[0] if len(reasons) else "all are skipped"
        raise InputError(f"{raw}: none of its {len(frame)} clips can be used: {reason}")
    decoded = [one for one, ok in zip(decoded, usable, strict=True) if ok]
    takes = of_clips(frame[usable], raw, [one.fingerprint for one in decoded if one.fingerprint])
    frame["recording"] = ""
    frame.loc[usable, "recording"] = takes.recording
    found = _quality(frame, decoded, takes, partial)
    found |= {
        "parser": corpus.parser,
        "parser_settings": corpus.settings,
        "sources": corpora.sources(corpus.parser, corpus.settings),
    }
    for kind, limit in corpus.limits.items():
        if found["counts"][kind] > limit:
            raise InputError(
                f"{raw}: {kind} {found['counts'][kind]}, corpora.{corpus.name}.limits allows "
                f"{limit:g}: {_offenders(found, kind)}; mend the copy or raise the limit"
            )
    tables.write(frame, index)
    checked.write(found, quality, [index])


def _check_names(clips: list[Clip], raw: Path) -> None:
    """Refuse names with control characters: no table, no terminal shows them as they are."""
    paths = [clip.path.relative_to(raw) for clip in clips]
    odd = [audio.shown(path) for path in paths if audio.controls(path)]
    if odd:
        raise InputError(f"{raw}: {text.first(odd)}: a control character in a file name; rename it")


def _check_spelling(clips: list[Clip], raw: Path) -> None:
    """Refuse emotions, or speakers, that look alike and are not: one would be two."""
    for field in ("emotion", "speaker"):
        spelt: dict[str, set[str]] = {}
        for word in {getattr(clip, field) for clip in clips if not clip.skip}:
            spelt.setdefault(seen(word), set()).add(word)
        for words in spelt.values():
            if len(words) > 1:
                shown = ", ".join(ascii(word) for word in sorted(words))
                raise InputError(
                    f"{raw}: the {field}s {shown} look alike: they differ in case, blanks, "
                    "leading zeros or invisible signs alone; give them one name in the corpus"
                )


def _decode_all(clips: list[Clip]) -> list[Decoded]:
    """Decode every clip once, in parallel (libsndfile, soxr and FFT release the interpreter)."""
    with ThreadPoolExecutor() as pool:
        decoded = pool.map(_decode, clips)
        return list(progress.counted(decoded, len(clips), "index", "clips"))


def _decode(clip: Clip) -> Decoded:
    """Facts of one sound file, or the reason why it cannot be used."""
    if clip.skip:
        return Decoded({"status": "skipped", "reason": clip.skip})
    try:
        sound = audio.load(clip.path)
    except InputError as error:
        reason = str(error).removeprefix(f"{audio.shown(clip.path)}: ")
        return Decoded({"status": "quarantined", "reason": reason})
    signal, sample_rate = sound.signal, sound.sample_rate
    seconds = len(signal) / sample_rate
    row = {
        "seconds": f"{seconds:.6f}",
        "sample_rate": sample_rate,
        "channels": signal.shape[1],
        "pcm_hash": audio.pcm_hash(signal, sample_rate),
        "status": USABLE,
        "reason": "",
    }
    if reason := unusable(signal, sample_rate):
        return Decoded(row | {"status": "quarantined", "reason": reason})
    mono = audio.mono(signal)
    measured = conditions(mono, sample_rate)
    return Decoded(
        row | {name: getattr(measured, name) for name in ("level", "noise", "bandwidth")},
        facts(signal, sample_rate, unbounded=sound.unbounded),
        audio.misnamed(clip.path, sound.container),
        sound.unchecked,
        fingerprints.fingerprint(mono, sample_rate),
    )


def _row(clip: Clip, raw: Path, decoded: dict) -> dict:
    """One row of index.csv; paths are relative to the corpus folder, control characters escaped."""
    labels = {key: value for key, value in vars(clip).items() if key not in ("skip", "path")}
    named = labels | {"clip": audio.printable(clip.clip)}
    named["path"] = audio.printable(clip.path.relative_to(raw))
    words = {key: text.printable(value) for key, value in named.items() if isinstance(value, str)}
    return named | words | decoded


def _copies_skipped(rows: list[dict], raw: Path) -> list[dict]:
    """Keep one of several files of one name if they hold one recording; refuse them otherwise.

    A file that can be used is kept rather than a broken one, then the one that lost nothing by its
    encoding, then the one least deep. A git-LFS pointer can be used once it is fetched.
    """
    kept: dict[str, dict] = {}

    def rank(row: dict) -> tuple:
        broken = row["status"] != USABLE
        fetched = not broken or "git-LFS" in row["reason"]
        return not fetched, _is_lossy(row), broken, row["path"].count("/"), row["path"]

    for row in sorted((row for row in rows if row["status"] != "skipped"), key=rank):
        first = kept.setdefault(row["clip"], row)
        if row is first:
            continue
        if not (row["status"] != USABLE or _is_copy(row, first)):
            raise InputError(
                f"{raw}: {first['path']} and {row['path']} have one name and different sound; "
                "keep the right one"
            )
        reason = f"copy of {first['path']}" + (f"; {row['reason']}" if row["reason"] else "")
        row |= {"status": "skipped", "reason": reason}
    return rows


def _is_lossy(row: dict) -> bool:
    """Whether a file of this suffix has lost something by its encoding."""
    return PurePosixPath(row["path"]).suffix.lower() in audio.LOSSY


def _is_copy(row: dict, first: dict) -> bool:
    """Whether a file that can be used is a copy of the one that is kept.

    The samples are equal, or those of a lossy encoding that is as long; it pads a little.
    """
    if first["status"] != USABLE:
        return _is_lossy(row)
    length = abs(float(row["seconds"]) - float(first["seconds"]))
    lossy = _is_lossy(row) and not _is_lossy(first) and length <= PADDING
    return lossy or row["pcm_hash"] == first["pcm_hash"]


def _partial(frame: pd.DataFrame, expected: Expected | None, absent: list[str]) -> dict | None:
    """What a copy lacks or has too many of, by what the corpus is known to hold, or None.

    ``absent`` are clips that its labels name and that are not there.
    """
    present = frame[frame.status != "skipped"]
    expected = expected or Expected(len(present) + len(absent), {}, {})
    unknown = []
    if expected.names:
        absent = natural({*absent} | expected.names - {*present["clip"]})
        unknown = natural({*present["clip"]} - expected.names)
    # where names are not known, by the counts that differ most
    missing = max(len(absent), expected.clips - len(present))
    extra = max(len(unknown), len(present) - expected.clips)
    wrong = []
    for column in ("emotion", "speaker"):
        counts, wanted = Counter(present[column]), Counter(getattr(expected, column))
        if wanted:
            missing = max(missing, (wanted - counts).total())
            extra = max(extra, (counts - wanted).total())
            values = [
                value for value in sorted({*wanted, *counts}) if counts[value] != wanted[value]
            ]
            wrong += [f"{column} {value} {counts[value]} of {wanted[value]}" for value in values]
    if not missing and not extra:
        return None
    return {
        "expected": expected.clips,
        "found": len(present),
        "missing": missing,
        "extra": extra,
        "missing_names": absent[:FIRST],
        "extra_names": unknown[:FIRST],
        "wrong": wrong[:FIRST],
    }


def _amiss(partial: dict, hints: Mapping[str, str]) -> str:
    """What a copy lacks and has too many of, in words; of what it lacks, what is known of it."""
    parts = []
    for kind in ("missing", "extra"):
        if partial[kind]:
            names = [
                f"{name}: {hints[name]}" if name in hints else name
                for name in partial[f"{kind}_names"]
            ]
            parts.append(f"{partial[kind]} {kind}" + (f": {_some(names)}" if names else ""))
    return "; ".join([*parts, _some(partial["wrong"])]).removesuffix("; ")


def _some(names: list[str]) -> str:
    """The first few."""
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _quality(
    frame: pd.DataFrame, decoded: list[Decoded], takes: Takes, partial: dict | None
) -> dict:
    """Give what ``quality.json`` holds."""
    usable = frame[frame.status == USABLE]
    quarantined = frame[frame.status == "quarantined"]
    skipped = frame[frame.status == "skipped"].reason
    seconds = usable.seconds.astype(float)
    measured = [one.facts for one in decoded if one.facts]
    suspicious = {kind: {} for kind in SUSPICIONS}
    for path, one, facts_of in zip(usable.path, decoded, measured, strict=True):
        for kind, fact in suspicions(facts_of, one.misnamed, one.unchecked).items():
            suspicious[kind][path] = fact
    one_length = len(usable) > 1 and usable.seconds.nunique() == 1
    contradicted = contradictions(usable)
    labelled = usable.emotion != ""
    accuracy, chance = None, None
    if labelled.any():
        accuracy, chance = length_confound(
            seconds[labelled].to_numpy(), usable.emotion[labelled].tolist()
        )
    counts = {
        "quarantined": len(quarantined),
        **{kind: len(found) for kind, found in suspicious.items()},
        "one_length": len(usable) if one_length else 0,
        "duplicates": sum(len(clips) - 1 for clips in takes.duplicates),
        "near_duplicates": takes.surplus,
        "contradictions": len(contradicted),
        "confound": accuracy or 0,
        "missing": partial["missing"] if partial else 0,
        "extra": partial["extra"] if partial else 0,
    }
    return {
        "clips": len(usable),
        "seconds": round(float(seconds.sum()), 3),
        "speakers": int(usable.speaker.nunique()),
        "emotion": dict(Counter(usable.emotion)),
        "sample_rate": {str(k): v for k, v in Counter(usable.sample_rate).items()},
        "channels": {str(k): v for k, v in Counter(usable.channels).items()},
        "counts": counts,
        "quarantined": dict(zip(quarantined.path, quarantined.reason, strict=True)),
        "skipped": dict(Counter(skipped.str.replace(r"^copy of .*", "second copy", regex=True))),
        **{kind: dict([*found.items()][:FIRST]) for kind, found in suspicious.items()},
        "leading_silence": round(median(one.leading for one in measured), 3),
        "trailing_silence": round(median(one.trailing for one in measured), 3),
        "one_length": float(seconds.iloc[0]) if one_length else None,
        "duplicates": takes.duplicates,
        "near_duplicates": takes.near_duplicates,
        "contradictions": contradicted,
        "compared": takes.compared,
        "length_accuracy": accuracy,
        "length_chance": chance,
        "partial": partial,
    }


def _offenders(found: dict, kind: str) -> str:
    """Clips that a count of ``quality.json`` counts: the first of them."""
    if kind in ("missing", "extra"):
        return _amiss(found["partial"], {})
    if kind == "confound":
        return f"emotions guessed by the clips' lengths, chance {found['length_chance']}"
    if kind == "one_length":
        return f"all are {found['one_length']:g} s long"
    if kind == "duplicates":
        return _some([" = ".join(clips) for clips in found["duplicates"]])
    if kind in ("near_duplicates", "contradictions"):
        return _some([" = ".join(group["clips"]) for group in found[kind]])
    return _some([f"{path} ({fact})" for path, fact in found[kind].items()])
