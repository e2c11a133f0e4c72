"""Results in words and cells: what the page and the summary say alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.protocols.vocabulary import POOL, leak
from pipeline.reporting import comparison, levels, published_folds
from pipeline.reporting.levels import Level
from pipeline.reporting.pairs import Pair
from pipeline.reporting.published_folds import Paired
from pipeline.reporting.results import DASH, LENGTHS, Result, Run
from pipeline.scoring import targets
from pipeline.scoring.target import Measure, Target
from pipeline.scoring.targets import Attributes, Emotions


@dataclass(frozen=True)
class Words:
    """How the figures of one kind of target are spoken of.

    Attributes
    ----------
    measured_in : str
        Unit of the figures.
    guessing : str
        What the floor in a figure is.
    machine : str
        Model of the highest floor.
    unit : str
        Unit after a heading.
    difference : str
        Heading of a difference.
    in_points : str
        Unit of a difference, after a comma.
    """

    measured_in: str
    guessing: str
    machine: str
    unit: str
    difference: str
    in_points: str


WORDS = {
    Emotions.KIND: Words(
        "Percent", "chance, majority class", "SVM", ", %", "points", ", in points"
    ),
    Attributes.KIND: Words("CCC", "a constant", "SVR", "", "difference", ""),
}


def of(kind: type[Target] | Target) -> Words:
    """Words for one kind of target."""
    return WORDS[kind.KIND]


def over_words(results: list) -> str:
    """Say what the intervals of some results were drawn over."""
    few = "clips (fewer than five speakers are known): it says nothing about other speakers"
    over = {result.over_speakers for result in results}
    if over == {True}:
        return "speakers"
    return few if over == {False} else f"speakers; where \u201cover clips\u201d is said, over {few}"


def by_kind(results: list) -> list[tuple[type[Target], list]]:
    """Kinds of target that there are results of, each with them."""
    found = [(kind, [r for r in results if type(r.target) is kind]) for kind in targets.KINDS]
    return [(kind, of_kind) for kind, of_kind in found if of_kind]


def ours_in_words(result: Result) -> str:
    """Our protocol with folds and epochs, to stand next to a published number."""
    folds = f"{result.folds_in_words} folds, " if result.facts["folds"] > 1 else "one split, "
    return folds + result.protocol


def change(leaky: Result, honest: Result, measure: Measure) -> str:
    """Format what is lost from one result to another; a dash where one has no such measure."""
    if measure not in leaky.measures or measure not in honest.measures:
        return DASH
    lost = honest.metrics[measure.key] - leaky.metrics[measure.key]
    return honest.target.change(honest.target.SCALE * lost)


def against(result: Result, published: dict[str, Any], measure: Measure) -> tuple[str, str, str]:
    """Ours, the published figure and the difference; dashes where there is none.

    There is a difference only where both were made in the same way: see `comparison`.
    """
    target, theirs = result.target, published.get(measure.published)
    shown = DASH if theirs is None else f"{theirs:.{target.DIGITS}f}"
    if theirs is None or measure not in result.measures or differs(result, published):
        return result.show(measure), shown, DASH
    return (
        result.show(measure),
        shown,
        target.change(target.SCALE * result.metrics[measure.key] - theirs),
    )


def differs(result: Result, published: dict[str, Any]) -> str:
    """Say in what a result differs from a published one; nothing where they can be compared."""
    return "; ".join(comparison.differences(result.facts, published.get("conditions")))


def p_value(value: float) -> str:
    """Format a p-value; a dash where there was no test."""
    return DASH if np.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def pair_cells(pair: Pair) -> list[str]:
    """Difference, its interval, p-value, adjusted p-value and McNemar's of two runs."""
    target, found = pair.first.target, pair.difference
    gap = target.change(target.SCALE * pair.gap)
    tested = [p_value(pair.adjusted), p_value(pair.mcnemar)]
    if found is None:
        return [gap, DASH, DASH, *tested]
    ends = ", ".join(target.change(target.SCALE * end) for end in (found.low, found.high))
    return [gap, f"[{ends}]", p_value(found.p_value), *tested]


