"""A missing extra gives one sentence that says what to install, and everything else works without it."""

import subprocess
import sys

import pytest

from mibounds._extras import MissingExtraError, require

RESULT = (
    "import mibounds as mi; "
    "result = mi.Result(value=0.5, stderr=0.1, estimates={'InfoNCE': 0.5}, method='InfoNCE', n=100); "
)
# The missing package, code that needs it, and the sentence.
USES = {
    "cli": (
        "typer",
        "from mibounds.cli import run; run()",
        'The command mibounds needs typer: pip install "mibounds[cli]".',
    ),
    "cli, progress": (
        "rich",
        "from mibounds.cli import run; run()",
        'The command mibounds needs rich: pip install "mibounds[cli]".',
    ),
    "cli, tables": (
        "polars",
        "import sys; from mibounds.cli import run; sys.argv = ['', 'estimate', 'table.csv', '--y', 'b']; run()",
        'Reading .csv files needs polars: pip install "mibounds[cli]".',
    ),
    "streams": (
        "polars",
        "import mibounds.data.streams as s; s.sampler('rows.parquet', columns=(['a'], ['b']))",
        'Reading .parquet files needs polars: pip install "mibounds[cli]".',
    ),
    "flows": (
        "zuko",
        "import mibounds; mibounds.critics.FlowCritic(1, 1)",
        'FlowCritic needs zuko: pip install "mibounds[flows]".',
    ),
    "plots": ("matplotlib", RESULT + "result.plot()", 'pip install "mibounds[plots]"'),
    "report": ("jinja2", RESULT + "result.report('r.html')", 'pip install "mibounds[report]"'),
}
"""Sentences end with what to install; of those of plots and reports only that is compared."""


def without(packages, code, folder):
    """Run code in a process that has none of these packages."""
    script = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {packages!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        f"sys.meta_path.insert(0, Missing())\n{code}"
    )
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)


IN_ONE_PROCESS = [name for name in USES if "cli" not in name]  # a process takes seconds to start


ESTIMATE = (
    "import torch, warnings; warnings.simplefilter('ignore'); import mibounds as mi\n"
    "x, y = torch.randn(2, 60, 1, generator=torch.Generator().manual_seed(0))\n"
    "result = mi.estimate(x, y, folds=2, steps=5, hidden=(4,), learners=False); repr(result); result.save('r.json')\n"
    "print('estimated')\n"
    "del sys.meta_path[0]\n"
)


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """What one process prints, by use: an estimate without any extra, then the sentences of all uses but those of the
    command line, where one package at a time is missing."""
    code = ESTIMATE + (
        f"for package, code in {[USES[name][:2] for name in IN_ONE_PROCESS]!r}:\n"
        "    sys.modules[package] = None\n"
        "    try:\n        exec(code)\n        print('no error')\n"
        "    except ImportError as error:\n        print(error)\n"
        "    del sys.modules[package]"
    )
    packages = ["typer", "rich", "polars", "matplotlib", "jinja2", "markupsafe", "markdown_it", "zuko"]
    done = without(packages, code, tmp_path_factory.mktemp("extras"))
    assert done.returncode == 0, done.stderr
    return dict(zip(["estimate", *IN_ONE_PROCESS], done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("name", IN_ONE_PROCESS)
def test_a_missing_extra_is_named(name, sentences):
    assert USES[name][2] in sentences[name]


@pytest.mark.parametrize("name", [name for name in USES if "cli" in name])
def test_the_command_line_names_a_missing_extra(name, tmp_path):
    package, code, sentence = USES[name]
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    done = without([package], code, tmp_path)
    assert (done.returncode, done.stderr) == (2, f"Error: {sentence}\n")


def test_estimates_need_no_extra(sentences):
    assert sentences["estimate"] == "estimated"


def test_an_installed_module_is_returned():
    assert require("numpy.linalg", extra="plots", purpose="This").__name__ == "numpy.linalg"


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "zuko", None)
    monkeypatch.delitem(sys.modules, "zuko.flows", raising=False)
    with pytest.raises(MissingExtraError) as caught:
        require("zuko.flows", extra="flows", purpose="FlowCritic")
    assert str(caught.value) == 'FlowCritic needs zuko: pip install "mibounds[flows]".'
    assert caught.value.name == "zuko"
    assert isinstance(caught.value, ImportError)


def test_a_fault_of_an_installed_package_is_not_hidden(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import a_dependency_that_is_missing")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_dependency_that_is_missing") as caught:
        require("broken_package", extra="plots", purpose="This")
    assert not isinstance(caught.value, MissingExtraError)
