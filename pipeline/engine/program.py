"""Interface of a compiled network, of any backend."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Program(NamedTuple):
    """Compiled functions of one network.

    Attributes
    ----------
    batch : int
        Clips of a step.
    put : callable
        ``arrays -> arrays`` on the device: one, or a dictionary of them.
    prepare : callable
        ``(state, x, targets, draws, sizes) -> None``: compile steps over batches of these sizes out
        of an ``x`` of this shape.
    epoch : callable
        ``(state, x, targets, order, draws) -> (state, sums)``: an optimiser step for every batch of
        ``order``, which indexes ``x (clips, ...)`` and ``targets``, each ``(clips, ...)``; the last
        batch may be smaller. ``draws (order, ...)`` are what the objective takes for each place of
        the order; ``sums (measures,)`` what it measured, the loss first, summed over the clips.
    stacked_epoch : callable or None
        The same for several folds at once: all but x with a first axis of folds.
    predict : callable
        ``(state, x) ->`` what the network gives, ``(clips, ...)``.
    """

    batch: int
    put: Callable
    prepare: Callable
    epoch: Callable
    stacked_epoch: Any
    predict: Callable
