"""`import mibounds` is quick: what it exports is imported at the first use of a name."""

import subprocess
import sys

import pytest

import mibounds
from mibounds import _public


def run(source):
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_package_alone_imports_no_torch():
    assert run("import sys, mibounds; mibounds.__version__; mibounds.warnings; print('torch' in sys.modules)") == [
        "False"
    ]


def test_everything_public_is_there():
    assert mibounds.__all__ == _public.__all__
    assert {*_public.__all__} <= {*dir(mibounds)}
    for name in _public.__all__:
        assert getattr(mibounds, name) is getattr(_public, name)


@pytest.mark.parametrize(
    "line",
    [
        "from mibounds import *; estimate, bounds.InfoNCE",
        pytest.param("from mibounds import estimate", marks=pytest.mark.slow),
        "from mibounds import bounds, critics",  # inside of modules, while others are loaded
        "import mibounds; mibounds.estimation.pairwise.matrix",
        pytest.param("from mibounds.choices import build_bound", marks=pytest.mark.slow),
        pytest.param("import mibounds.data.readers", marks=pytest.mark.slow),
    ],
)
def test_all_ways_to_import_work_first(line):
    assert run(line) == []


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="module 'mibounds' has no attribute 'estimat'"):
        _ = mibounds.estimat
    with pytest.raises(ImportError, match="cannot import name 'Tensor'"):
        exec("from mibounds import Tensor")
