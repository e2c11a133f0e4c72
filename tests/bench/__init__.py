"""Benchmarks: ``python -m tests.bench`` writes ``reports/benchmarks/NAME.json`` and ``NAME.md``.

A table is a file of this folder with a function ``measure(size) -> (numbers, text)``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Repetitions of what is short; nothing scaled up (full); toy sizes (quick)."""

    rounds: int
    full: bool
    quick: bool
