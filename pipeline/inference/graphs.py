"""Classical models as ONNX: from a feature of any length to answers, in float64 inside."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.engine import machines
from pipeline.engine.machines import Machine
from pipeline.errors import InputError
from pipeline.models.functionals import Functionals

FLOAT, INT64, DOUBLE = 1, 7, 11  # types of elements, as ONNX numbers them
OPSET = 17  # the last whose ReduceMean has its axes as settings
MISSING = "onnx: needs the packages onnx and onnxruntime; pip install -e '.[export]'"


def onnx(machine: Machine, shape: tuple[int, ...]) -> bytes:
    """Write a classical model as an ONNX file.

    Parameters
    ----------
    machine : Machine
    shape : tuple of int
        Shape of one clip, ``([segments,] frames, ...)``; the first axis may have any length.

    Returns
    -------
    bytes
        The file: takes ``features`` (1, any, ...) float32, gives ``answers`` (1, outputs) float32.

    Raises
    ------
    InputError
        If the package is missing.
    """
    try:
        from onnx import helper
    except ImportError:
        raise InputError(MISSING) from None
    graph = _Graph()
    values = graph.add("Cast", "features", to=DOUBLE)
    frames, bins = shape[machine.axes], int(np.prod(shape[machine.axes + 1 :]))
    length = frames if machine.axes else -1  # of the frames of a segment, or of the clip
    values = graph.add("Reshape", values, graph.whole([-1 if machine.axes else 1, length, bins]))
    taken = _functionals(graph, values, machine.wanted, bins)
    if machine.wanted.deltas:
        taken += _functionals(graph, _changes(graph, values), machine.wanted, bins)
    joined = graph.add("Concat", *taken, axis=1)  # (1, dims)
    answers = graph.add("Cast", _answers(graph, joined, machine), to=FLOAT)
    answers = graph.add("Reshape", answers, graph.whole([1, machine.outputs]))
    graph.nodes[-1].output[0] = "answers"
    given = [1, "any", *shape[1:]]
    ends = (
        helper.make_tensor_value_info(name, FLOAT, axes)
        for name, axes in (("features", given), ("answers", [1, machine.outputs]))
    )
    source, target = ends
    made = helper.make_graph(graph.nodes, "classical", [source], [target], graph.constants)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(made, opset_imports=opsets, producer_name="ser-pipeline")
    model.ir_version = 8  # of the opset's time, so that older readers take it
    return model.SerializeToString()


class _Graph:
    """Nodes and constants of a graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *given: str, outputs: int = 1, **settings: Any) -> str:
        """Add a node; give the name of its first output."""
        from onnx import helper

        names = [f"{kind}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(given), names, **settings))
        return names[0]

    def real(self, values: Any) -> str:
        """Add a constant of float64."""
        return self._constant(np.asarray(values, np.float64))

    def whole(self, values: Sequence[int]) -> str:
        """Add a constant of int64."""
        return self._constant(np.asarray(values, np.int64))

    def _constant(self, values: np.ndarray) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name


def _changes(graph: _Graph, values: str) -> str:
    """Change to the next frame, 0 at the last, of (segments, frames, bins)."""
    ends = graph.whole([np.iinfo(np.int64).max])
    axis = graph.whole([1])
    following = graph.add("Slice", values, graph.whole([1]), ends, axis)
    last = graph.add("Slice", values, graph.whole([-1]), ends, axis)
    following = graph.add("Concat", following, last, axis=1)
    return graph.add("Sub", following, values)


def _functionals(graph: _Graph, values: str, wanted: Functionals, bins: int) -> list[str]:
    """Each functional (1, bins) of (segments, frames, bins)."""
    flat, found = graph.add("Reshape", values, graph.whole([-1, bins])), []
    mean = graph.add("ReduceMean", flat, axes=[0])
    if "mean" in wanted.functionals:
        found.append(mean)
    if "deviation" in wanted.functionals:
        centred = graph.add("Sub", flat, mean)
        squares = graph.add("Mul", centred, centred)
        found.append(graph.add("Sqrt", graph.add("ReduceMean", squares, axes=[0])))
    if wanted.percentiles:
        number = graph.add("Gather", graph.add("Shape", flat), graph.whole([0]))  # (1,)
        ordered = graph.add("TopK", flat, number, outputs=2, axis=0, largest=0)
        last = graph.add("Sub", graph.add("Cast", number, to=DOUBLE), graph.real([1.0]))
        for percentile in wanted.percentiles:
            place = graph.add("Mul", last, graph.real([percentile / 100]))
            low = graph.add("Floor", place)
            high = graph.add("Min", graph.add("Add", low, graph.real([1.0])), last)
            ends = [
                graph.add("Gather", ordered, graph.add("Cast", end, to=INT64), axis=0)
                for end in (low, high)
            ]
            part = graph.add(
                "Mul", graph.add("Sub", ends[1], ends[0]), graph.add("Sub", place, low)
            )
            found.append(graph.add("Add", ends[0], part))
    return found


def _answers(graph: _Graph, joined: str, machine: Machine) -> str:
    """Answers (1, outputs) to functionals (1, dims)."""
    scaled = graph.add("Sub", joined, graph.real(machine.mean))
    scaled = graph.add("Div", scaled, graph.real(machine.deviation))
    if len(machine.vectors):
        apart = graph.add("Sub", scaled, graph.real(machine.vectors))  # (n, dims)
        squares = graph.add(
            "ReduceSum", graph.add("Mul", apart, apart), graph.whole([1]), keepdims=0
        )
        near = graph.add("Exp", graph.add("Mul", squares, graph.real(-machine.gamma)))
        scaled = graph.add("Reshape", near, graph.whole([1, -1]))
    sums = graph.add("MatMul", scaled, graph.real(machine.weights))
    sums = graph.add("Add", sums, graph.real(machine.intercept))
    if machine.head == "values":
        spread = graph.add("Mul", sums, graph.real(machine.spread))
        return graph.add("Add", spread, graph.real(machine.centre))
    if machine.head == "votes":
        sums = _votes(graph, sums, machine.outputs)
    return graph.add("Softmax", sums, axis=1)


def _votes(graph: _Graph, sums: str, outputs: int) -> str:
    """Score of each emotion, as `Machine.votes` has it."""
    first, second = machines.pairs(outputs)
    won = graph.add("Cast", graph.add("Greater", sums, graph.real(0.0)), to=DOUBLE)
    lost = graph.add("Sub", graph.real(1.0), won)
    votes = graph.add(
        "Add",
        graph.add("MatMul", won, graph.real(first)),
        graph.add("MatMul", lost, graph.real(second)),
    )
    margins = graph.add("MatMul", sums, graph.real(first - second))
    divisor = graph.add("Add", graph.add("Abs", margins), graph.real(1.0))
    divisor = graph.add("Mul", divisor, graph.real(3.0))
    return graph.add("Add", votes, graph.add("Div", margins, divisor))