def reference_cells(result: Result) -> list[list[str]]:
    """System, value, figure, caveat and source of each reference number of a result."""
    return [
        [
            row["system"],
            f"{row['value']:.1f}" + (f" ± {row['deviation']:.1f}" if row["deviation"] else ""),
            row["figure"],
            row["caveat"],
            row["source"],
        ]
        for row in comparison.references(result.facts)
    ]


def sources_of(result: Result) -> Sequence[Mapping[str, str]]:
    """Give what the corpus of a result states as its sources."""
    return result.facts.get("quality", {}).get("sources", [])


def sources(held: Iterable[tuple[str, Sequence[Mapping[str, str]]]]) -> list[list[str]]:
    """Corpus as params.yaml calls it, name, citation, licence and address of each source.

    A corpus that states no source, such as one's own sound, has dashes.

    Parameters
    ----------
    held : iterable of (str, sequence of mapping)
        Corpora, any of them several times, with their sources.
    """
    found: dict[str, list[list[str]]] = {}
    for corpus, stated in held:
        keys = ("name", "citation", "licence", "address")
        rows = [[source[key] for key in keys] for source in stated]
        found.setdefault(corpus, rows or [[DASH] * len(keys)])
    return [[corpus, *row] for corpus, rows in found.items() for row in rows]


def unlike_words(result: Result) -> str:
    """Say how often a run warned that a held-out clip is unlike its training clips; or nothing.

    Nothing of runs that were made before there were limits.
    """
    found = result.facts.get("unlike")
    if not found:
        return ""
    kinds = ", ".join(f"{kind} {count}" for kind, count in found["kinds"].items())
    words = (
        "Unlike its training clips in length, level, noise, bandwidth or vector: "
        f"{found['warned']} of {found['predictions']} held-out predictions"
    )
    words += f" ({kinds})" if kinds else ""
    right = found.get("right", {})
    if right and None not in right.values():
        like, unlike = (result.target.show(right[name]) for name in ("like", "unlike"))
        words += f"; right are {unlike} % of these, and {like} % of the others"
    return f"{words}."


def level_cells(result: Result) -> list[list[str]]:
    """Measure, last epoch, level, best epoch and what choosing it on test adds, of each measure."""
    target = result.target
    return [
        [
            ", ".join(filter(None, [f"{measure.name}{target.UNIT}", result.partial])),
            target.show(level.last),
            _level(target, level),
            target.show(level.best),
            target.change(target.SCALE * (level.best - level.last)),
        ]
        for measure, level in levels.of_run(result)
    ]


def optimism_words(result: Result) -> list[str]:
    """Say in a sentence, of each measure, what choosing the epoch on test adds."""
    points = {"emotions": " points"}.get(result.target.KIND, "")
    return [
        f"{name}: last epoch {last}{f', mean {level}' if level != DASH else ''}; the best epoch of "
        f"each test fold would have printed {best}: {added}{points} of optimism."
        for name, last, level, best, added in level_cells(result)
    ]


def fold_cells(result: Result) -> list[list[str]]:
    """Fold, and of each measure watched on test the last epoch, level, best, and number of that."""
    show = result.target.show
    of_folds = [levels.of_folds(result, measure) for measure in result.measures]
    of_folds = [folds for folds in of_folds if folds]
    rows = []
    for fold in of_folds[0] if of_folds else ():
        row = [str(fold)]
        for folds in of_folds:
            one = folds[fold]
            row += [show(one.last), f"{show(one.level)} ± {show(one.spread)}", show(one.best)]
            row.append(str(one.best_epoch or DASH))
        rows.append(row)
    return rows


def paired_cells(result: Result) -> list[list[str]]:
    """What is compared fold by fold, ours, theirs, the difference with its interval, the source.

    Nothing of a run of some folds: that is compared with nothing.
    """
    if result.partial:
        return []
    return [
        [
            pair.what,
            f"{np.mean(pair.ours):.1f}",
            f"{np.mean(pair.theirs):.1f}",
            paired_words(pair),
            pair.source,
        ]
        for pair in published_folds.paired(result)
    ]


def paired_words(pair: Paired) -> str:
    """Difference in points with its interval: ``+0.6 [-0.7, +1.9]``."""
    words = Emotions.change(pair.difference)
    if pair.interval:
        words += f" [{', '.join(map(Emotions.change, pair.interval))}]"
    return words


