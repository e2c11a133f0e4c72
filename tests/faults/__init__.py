"""Faults: ``python -m tests.faults`` damages, fills, kills and forges, and counts what comes of it.

A kind of fault is a function of this folder that takes a generator of random numbers and a number
of cases, and counts in a `Tally`. Two counts must stay 0: ``lost``, where something was lost or
another result came without a word, and ``traceback``, where a user would read one.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field

OUTCOMES = ("refused", "same", "lost", "traceback")


@dataclass
class Tally:
    """What came of the cases of one kind.

    Attributes
    ----------
    kind : str
    counts : Counter
        Of ``refused`` (one line says what and where), ``same`` (the result is what it would have
        been), ``lost`` and ``traceback``.
    """

    kind: str
    counts: Counter = field(default_factory=Counter)

    def count(self, outcome: str, case: str, said: str = "") -> None:
        """Count a case; name it where it must not be."""
        self.counts[outcome] += 1
        if outcome in ("lost", "traceback"):
            print(f"{outcome}: {self.kind}: {case}: {said[-2000:]}", file=sys.stderr)

    @property
    def row(self) -> list:
        """Row of the table."""
        return [self.kind, self.counts.total(), *(self.counts[name] for name in OUTCOMES)]


def of_error(error: BaseException) -> str:
    """Outcome of an error: what a user can read is one line."""
    from pipeline.errors import InputError, refused_by_system

    words = str(error) if isinstance(error, InputError) else refused_by_system(error)
    return "refused" if words and len(words.splitlines()) == 1 else "traceback"


def of_command(status: int, said: str) -> str:
    """Outcome of a command that stopped, by its exit status and what it wrote to stderr."""
    if status not in (1, 2) or "Traceback" in said or "Exception ignored" in said:
        return "traceback"
    return "refused"
