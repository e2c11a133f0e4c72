"""Mutants that no input tells from the code as it is, and why."""

ONE_UNKNOWN = "numpy takes any negative number for the length that it works out"
DISCARDED = "stands where the result is not taken from, so that nothing is divided by 0"
BLOCK = "how much is computed at once; the numbers are the same"
COMPARED = "is only compared with what is counted in the same steps"
UNREAD = "the number of each row becomes a column that nobody reads"
BETWEEN = "no number lies at this bound: it is set between those that occur"

EQUIVALENT: dict[str, dict[str, str]] = {
    "scoring.metrics": {
        "cells: -1 -> -2": ONE_UNKNOWN,
        "ccc: np.where(varies, spread, 1) -> np.where(varies, spread, 2)": DISCARDED,
        "pearson: np.where(varies, apart[0] * apart[1], 1)"
        " -> np.where(varies, apart[0] * apart[1], 2)": DISCARDED,
    },
    "scoring.classification": {
        "probabilities: ~(np.abs(total[:, 0] - 1) < 0.001)"
        " -> ~(np.abs(total[:, 0] - 1) <= 0.001)": "no float64 near 1 is that far from it",
        "scalars: zero_division=0 -> zero_division=1": "of a class without clips, which has no"
        " weight in the mean",
    },
    "scoring.intervals": {
        ": 100 -> 101": BLOCK,
        "speaker_bootstrap: -1 -> -2": ONE_UNKNOWN,
    },
    "scoring.paired": {
        "mcnemar: float(stats.binomtest(one, one + other).pvalue) if one + other else 1.0"
        " -> float(stats.binomtest(one, one + other).pvalue) if one - other else 1.0": "of as many"
        " clips on both sides the p-value is 1 as well",
        "_added: -1 -> -2": ONE_UNKNOWN,
        "_exchanged: 0 -> 1": "all exchanged is none exchanged with the sign turned, and signs are"
        " left out",
        "_exchanged: -len(ways) // 1000 -> -len(ways) // 1001": BLOCK,
        "_exchanged: np.mean(np.abs(gaps) >= np.abs(gaps[0]) - 1e-12)"
        " -> np.mean(np.abs(gaps) > np.abs(gaps[0]) - 1e-12)": BETWEEN,
    },
    "protocols.folds": {"assign: drop=True -> drop=False": UNREAD},
    "protocols.groups": {
        "dealt: 1 -> 2": COMPARED,
        "validate: 1 -> 2": COMPARED,
    },
    "protocols.choice": {
        "choose: drop=True -> drop=False": UNREAD,
        "_where: textwrap.shorten(text.nearest(value, known), 200)"
        " -> textwrap.shorten(text.nearest(value, known), 201)": "a message longer by a letter",
    },
}
