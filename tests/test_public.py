"""`import mibounds` is quick: what it exports is imported at the first use of a name."""

import os
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


FIRST = [
    "from mibounds import *; estimate, bounds.InfoNCE",
    "from mibounds import estimate",
    "from mibounds import bounds, critics",  # inside of modules, while others are loaded
    "import mibounds; mibounds.estimation.pairwise.matrix",
    "from mibounds.choices import build_bound",
    "import mibounds.data.readers",
    # scikit-learn is imported where it is used
    "import sys; import mibounds as mi; assert 'sklearn' not in sys.modules; "
    "mi.integrations.MutualInformation; assert 'sklearn' in sys.modules",
]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not copied here")
def test_all_ways_to_import_work_first():
    """Each in a process of its own: a copy of one that has imported other packages, which takes seconds."""
    ended = run(f"""
import os, torch, joblib, scipy.linalg, scipy.optimize, scipy.special, scipy.stats, sys
assert "mibounds" not in sys.modules
for line in {FIRST!r}:
    child = os.fork()
    if child == 0:
        exec(line)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")
    assert ended == ["0"] * len(FIRST)


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="module 'mibounds' has no attribute 'estimat'"):
        _ = mibounds.estimat
    with pytest.raises(ImportError, match="cannot import name 'Tensor'"):
        exec("from mibounds import Tensor")
