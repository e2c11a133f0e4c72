"""Code of metrics, splits, leakage and statistics, altered: does a test notice each alteration?

A mutant is a module with one sign changed: a comparison, a sum, ``and``, ``not``, a number, or
what a function returns. Its mirrored tests are run on it in a process of its own. A mutant that no
test notices is either lost, or the same for every input: those are listed, with the reason.
"""

import ast
import contextlib
import importlib
import io
import os
import random
import resource
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import pytest

from tests.faults import Tally
from tests.faults.equivalent import EQUIVALENT

ROOT = Path(__file__).parents[2]
MODULES = (
    "scoring.metrics",
    "scoring.classification",
    "scoring.intervals",
    "scoring.paired",
    "protocols.leakage",
    "protocols.folds",
    "protocols.groups",
    "protocols.drawn",
    "protocols.held_out",
    "protocols.choice",
)
MORE_TESTS = {  # next to the mirrored ones
    "protocols.groups": ["protocols/test_held_out.py", "protocols/test_drawn.py"],
    "protocols.choice": ["protocols/test_folds.py"],
}
SECONDS = 60  # of computing: a mutant may never end
SIGNS = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult},
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}
SCOPES = (ast.FunctionDef, ast.ClassDef)


class Mutant(NamedTuple):
    """An altered module: its name, the function and the change in words, and its code."""

    module: str
    change: str
    code: str


def mutants(module: str, source: str = "") -> Iterator[Mutant]:
    """Every mutant of a module, or of a source in its place, in the order of its lines."""
    source = source or _path(module).read_text(encoding="utf-8")
    for number in range(len(list(_changes(ast.parse(source))))):
        tree = ast.parse(source)  # a fresh one, which is changed
        function, node, change = list(_changes(tree))[number]
        before = ast.unparse(node)
        change()
        words = f"{function}: {before} -> {ast.unparse(ast.fix_missing_locations(node))}"
        yield Mutant(module, words, ast.unparse(tree))


def mutated(tally: Tally, generator: random.Random, part: float = 1) -> None:
    """Test a part of all mutants; count those that a test notices, the equivalent, and the lost.

    Tests are collected once, and each mutant is tested in a copy of this process.
    """
    held = [mutant for module in MODULES for mutant in mutants(module)]
    chosen = sorted(generator.sample(held, max(1, round(len(held) * part))), key=held.index)
    files = {path for mutant in chosen for path in _tests(mutant.module)}
    modules = dict.fromkeys(mutant.module for mutant in chosen)
    options = ["-n", "0", "-s", "-p", "no:cacheprovider"]
    runner = _Runner([*map(_unchanged, modules), *chosen], tally)
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*options, *map(str, sorted(files))], plugins=[runner])


class _Runner:
    """Plugin of pytest that runs the tests of each mutant in place of all tests."""

    def __init__(self, given: list[Mutant], tally: Tally):
        self.given, self.tally = given, tally

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        tests = {mutant.module: _tests(mutant.module) for mutant in self.given}
        for mutant in self.given:
            items = [
                item
                for item in session.items
                if item.path in tests[mutant.module]
                and (hasattr(item, "dtest") or item.path.is_relative_to(ROOT / "tests"))
            ]
            child = os.fork()
            if child == 0:
                status = 1
                with contextlib.suppress(BaseException):
                    status = _status(mutant, session, items)
                os._exit(status)
            self.count(mutant, os.waitpid(child, 0)[1] != 0)
        return True

    def count(self, mutant: Mutant, noticed: bool) -> None:
        """Count what came of a mutant; a module as it is may not be noticed."""
        case = f"{mutant.module}: {mutant.change}"
        if not mutant.change:
            if noticed:
                self.tally.count("traceback", case, "its tests fail as it is")
        elif noticed:
            self.tally.count("refused", case)
        else:
            equivalent = mutant.change in EQUIVALENT.get(mutant.module, {})
            self.tally.count("same" if equivalent else "lost", case)


def _status(mutant: Mutant, session: pytest.Session, items: list[pytest.Item]) -> int:
    """Whether a test of a mutant fails, which takes the place of its module in this process."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    module = importlib.import_module(f"pipeline.{mutant.module}")
    before = {**vars(module)}
    exec(compile(mutant.code, str(_path(mutant.module)), "exec"), vars(module))
    for name, old in before.items():  # tables of functions hold the old ones
        new = vars(module)[name]
        if isinstance(old, FunctionType) and old.__module__ == module.__name__:
            old.__code__, old.__defaults__ = new.__code__, new.__defaults__
            old.__kwdefaults__ = new.__kwdefaults__
    for other in [*sys.modules.values()]:
        for name, value in [*(getattr(other, "__dict__", None) or {}).items()]:
            if name in before and value is before[name] and other is not module:
                setattr(other, name, vars(module)[name])
    for item in items:
        if hasattr(item, "dtest"):  # an example, which holds what it calls
            item.dtest.globs.update(vars(module))
    for item, after in zip(items, [*items[1:], None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if session.testsfailed:
            return 1
    return 0


def _tests(module: str) -> list[Path]:
    """Files whose tests a module's mutants are tested by: its mirrored one, and its examples."""
    folder, _, file = module.partition(".")
    more = [ROOT / "tests" / name for name in MORE_TESTS.get(module, ())]
    return [ROOT / "tests" / folder / f"test_{file}.py", _path(module), *more]


def _unchanged(module: str) -> Mutant:
    """A module as it is, which no test may notice."""
    return Mutant(module, "", _path(module).read_text(encoding="utf-8"))


# ---- changes ---------------------------------------------------------------------------------


def _changes(tree: ast.AST, function: str = "") -> Iterator[tuple[str, Any, Callable]]:
    """Give what changes each place, with its function and the expression that shows the place.

    Messages of errors, types, decorators and ``strict=True``, which only asserts, are left out.
    """
    out = (getattr(tree, "annotation", None), getattr(tree, "returns", None))
    out += tuple(getattr(tree, "decorator_list", ()))
    for node in ast.iter_child_nodes(tree):
        asserts = isinstance(node, ast.keyword) and node.arg == "strict"
        if isinstance(node, ast.Raise | ast.JoinedStr) or asserts or node in out:
            continue
        within = getattr(node, "name", function) if isinstance(node, SCOPES) else function
        for change in _of(node):
            yield within, tree if isinstance(tree, ast.expr | ast.keyword) else node, change
        yield from _changes(node, within)


def _of(node: Any) -> Iterator[Callable]:
    """Functions that change a node."""
    if isinstance(node, ast.Compare):
        for place, sign in enumerate(node.ops):
            yield partial(node.ops.__setitem__, place, SIGNS[type(sign)]())
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        if type(node.op) in SIGNS:
            yield partial(setattr, node, "op", SIGNS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp):  # twice is not at all
        if not isinstance(node.operand, ast.Constant):
            yield partial(setattr, node, "operand", ast.UnaryOp(node.op, node.operand))
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield partial(setattr, node, "value", not node.value)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield partial(setattr, node, "value", node.value + 1)
    elif isinstance(node, ast.Return) and not isinstance(node.value, ast.Constant | None):
        yield partial(setattr, node, "value", ast.Constant(None))


def _path(module: str) -> Path:
    """File of a module."""
    return ROOT / "pipeline" / Path(*module.split(".")).with_suffix(".py")
