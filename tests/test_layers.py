"""The house: imports point strictly down, every module has its mirrored test, every export is documented."""

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

# From the bottom up; a module may import from lower layers, and from its own entry.
LAYERS = [
    ["_math", "_buffers", "_variables", "_recomputed", "_ranks", "_checks", "_distributed", "_random", "_version"],
    ["bounds", "networks", "tasks", "data", "classical", "plots"],
    ["critics", "report"],
    ["estimator", "telescope", "choices", "inference", "results"],
    ["training"],
    ["estimation", "gradients", "regularizer", "information_plane"],
    ["compat", "integrations"],
    ["benchmark", "demos"],
    ["cli"],
]
# Inside a layer there is an order too: the later may import the earlier.
LEVEL = {name: (i, j) for i, layer in enumerate(LAYERS) for j, name in enumerate(layer)}
TOP = {"__init__", "__main__"}  # the front door and the entry point see everything
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
        if other != own:
            assert other in LEVEL, f"{path.name} imports {other}, which has no layer"
            assert LEVEL[other] < LEVEL[own], f"{path.relative_to(SOURCE)} imports {other}, which is not below it"


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
    assert module.__doc__, "a module says what it is"
    for name in getattr(module, "__all__", ()):
        member = getattr(module, name)
        alias = get_origin(member) is not None  # which Python 3.10 takes for a class
        if inspect.isfunction(member) or (inspect.isclass(member) and not alias):
            assert inspect.getdoc(member), f"{module.__name__}.{name} has no docstring"


def test_only_critics_bounds_tasks_and_preprocessing_are_abstract():
    abstract = {
        name
        for module in modules()
        for name, member in vars(module).items()
        if inspect.isclass(member) and member.__module__.startswith("mibounds") and inspect.isabstract(member)
    }
    assert {name for name in abstract if not name.startswith("_")} == {"Critic", "Bound", "Task", "Preprocessing"}
