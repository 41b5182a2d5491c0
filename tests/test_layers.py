"""The structure: imports point strictly down, every module has its mirrored test, every export is documented."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import get_origin

import pytest

import mibounds

SOURCE = Path(mibounds.__file__).parent
TESTS = Path(__file__).parent

# From the bottom up: a module imports from lower layers and from its own entry, and not from its own layer.
LAYERS = [
    ["warnings"],
    [
        "_math", "_buffers", "_variables", "_random", "_version", "_checks", "_files", "_distributed", "_extras",
        "_roots",
    ],
    ["bounds", "networks", "tasks", "data", "classical", "plots"],
    ["learners"],
    ["critics", "report", "inference"],
    ["estimators", "choices", "results"],
    ["training"],
    ["estimation", "representation"],
    ["compat", "integrations"],
    ["benchmark", "demos"],
    ["cli"],
]  # fmt: skip
WITHIN_A_LAYER = {("classical", "data")}  # the Gaussian copula ranks columns
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}
TOP = {"__init__", "__main__", "_public"}  # the package itself and its entry point import everything
ABSTRACT = {"Bound", "Critic", "Encoding", "Estimator", "Learner", "Measurement", "Preprocessing", "Task"}
LONGEST = 400  # lines of a file
LONGER = {"warnings.py"}  # one class for each warning, in one file
FOUND = [path for path in SOURCE.rglob("*.py") if path.stem not in TOP or path.parent != SOURCE]


def entry(path):
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


def imported(path):
    """The entries of mibounds that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "mibounds":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mibounds."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("mibounds."))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path):
    own = entry(path)
    assert own in LEVEL, f"{own} has no layer: give it one in LAYERS"
    for other in imported(path):
        if other != own and (own, other) not in WITHIN_A_LAYER:
            assert other in LEVEL, f"{path.name} imports {other}, which has no layer"
            assert LEVEL[other] < LEVEL[own], f"{path.relative_to(SOURCE)} imports {other}, which is not below it"


def test_every_layer_is_of_what_there_is():
    assert {*LEVEL} == {entry(path) for path in FOUND}


def module_name(path):
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_modules_import_one_another_in_a_circle():
    """Whatever is imported when a module is loaded: not inside functions, and not for type checkers only."""
    names = {module_name(path) for path in FOUND}
    below = {}
    for path in FOUND:
        wanted = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mibounds"):
                members = {f"{node.module}.{alias.name}" for alias in node.names} & names
                wanted |= members or {node.module}
        below[module_name(path)] = wanted & names - {module_name(path)}
    packages = {name for name in names if any(other.startswith(f"{name}.") for other in names)}
    loaded = set()
    while True:
        # A package is loaded before its members, and its own imports are those of its members.
        free = {name for name in below.keys() - loaded if below[name] - packages <= loaded}
        if not free:
            break
        loaded |= free
    assert not {*below} - loaded, "these import one another, or modules that do"


@pytest.mark.parametrize("path", FOUND, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_has_its_test(path):
    relative = path.relative_to(SOURCE)
    if relative.stem == "__init__":
        return
    mirrored = TESTS / relative.parent / f"test_{relative.stem.lstrip('_')}.py"
    assert mirrored.exists(), f"{relative} has no {mirrored.relative_to(TESTS)}"


def test_no_module_is_called_utils():
    forbidden = {"utils", "util", "helpers", "common", "core", "misc", "base", "manager"}
    assert not forbidden & {path.stem for path in SOURCE.rglob("*.py")}


def modules():
    for info in pkgutil.walk_packages(mibounds.__path__, "mibounds."):
        if not info.name.endswith("__main__"):
            yield importlib.import_module(info.name)


@pytest.mark.parametrize("module", [mibounds, *modules()], ids=lambda module: module.__name__)
def test_every_export_exists_and_is_documented(module):
    assert module.__doc__, "a module has a docstring"
    for name in getattr(module, "__all__", ()):
        member = getattr(module, name)
        alias = get_origin(member) is not None  # which Python 3.10 takes for a class
        if inspect.isfunction(member) or (inspect.isclass(member) and not alias):
            assert inspect.getdoc(member), f"{module.__name__}.{name} has no docstring"


def test_nothing_else_is_abstract():
    """These are the places for extension; every other class is final, and changed by wrapping."""
    abstract = {
        name
        for module in modules()
        for name, member in vars(module).items()
        if inspect.isclass(member) and member.__module__.startswith("mibounds") and inspect.isabstract(member)
    }
    assert {name for name in abstract if not name.startswith("_")} == ABSTRACT | {"Composite"}  # of results


@pytest.mark.parametrize("path", FOUND, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_can_be_read_in_one_sitting(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST or str(path.relative_to(SOURCE)) in LONGER, f"{path.name} has {lines} lines"


def test_an_exemption_is_needed():
    for name in LONGER:
        assert len((SOURCE / name).read_text(encoding="utf-8").splitlines()) > LONGEST
