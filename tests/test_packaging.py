"""The files of wheel and sdist, their metadata, the dependencies that are declared, and the tools of development."""

import ast
import importlib
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import PathDistribution
from importlib.util import find_spec
from pathlib import Path

import pytest

import mibounds

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "mibounds"
# Integrations import these packages of the user, which no extra installs.
INTEGRATIONS = {"dask", "distributed", "lightning", "ray"}
# Modules that have another name than the project that installs them; Pillow comes with matplotlib.
PROJECTS = {
    "sklearn": "scikit-learn", "markdown_it": "markdown-it-py", "typing_extensions": "typing-extensions",
    "PIL": "matplotlib",
}  # fmt: skip
EXTRAS = {
    "cli": {"typer", "rich", "polars"},
    "plots": {"matplotlib"},
    "report": {"matplotlib", "jinja2", "markupsafe", "markdown-it-py"},
    "flows": {"zuko"},
    "excel": {"typer", "rich", "polars", "fastexcel"},
}
OPTIONAL = set().union(*EXTRAS.values())
REQUIRED = {
    "torch", "numpy", "scipy", "scikit-learn", "threadpoolctl", "safetensors", "joblib", "tqdm", "narwhals",
    "typing-extensions",
}  # fmt: skip
BUILDERS = all(find_spec(name) for name in ("build", "hatchling"))
needs_builders = pytest.mark.skipif(not BUILDERS, reason="needs build and hatchling")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The sdist, and the wheel that is built from it, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def declared(requirements, extra=None):
    """Normalized names of the requirements of an extra, or of those that are always installed."""
    marked = [line for line in requirements if ("extra ==" in line if extra is None else f"extra == '{extra}'" in line)]
    lines = [line for line in requirements if line not in marked] if extra is None else marked
    return {re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line)[0]).lower() for line in lines}


def on_disk():
    return {
        str(path.relative_to(SOURCE.parent))
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@needs_builders
def test_the_wheel_is_the_package_and_no_more(packages):
    with zipfile.ZipFile(packages[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert names == on_disk()
        assert {"mibounds/py.typed", "mibounds/report/templates/report.html"} <= names
        package = PathDistribution(zipfile.Path(wheel, f"mibounds-{mibounds.__version__}.dist-info/"))
        assert package.version == mibounds.__version__
        assert package.metadata["Requires-Python"] == ">=3.10"
        assert package.metadata["License-Expression"] == "MIT"
        assert package.metadata["Description-Content-Type"] == "text/markdown"
        assert f"mibounds-{mibounds.__version__}.dist-info/licenses/LICENSE" in wheel.namelist()
        assert [(entry.name, entry.value) for entry in package.entry_points] == [("mibounds", "mibounds.cli:run")]
        assert set(package.metadata.get_all("Provides-Extra")) == {*EXTRAS, "all", "dev"}
        assert declared(package.requires) == REQUIRED
        for extra, projects in {**EXTRAS, "all": OPTIONAL}.items():
            assert declared(package.requires, extra) == projects
        assert declared(package.requires, "dev") >= OPTIONAL
        urls = dict(line.split(", ") for line in package.metadata.get_all("Project-URL"))
        assert urls.keys() == {"Homepage", "Documentation", "Repository", "Changelog", "Issues"}
        assert all(url.startswith(urls["Repository"]) for name, url in urls.items() if name in ("Changelog", "Issues"))


@needs_builders
def test_the_sdist_builds_and_tests_and_no_more(packages):
    with tarfile.open(packages[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {f"src/{name}" for name in on_disk()} <= names
    assert {
        "tests/conftest.py",
        "tests/test_packaging.py",
        "examples/data/breast_cancer.csv",
        "docs/bounds.md",
    } <= names
    assert {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "pyproject.toml"} <= names
    assert {"CODE_OF_CONDUCT.md", "SECURITY.md", "Makefile", "constraints.txt"} <= names
    assert {name.split("/")[0] for name in names if "/" in name} == {"src", "tests", "examples", "docs", "tools"}
    assert not [name for name in names if name.endswith((".pyc", ".jsonl"))]
    assert packages[0].stat().st_size < 2.5e6


@needs_builders
def test_the_oldest_versions_are_those_of_all_extras(packages, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    pins = importlib.import_module("packages").oldest(packages[1])
    assert declared(pins) == REQUIRED | OPTIONAL
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)


def imports():
    """The third-party modules that each file imports, and whether importing the file imports them."""
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        guarded = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.Try)
            or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        ]
        lazy = {id(inner) for node in guarded for inner in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found = [node.module]
            else:
                continue
            for name in {name.split(".")[0] for name in found} - sys.stdlib_module_names - {"mibounds"}:
                yield str(path.relative_to(SOURCE)), name, id(node) not in lazy


def required():
    """The projects that are always installed, according to the sources."""
    table = (ROOT / "pyproject.toml").read_text("utf-8")
    return declared(
        re.findall(r'"(.*?)"', re.search(r"^dependencies = \[(.*?)^\]", table, re.DOTALL | re.MULTILINE)[1])
    )


def test_what_is_imported_is_declared():
    seen = set()
    for path, name, at_once in imports():
        project = PROJECTS.get(name, name)
        if name in INTEGRATIONS:
            assert not at_once, (
                f"{path} imports {name} at its top: it is optional: import it where it is used, or try to."
            )
        else:
            assert project in required() | OPTIONAL, f"{path} imports {name}, and {project} is not a dependency."
            seen.add(project)
    assert required() == REQUIRED
    assert seen == REQUIRED | OPTIONAL, "a dependency that nothing imports"


def test_importing_the_package_imports_no_optional_one():
    modules = sorted(
        {name for name, project in PROJECTS.items() if project in OPTIONAL} | OPTIONAL - {"markdown-it-py"}
    )
    code = f"import sys, mibounds; print([name for name in {modules!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(
    not (ROOT / ".pre-commit-config.yaml").exists(), reason="an sdist has no settings of the repository"
)
def test_hooks_use_the_versions_that_are_tested_together():
    pinned = dict(re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    hooks = re.findall(r"(ruff)==([\w.]+)", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert hooks
    assert all(pinned[name] == number for name, number in hooks)


@pytest.mark.skipif(not (ROOT / ".github").exists(), reason="an sdist has no settings of the repository")
def test_the_workflow_calls_targets_of_the_makefile():
    workflow = (ROOT / ".github/workflows/test.yml").read_text("utf-8")
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    called = set(re.findall(r"run: make (\w+)", workflow))
    assert called == {"lint", "test", "packages", "coverage", "slow"}
    assert called <= targets
    declared_versions = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert re.search(r"python: \[(.*)\]", workflow)[1] == ", ".join(f'"{number}"' for number in declared_versions)


def test_addresses_are_the_same_everywhere():
    table = (ROOT / "pyproject.toml").read_text("utf-8")
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    repository = re.search(r'^Repository = "(.*)"', table, re.MULTILINE)[1]
    documentation = re.search(r'^Documentation = "(.*)"', table, re.MULTILINE)[1]
    assert re.search(r"^repo_url: (.*)$", site, re.MULTILINE)[1] == repository
    assert re.search(r"^site_url: (.*)$", site, re.MULTILINE)[1].rstrip("/") == documentation
