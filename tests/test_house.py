"""The rules of the house: who imports what, what DVC knows, what is documented and tested."""

import ast
import functools
import importlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
from dvc.dependency import ParamsDependency
from dvc.repo import Repo

from pipeline import FLOORS, commandline
from pipeline.config.records import Corpus, Run
from pipeline.files import tables
from pipeline.stages.check import check

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pipeline"
FILES = {path.relative_to(ROOT).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
STAGES = "check demo index split waveforms extract train evaluate report".split()
SHARED = {  # parts of several plug-ins
    f"pipeline/{name}.py"
    for name in (
        *("corpora/__init__", "corpora/clip"),
        *("models/__init__", "models/functionals", "models/layers", "models/training"),
    )
}
# They decide how, not what: nothing is made again for them.
INDIFFERENT = ("engine.memory_mb", "engine.workers")
DOORS = {
    "ruamel": ["config/document"],
    "zarr": ["files/drafts"],
    "numcodecs": ["files/chunks"],
    "google_crc32c": ["files/chunks"],
    "soundfile": ["files/audio", "files/compressed", "files/decoding"],
    "h5py": ["files/hdf5"],
    "matplotlib": [
        "reporting/diagrams",
        "reporting/drawing",
        "reporting/figures",
        "reporting/maps",
        "reporting/plots",
        "reporting/timeline",
    ],
    "onnx": ["inference/graphs", "files/frozen"],
    "onnxruntime": ["inference/exported", "files/frozen"],
    "sklearn": [
        *("engine/classical", "engine/clustering", "engine/floors"),
        *("inference/limits", "reporting/maps"),
        *("protocols/drawn", "scoring/classification"),
        *(f"models/{name}" for name in "logistic_regression ridge svm svr".split()),
    ],
    "tf2onnx": ["inference/conversion"],
    "jinja2": ["reporting/page"],
    "cyclopts": ["commandline"],
    "packaging": ["commands/licences"],
    "docstring_parser": ["commandline"],
    "natsort": ["order"],
    "tqdm": ["progress"],
    "dask": ["parallel"],
    "distributed": ["parallel"],
}
ENGINES = ("keras", "tensorflow", "jax")
OF_ENGINES = tuple(f"pipeline/{name}/" for name in ("models", "engine", "inference"))
USERS_OF_ENGINES = tuple(
    f"pipeline/{name}.py"
    for name in ("stages/train", "stages/evaluate", "commands/export", "files/frozen")
)
FLOOR = {name: i for i, names in enumerate(FLOORS) for name in names.split()}


# ---- imports ---------------------------------------------------------------------------------


def imported(tree, *, inside_functions=True):
    """Names of the modules that a file imports, ``from a import b`` as ``a.b``."""
    nodes = ast.walk(tree) if inside_functions else walk_top(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def walk_top(tree):
    """Statements that run on import; what is there for type checkers alone does not."""
    for node in ast.iter_child_nodes(tree):
        checked_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not checked_only and not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield node
            yield from walk_top(node)


def file_of(module):
    """File of the package that an imported name comes from, or None."""
    while module.startswith("pipeline."):
        path = module.replace(".", "/")
        for name in (f"{path}.py", f"{path}/__init__.py"):
            if name in FILES:
                return name
        module = module.rpartition(".")[0]
    return None


def part(name):
    """Part of the package that a file belongs to: its folder, or the file itself."""
    return name.split("/")[1].removesuffix(".py")


def plug_in(name):
    """Plug-in that a file is, or that it is a part of: what stands in the folder of its kind."""
    return name.split("/")[2].removesuffix(".py")


def test_every_part_has_a_floor():
    assert {part(name) for name in FILES} - {"__init__"} == set(FLOOR)


@pytest.mark.parametrize("name", [name for name in FILES if part(name) != "__init__"])
def test_a_file_imports_from_floors_below_its_own(name):
    own = part(name)
    for imports in {file_of(module) for module in imported(TREES[name])} - {None, name}:
        below = FLOOR[part(imports)] < FLOOR[own]
        assert below or part(imports) == own, imports


@pytest.mark.parametrize("folder", ["stages", "commands", "corpora", "models"])
def test_what_stands_side_by_side_does_not_import_each_other(folder):
    of_kind = {name: plug_in(name) for name in FILES if part(name) == folder}
    for name in of_kind.keys() - SHARED:
        imports = {file_of(module) for module in imported(TREES[name])} & of_kind.keys() - SHARED
        assert {of_kind[other] for other in imports} <= {of_kind[name]}, name


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library):
    users = [
        name
        for name, tree in TREES.items()
        if any(module.split(".")[0] == library for module in imported(tree))
    ]
    assert set(users) <= {f"pipeline/{name}.py" for name in DOORS[library]}


def test_keras_is_met_in_models_and_engine_and_elsewhere_when_a_stage_runs():
    for name, tree in TREES.items():
        if name.startswith(OF_ENGINES):
            continue
        inside = name in USERS_OF_ENGINES
        on_import = {m.split(".")[0] for m in imported(tree, inside_functions=not inside)}
        assert not on_import & set(ENGINES), name


# ---- DVC -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """One stage of the graph with every name filled in."""

    name: str  # as in dvc.yaml, with its instance
    module: str
    arguments: list[str]
    deps: list[str]
    outs: list[str]
    params: list[str]

    @property
    def function(self):
        """What the command calls."""
        return getattr(importlib.import_module(f"pipeline.stages.{self.module}"), self.module)


def stages():
    """Read every stage of every dvc.yaml, as DVC resolves it."""
    with Repo(ROOT) as repo:
        for stage in repo.index.stages:
            python, m, package, module, *arguments = shlex.split(stage.cmd)
            assert (python, m, package) == ("python", "-m", "pipeline")
            assert Path(stage.wdir) == ROOT
            yield Stage(
                stage.addressing.rpartition(":")[2],
                module,
                arguments,
                [d.def_path for d in stage.deps if not isinstance(d, ParamsDependency)],
                [out.def_path for out in stage.outs],
                [p for d in stage.deps if isinstance(d, ParamsDependency) for p in d.params],
            )


GRAPH = list(stages())


@pytest.fixture(scope="module")
def listings(tmp_path_factory):
    """Give the folder in which check lists the code that each stage runs."""
    folder = tmp_path_factory.mktemp("code") / "code"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        check(folder)
    return folder


@pytest.fixture(params=GRAPH, ids=lambda stage: stage.name)
def stage(request, monkeypatch):
    """Give each stage of the graph in turn."""
    monkeypatch.chdir(ROOT)
    return request.param


def called(stage):
    """Return what the stage's function is called with by its command, records looked up."""
    calls, arguments = [], stage.arguments

    @functools.wraps(stage.function)
    def recorded(**given):
        calls.append(given)

    if "--listed" in arguments:  # not there in a clone that nothing ran in
        arguments = arguments[: arguments.index("--listed")]
    commandline.command(recorded, arguments)
    return calls[0]


def listing(stage):
    """Name of the listing of a stage, ``train/tim_net-demo``."""
    return stage.name.replace("@", "/")


def test_the_graph_has_every_stage():
    assert {stage.module for stage in GRAPH} == set(STAGES)


def test_a_command_parses_and_names_its_files(stage):
    given = called(stage)
    for value in given.values():
        if isinstance(value, Path):
            path = value.as_posix()
            made = path in stage.outs or any(out.startswith(f"{path}/") for out in stage.outs)
            assert made or path in stage.deps, path


def test_a_stage_depends_on_the_listing_of_the_code_it_runs(stage, listings):
    if stage.module == "check":
        assert {"params.yaml", "pipeline"} <= set(stage.deps)
        return
    assert f"features/code/{listing(stage)}" in stage.deps
    assert stage.arguments[-2:] == ["--listed", f"features/code/{listing(stage)}"]
    listed = [
        key for key in tables.read_json(listings / listing(stage)) if key.startswith("pipeline/")
    ]
    assert f"pipeline/stages/{stage.module}.py" in listed
    assert all((ROOT / path).is_file() for path in listed)
    given = called(stage).values()
    plug_ins = [f"corpora/{v.parser}" for v in given if isinstance(v, Corpus)]
    plug_ins += [f"models/{v.model}/" for v in given if isinstance(v, Run)]
    plug_ins += [f"features/{v.function.split('.')[0]}" for v in given if hasattr(v, "function")]
    for plug_in in plug_ins:
        assert any(path.startswith(f"pipeline/{plug_in}") for path in listed), plug_in


def test_all_that_a_stage_is_given_is_listed(stage, listings):
    assert stage.params == []  # DVC would read params.yaml again for each stage
    if stage.module == "check":
        return
    given = {key: value for key, value in called(stage).items() if not isinstance(value, Path)}
    listed = tables.read_json(listings / listing(stage))
    places = {place for place in listed if not place.startswith("pipeline/")}
    assert {place.partition(".")[0] for place in places} == given.keys() - {"engine"}
    assert not {place for place in places if place.endswith(INDIFFERENT)}


def test_what_git_and_dvc_leave_alone():
    ignored = (ROOT / ".dvcignore").read_text().split()
    assert {"__pycache__", ".*.part"} <= set(ignored)


# ---- documentation ---------------------------------------------------------------------------


def documented():
    """Every public function, method and class with the names of what it is given."""
    for name, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{name}:{node.name}", node, arguments(node)
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield f"{name}:{node.name}", node, constructor(node)
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                        yield f"{name}:{node.name}.{method.name}", method, arguments(method)


def arguments(node):
    """Parameters of a function, without ``self`` and what is handed through."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [arg.arg for arg in given if arg.arg not in ("self", "cls")]


def constructor(node):
    """Parameters of a class: of its ``__init__``, or its fields if it is a dataclass."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            return arguments(part)
    return [part.target.id for part in node.body if isinstance(part, ast.AnnAssign)]


def section(doc, title):
    """Names listed in a section of a numpy docstring, or None without such a section."""
    match = re.search(rf"(?ms)^{title}\n-+\n(.*?)(?=^[^\n]+\n-{{3,}}$|\Z)", doc)
    if match is None:
        return None
    heads = [line for line in match[1].splitlines() if line and not line.startswith(" ")]
    return [name.strip() for head in heads for name in head.split(" : ")[0].split(",")]


@pytest.mark.parametrize(
    ("name", "node", "given"), [pytest.param(*d, id=d[0]) for d in documented()]
)
def test_docstrings_name_exactly_what_is_there(name, node, given):
    doc = ast.get_docstring(node)
    assert doc, f"{name} has no docstring"
    for title in ("Parameters", "Attributes"):
        listed = section(doc, title)
        if listed is not None:
            assert listed == given


def test_sections_are_read():
    doc = "Sum.\n\nParameters\n----------\na, b : int\n    Both.\nc\n    Last.\n"
    doc += "\nReturns\n-------\nint\n"
    assert section(doc, "Parameters") == ["a", "b", "c"]
    assert section(doc, "Raises") is None


# ---- tests -----------------------------------------------------------------------------------

TOGETHER = {  # modules that one file of another name rightly tests; see test_every_module_...
    **dict.fromkeys(
        ("engine/program", "engine/jax_program", "engine/tensorflow_program"),
        "engine/test_compiled",
    ),
    **dict.fromkeys(
        (f"models/{name}" for name in ("logistic_regression", "ridge", "svm", "svr")),
        "models/test_classical",
    ),
    "files/drafts": "files/test_stores",
    "__main__": "test_environment",
}


def mirrored(module):
    """Where the tests of a module may be: its mirror, or of a part of a plug-in the plug-in's."""
    *folders, name = module.split("/")
    yield "/".join([*folders, f"test_{name}"])
    if len(folders) > 1:
        yield f"{folders[0]}/test_{folders[1]}"


def test_every_module_has_its_tests():
    """Tests mirror the folders: those of pipeline/A/B.py are in tests/A/test_B.py.

    Parts of a plug-in that is a folder are tested with it. What `TOGETHER` holds is an interface
    and the two programs that keep it, which the same marked tests run on either backend; four files
    that each make one machine of scikit-learn; stores, which are written and read
    there; and what is run where nothing of the package can be imported.
    """
    modules = [name.removeprefix("pipeline/").removesuffix(".py") for name in FILES]
    tested = {
        module
        for module in modules
        if any((ROOT / "tests" / f"{place}.py").is_file() for place in mirrored(module))
    }
    own = {module for module in modules if not module.endswith("__init__")}
    assert own - tested - TOGETHER.keys() == set()
    assert TOGETHER.keys() <= own - tested
    assert all((ROOT / "tests" / f"{place}.py").is_file() for place in TOGETHER.values())


# ---- lock files ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-gpu.lock"])
def test_lock_files_name_no_host(name):
    line = re.compile(
        r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[^\s/:]+( ; [\w\s.'\"<>=!()-]+)? \\"
        r"|    --hash=sha256:[0-9a-f]{64}( \\)?"
    )
    wrong = [text for text in (ROOT / name).read_text().splitlines() if not line.fullmatch(text)]
    assert wrong == []