def _level(target: Target, level: Level) -> str:
    """Mean and deviation over the last epochs; a dash of too few."""
    if level.epochs < 2:
        return DASH
    shown = f"{target.show(level.level)} ± {target.show(level.spread)}"
    return f"{shown} over the last {level.epochs} epochs"


def leak_percent(leak: dict[str, Any]) -> str:
    """Format the fraction of test clips touched: ``91 %``, or ``<1 %`` rather than a false 0."""
    percent = 100 * leak["clips"] / leak["of"]
    return "<1 %" if percent < 1 else f"{percent:.0f} %"


def leak_words(kind: str, found: dict[str, Any] | None) -> str:
    """Say in a sentence what the certificate found about one kind of leak."""
    if found is None:
        return "Not checkable: the corpus does not say."
    what = leak(kind).touched
    if kind.startswith(POOL):
        what = what.replace("training", "the unlabelled clips")
    words = f"Test clips {what}: {found['clips']} of {found['of']}"
    if found["clips"]:
        words += f", {'declared' if found['allowed'] else 'not declared'} by the protocol"
    if found.get("unlabelled"):
        words += f"; {found['unlabelled']} of unknown value went unchecked"
    if found.get("unlabelled_training"):
        words += f"; {found['unlabelled_training']} trained on, of unknown value, went unchecked"
    return words + "."


def stated_words(kind: str, found: dict[str, Any] | None, facts: dict[str, Any]) -> str:
    """Say in a sentence what a run states of a leak that no folds show."""
    trained = ", ".join(facts.get("pretrained_on", ()))
    rests = f" Trained on before: {trained}." if kind == "pretraining" and trained else ""
    if found is None:
        return f"Not known.{rests}"
    return leak_words(kind, found) + rests


def use_words(purpose: str, use: dict[str, int]) -> str:
    """Say in a sentence on how many clips something rests, of all folds together.

    >>> use_words("selection", {"clips": 0, "test": 0})
    'Rests on no clips.'
    """
    if not use["clips"]:
        return "Rests on no clips."
    met = f"{use['test']} of them are" if use["test"] else "none of them is"
    return f"Rests on {use['clips']} clips over all folds; {met} tested in the same fold."


def length_words(length: dict[str, Any]) -> str:
    """Say in a sentence how many clips were cut and padded, and by how much."""
    if length["policy"] == "whole" and length.get("chunks"):
        return (
            f"Clips taken whole, in {length['chunks']} chunks that reach from the start of each to "
            "its end; one that is shorter than a chunk is padded with silence."
        )
    seconds = (length["samples"] or 0) / length["sample_rate"]
    words = f"Clips {LENGTHS[length['policy']].format(seconds)}: "
    words += f"{length['cut'] or 'none'} of {length['clips']} cut"
    if length["cut"]:
        words += f", by up to {length['largest_cut']:.2f} s"
    words += f"; {length['padded'] or 'none'} padded"
    if length["padded"]:
        words += f", by {length['median_padding']:.2f} s in the median"
    return words + "."


def contradiction_words(quality: dict[str, Any]) -> list[str]:
    """Say of each sound that is labelled in two ways by which names it is."""
    return [
        f"{' = '.join(found['clips'])} are one sound under two labels, "
        f"{' and '.join(found['emotions'])}."
        for found in quality.get("contradictions", ())
    ]


def quarantined(run: Run) -> int:
    """Count the quarantined clips, whether the quality names them or only counts them."""
    found = run.facts["quality"]["quarantined"]
    return found if isinstance(found, int) else len(found)


def flat(value: Any, place: str = "") -> list[tuple[str, str]]:
    """Flatten nested settings to rows of text.

    >>> flat({"adam": {"beta": 0.9}, "shape": [196, 39]})
    [('adam.beta', '0.9'), ('shape', '196, 39')]
    """
    if isinstance(value, dict):
        rows = (
            flat(inner, f"{place}.{key}" if place else str(key)) for key, inner in value.items()
        )
        return [row for part in rows for row in part]
    return [(place, ", ".join(map(str, value)) if isinstance(value, list) else str(value))]
