"""Statistics: whether intervals and tests say on made-up data what is true of it.

A speaker is easy or hard, and each of his or her emotions is; a clip is recognised with that
probability. The UAR over all speakers that there could be is known, so that one can count how often
an interval holds it, and how often a test finds a difference between runs that are equally good.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from pipeline.scoring import metrics, paired
from pipeline.scoring.intervals import speaker_bootstrap
from tests.bench import Size, page

SPEAKERS = (5, 6, 10, 24)
CLASSES, CLIPS = 7, 4  # clips of each speaker and class
EASE, SPEAKER, EMOTION = 0.4, 0.8, 0.6  # mean, and deviations of speakers and emotions, in logits


def measure(size: Size) -> tuple[dict, str]:
    """Numbers, and the page of them."""
    rounds = 60 if size.quick else 4000 if size.full else 1500
    generator = np.random.default_rng(0)
    truth = float(_chances(generator, 200_000).mean())
    coverage = {n: _coverage(generator, n, truth, rounds) for n in SPEAKERS}
    false = {n: _false(generator, n, rounds) for n in SPEAKERS}
    planted = _planted(generator)
    numbers = {"rounds": rounds, "coverage": coverage, "false_positives": false, "leak": planted}
    return numbers, _text(numbers)


def _chances(generator: np.random.Generator, speakers: int) -> np.ndarray:
    """Probabilities that a clip is recognised, (speakers, classes)."""
    ease = EASE + SPEAKER * generator.normal(size=(speakers, 1))
    return 1 / (1 + np.exp(-ease - EMOTION * generator.normal(size=(speakers, CLASSES))))


def _counts(generator: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    """Confusion matrices of speakers; a clip that is missed is taken for the next class."""
    right, own = generator.binomial(CLIPS, chances), np.arange(CLASSES)
    counts = np.zeros((len(chances), CLASSES, CLASSES), int)
    counts[:, own, own], counts[:, own, (own + 1) % CLASSES] = right, CLIPS - right
    return counts


def _coverage(
    generator: np.random.Generator, speakers: int, truth: float, rounds: int
) -> dict[str, float]:
    """How often the interval over speakers, and one over clips, hold the truth."""
    held = {"speakers": 0, "clips": 0}
    every = np.eye(CLASSES**2, dtype=int).reshape(-1, CLASSES, CLASSES)
    for number in range(rounds):
        counts = _counts(generator, _chances(generator, speakers))
        cells = np.repeat(np.arange(CLASSES**2), counts.sum(axis=0).ravel())
        names = [f"s{n}" for n in range(speakers)]
        for what, given in (
            ("speakers", (names, np.arange(speakers), counts)),
            ("clips", ([""] * len(cells), cells, every)),
        ):
            low, high = speaker_bootstrap(*given, metrics.uar, resamples=500, seed=number)
            held[what] += low <= truth <= high
    return {what: count / rounds for what, count in held.items()}


def _false(generator: np.random.Generator, speakers: int, rounds: int) -> dict[str, float]:
    """How often tests at 5 % find a difference between runs that are equally good.

    Both runs find the same speakers hard, and each has speakers of its own that it finds so.
    """
    found = {"speakers": 0, "clips": 0}
    for number in range(rounds):
        shared = _chances(generator, speakers)
        runs = []
        for _ in range(2):
            own = 0.6 * generator.normal(size=(speakers, 1))
            runs.append(1 / (1 + np.exp(-np.log(shared / (1 - shared)) - own)))
        named = [generator.random((CLIPS, *run.shape)) < run for run in runs]
        own = np.arange(CLASSES)
        counts = []
        for right in named:
            count = np.zeros((speakers, CLASSES, CLASSES), int)
            count[:, own, own] = right.sum(axis=0)
            count[:, own, (own + 1) % CLASSES] = (~right).sum(axis=0)
            counts.append(count[None])
        test = paired.difference(*counts, metrics.uar, resamples=1, exchanges=1000, seed=number)
        found["speakers"] += test.p_value <= 0.05
        found["clips"] += paired.mcnemar(*(right.ravel() for right in named)) <= 0.05
    return {what: count / rounds for what, count in found.items()}


def _planted(generator: np.random.Generator) -> dict[str, float]:
    """UAR of a linear model: a speaker's way of an emotion known, not known, labels shuffled."""
    speakers, classes, takes, size = 24, 7, 6, 20
    emotion = 0.5 * generator.normal(size=(1, classes, 1, size))
    way = generator.normal(size=(speakers, classes, 1, size))  # of a speaker to show it
    clips = emotion + way + generator.normal(size=(speakers, classes, takes, size))
    label, speaker = (
        np.tile(np.repeat(range(classes), takes), speakers),
        np.repeat(range(speakers), classes * takes),
    )
    features, names = clips.reshape(-1, size), [str(n) for n in range(classes)]

    def uar(truth: np.ndarray, folds: KFold | GroupKFold) -> float:
        model = LogisticRegression(max_iter=1000)
        groups = speaker if isinstance(folds, GroupKFold) else None
        answers = cross_val_predict(model, features, truth, groups=groups, cv=folds)
        return float(metrics.uar(metrics.confusion(truth.astype(str), answers.astype(str), names)))

    return {
        "random folds": uar(label, KFold(8, shuffle=True, random_state=0)),
        "speakers held out": uar(label, GroupKFold(8)),
        "shuffled labels": uar(generator.permutation(label), GroupKFold(8)),
        "chance": 1 / classes,
    }


def _text(numbers: dict) -> str:
    """The page."""
    percent = "{:.1f} %".format
    rows = [
        [f"{speakers} speakers", *(percent(100 * value) for value in found.values())]
        for speakers, found in numbers["coverage"].items()
    ]
    tests = [
        [f"{speakers} speakers", *(percent(100 * value) for value in found.values())]
        for speakers, found in numbers["false_positives"].items()
    ]
    leak = [[name, percent(100 * value)] for name, value in numbers["leak"].items()]
    return "\n".join(
        [
            "# What intervals and tests are worth\n",
            f"Made-up runs, {numbers['rounds']} for each row: {CLASSES} emotions, {CLIPS} clips of "
            "each from every speaker, who is easy or hard to understand.\n",
            "## How often the 95 % interval of UAR holds the truth\n",
            "Over speakers, as the report draws it, and over clips, as if they were independent.\n",
            page.table(["", "over speakers", "over clips"], rows),
            "## How often a test at 5 % finds a difference that is not there\n",
            "Runs exchanged speaker by speaker, and McNemar's test over clips.\n",
            page.table(["", "over speakers", "McNemar"], tests),
            "## A leak that was put in\n",
            "UAR of a linear model on features in which every speaker has a way of his or her own "
            "to show each emotion.\n",
            page.table(["folds", "UAR"], leak),
        ]
    )
