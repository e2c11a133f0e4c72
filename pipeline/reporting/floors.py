"""Floors and probes of results, in words: what a run must be above."""

from pipeline.reporting.results import Result
from pipeline.scoring.targets import Attributes, Emotions, Measure

SPREADS = 3  # deviations of single draws within which shuffled labels are at chance
ROUNDING = 1e-9  # of a figure that is computed in two ways
ORDER = ("majority", "mean", "length", "svm", "svr")
# What the floors are, by kind.
EXPLAINED = {
    Emotions.KIND: "commonest emotion, clip length alone, SVM on mean and deviation of the run's "
    "feature",
    Attributes.KIND: "mean of training, clip length alone, SVR on mean and deviation of the run's "
    "feature",
}


def of(result: Result) -> dict[str, dict[str, float]]:
    """Measures of each floor by name, in order; nothing of results of before."""
    held = result.facts.get("floors", {}).get("floors", {})
    return {name: held[name] for name in ORDER if name in held}


def below(result: Result, measure: Measure) -> list[str]:
    """Floors that earn more than a result; of one on some folds nothing is said."""
    if result.partial:
        return []
    mine = result.metrics[measure.key] + ROUNDING
    return [name for name, found in of(result).items() if mine < found[measure.key]]


def floor_words(result: Result) -> list[str]:
    """Give what the floors of a result earn, by name; of several measures a text for each.

    Of emotions UAR alone; nothing of results from before there were floors.
    """
    shown = result.measures if result.facts["attributes"] else result.measures[:1]
    found = []
    for measure in shown if of(result) else ():
        words = [f"{name} {result.target.show(f[measure.key])}" for name, f in of(result).items()]
        place = f"{measure.published}: " if len(shown) > 1 else ""
        found.append(place + ", ".join(words))
    return found


def below_words(result: Result) -> str:
    """Say which floors earn more than a result; nothing if none does."""
    found = [(measure.name, below(result, measure)) for measure in result.measures]
    texts = dict.fromkeys(", ".join(names) for _, names in found if names)
    if len(texts) == 1 and all(names for _, names in found):
        return f"below {next(iter(texts))}"
    return "; ".join(f"{name} below {', '.join(names)}" for name, names in found if names)


def probe_words(result: Result) -> list[str]:
    """Say what the probes of a result found: labels shuffled, and the speaker."""
    facts = result.facts.get("floors")
    if not facts:
        return []
    shuffled, words = facts["shuffled"], []
    for measure in result.measures if result.facts["attributes"] else result.measures[:1]:
        mean, spread = shuffled[measure.key], shuffled[f"{measure.key}_std"]
        chance = result.floor(measure)
        fell = abs(mean - chance) <= SPREADS * spread + ROUNDING
        words.append(
            f"With shuffled training labels, {measure.name} {result.target.show(mean)} "
            f"± {result.target.show(spread)} over {shuffled['draws']} draws; chance is "
            f"{result.target.show(chance)}{'' if fell else ': it did not fall to chance'}."
        )
    if (speaker := facts["speaker"]) is None:
        return [*words, "Too few speakers are known to ask the feature for them."]
    percent, chance = (f"{100 * speaker[key]:.0f}" for key in ("accuracy", "chance"))
    return [
        *words,
        f"The same functionals name the speaker, of {speaker['speakers']}, in {percent} % of clips "
        f"(chance: {chance} %): so much of a speaker is in the feature.",
    ]
