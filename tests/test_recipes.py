"""The recipes of CONTRIBUTING, followed to the letter in one copy: one file and its test each, and all else follows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BOUND = '''

class Halfway(_Partitioned):
    r"""The mean of `NWJ` and Donsker-Varadhan, a lower bound between the two.

    .. math:: E_{p(x,y)} f - (\\log E_{p(x)p(y)} e^f + E_{p(x)p(y)} e^f - 1) / 2

    References:
        Nguyen, Wainwright and Jordan, 2010, arXiv:0809.0853.

    Example:
        >>> Halfway()(torch.tensor([1.0, 1.0]), torch.zeros(2, 1))
        tensor(1.)
    """

    unidentified = "nothing"

    def value(self, *rows: Tensor) -> Tensor:
        joint, partition = rows
        return joint.mean(-1) - (logmeanexp(partition) + partition.exp().mean(-1) - 1) / 2
'''
CRITIC = '''

class DistanceCritic(Critic):
    """Minus the squared distance of linear codes.

    Arguments:
        dim_x: columns of x.
        dim_y: columns of y.

    Example:
        >>> DistanceCritic(2, 3)(torch.ones(4, 2), torch.ones(4, 3)).shape
        torch.Size([4])
    """

    def __init__(self, dim_x: int, dim_y: int):
        super().__init__()
        self.code_x, self.code_y = nn.Linear(dim_x, 4), nn.Linear(dim_y, 4)

    def encode_x(self, x: Tensor) -> Tensor:
        return self.code_x(x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self.code_y(y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return -(hx - hy).square().sum(-1)
'''
TASK = '''

@dataclass(frozen=True)
class TwoCoins(Task):
    r"""Two coins that agree with probability p.

    .. math:: I(X;Y) = \\ln 2 + p \\ln p + (1-p) \\ln (1-p)

    Arguments:
        agree: p, strictly between 0 and 1.

    Example:
        >>> round(TwoCoins(0.9).mutual_information, 3)
        0.368
    """

    agree: float

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = (torch.rand(n, 1, generator=generator) < 0.5).float()
        return x, torch.where(torch.rand(n, 1, generator=generator) < self.agree, x, 1 - x)

    @property
    def mutual_information(self) -> float:
        p = self.agree
        return math.log(2) + p * math.log(p) + (1 - p) * math.log(1 - p)

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.where(x == y, math.log(2 * self.agree), math.log(2 * (1 - self.agree))).squeeze(-1)
'''
VERB = '''"""Total correlation: the information that several variables share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mibounds.data import Sample
from mibounds.estimation._estimate import _estimate
from mibounds.inference import mean_stderr
from mibounds.results import Measurement, Result
from mibounds.results.measurement import INFORMATION
from mibounds.results.printing import Content, Numbers
from mibounds.training.recipe import Recipe, takes_settings
from mibounds.warnings import MIWarning, issue

@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class TotalCorrelationResult(Measurement):
    """An estimate of TC(X1, ..., Xk); `parts` are the information of each variable about those before it."""
    value: float = field(metadata=INFORMATION)
    stderr: float = field(metadata=INFORMATION)
    parts: Mapping[str, Result]
    n: int
    unit: str = "nats"
    level: float = 0.95
    warnings: tuple[MIWarning, ...] = ()
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    _derived: ClassVar = ("interval",)

    def _content(self):
        shown = Numbers.of("parts", {name: part.value for name, part in self.parts.items()})
        return Content(f"TC = {self.value:.4g} {self.unit}   {self._interval_text()}", (shown,), self.warnings)

    def plot(self, ax=None):
        from mibounds.plots import plot_intervals
        return plot_intervals({k: (r.value, *r.interval) for k, r in self.parts.items()}, "parts", self.unit, ax=ax)

@takes_settings()
def total_correlation(*tables: Any, recipe: Any = None, unit: str = "nats", level: float = 0.95, groups: Any = None,
                      sample_weight: Any = None, nan: str = "raise", **settings: Any) -> TotalCorrelationResult:
    """TC(X1, ..., Xk), the sum of I(X_i; X_1, ..., X_{i-1})."""
    chosen, given = Recipe.of(recipe, settings), {f"x{i}": table for i, table in enumerate(tables, 1)}
    sample = Sample.of(**given, groups=groups, weights=sample_weight, nan=nan, seed=chosen.seed)
    pairs = {name: sample.select(x=name, y=tuple(given)[:i]) for i, name in enumerate(given) if i}
    parts = {name: _estimate(pair, chosen.part(name)) for name, pair in pairs.items()}
    rows = sum(part.pointwise for part in parts.values())[sample.kept]
    stderr = mean_stderr(rows, chosen.clusters(sample.n, sample.groups))
    found = (*sample.warnings, *(one for part in parts.values() for one in part.warnings))
    value = sum(map(float, parts.values()))
    issue(found)
    result = TotalCorrelationResult(value=value, stderr=stderr, parts=parts, n=sample.n, warnings=found)
    return result.to(unit, level=level)
'''
VERB_TEST = """
import warnings
import numpy as np, pytest, torch
import mibounds as mi
from mibounds.estimation.total_correlation import total_correlation
from mibounds.results import Measurement

SHORT = {"steps": 30, "folds": 2, "hidden": (8,)}
X = np.random.default_rng(0).multivariate_normal(np.zeros(3), 0.8 + 0.2 * np.eye(3), 400)

@pytest.fixture(scope="module")
def found():
    with warnings.catch_warnings(record=True) as issued:
        warnings.simplefilter("always")
        result = total_correlation(*X.T, **SHORT)
    assert {one.filename for one in issued} <= {__file__}
    return result

def test_it_is_that_of_a_gaussian(found):
    assert float(found) == pytest.approx(-0.5 * np.log(np.linalg.det(0.8 + 0.2 * np.eye(3))), abs=0.25)
    assert 0 < found.stderr < 0.2
    assert found.parts["x3"].columns == (("x3",), ("x1", "x2"))

def test_it_converts_prints_saves_and_loads(found, tmp_path):
    assert found.to("bits").value == pytest.approx(found.value / np.log(2))
    assert "parts: x2" in repr(found) and found._repr_html_() and found.plot().axes
    found.save(tmp_path / "tc.json")
    assert Measurement.load(tmp_path / "tc.json") == found
    found.report(tmp_path / "tc.html")

@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_it_has_the_options_of_every_other(tmp_path):
    short, groups = {**SHORT, "steps": 2}, np.arange(400) // 4
    holes, weights = X.copy(), np.arange(400) % 20 > 0
    holes[3, 1] = np.nan
    kept = weights & ~np.isnan(holes[:, 1])
    options = dict(groups=groups, sample_weight=weights, nan="drop", checkpoint=tmp_path)
    made = total_correlation(*holes.T, **options, **short)
    by_hand = total_correlation(*X[kept].T, groups=groups[kept], **short)
    assert (made.value, made.stderr) == (by_hand.value, by_hand.stderr)
    assert total_correlation(*holes.T, **options, resume=True, **short) == made
    with pytest.raises(TypeError, match="total_correlation has no argument 'n_folds'. Did you mean 'folds'"):
        total_correlation(*X.T, n_folds=2)
"""
KIND = '''

@dataclass(frozen=True)
class Angle(Encoding):
    """Angles in radians, as cosine and sine.

    Attributes:
        name: of the column.
    """

    kind = "angle"

    @classmethod
    def fit(cls, column: Array, name: str, indicator: bool = False) -> Angle:
        """Refuses text."""
        if is_text(column):
            raise TypeError(f"column {name!r} holds text where angles are due: leave it out.")
        return cls(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Cosine and sine."""
        return (f"{self.name}.cos", f"{self.name}.sin")

    def __call__(self, column: Array) -> Array:
        """Both of every angle."""
        radians = numbers(column)
        return np.stack([np.cos(radians), np.sin(radians)], 1).astype(np.float32)


def _kinds()'''
KIND_TEST = """
import pytest
import numpy as np, pandas as pd, torch, warnings
import mibounds as mi

@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_an_angle(tmp_path):
    rng = np.random.default_rng(0)
    angle = rng.uniform(-np.pi, np.pi, 200)
    y = np.cos(angle) + 0.1 * rng.normal(size=200)
    short = {"steps": 40, "folds": 2, "hidden": (8,)}
    whole = mi.estimate(angle, y, x_type="angle", **short)
    assert whole.kinds == (("angle",), ("continuous",)), whole.kinds
    assert whole.columns[0] == ("x.cos", "x.sin"), whole.columns
    assert whole.value > 1, whole.value
    frame = pd.DataFrame({"wind": angle, "rain": rng.normal(size=200)})
    mixed = mi.estimate(frame, y, x_type={"wind": "angle"}, **short)
    assert mixed.kinds[0] == ("angle", "continuous"), mixed.kinds
    assert "1 angle, 1 continuous" in repr(mixed), repr(mixed)
    mixed.fitted.save(tmp_path / "critics.safetensors")
    new = frame.assign(wind=frame.wind + 2 * np.pi)
    again = mi.load(tmp_path / "critics.safetensors").score_pairs(new, y)
    assert torch.allclose(again, mixed.fitted.score_pairs(frame, y), atol=1e-3)
    assert mi.results.Result.from_dict(mixed.to_dict()) == mixed
    short["steps"] = 2
    given = mi.conditional(angle, y, frame[["rain"]], x_type="angle", z_type="continuous", **short)
    both, _ = given.parts.values()
    assert "angle" in sum(both.kinds, ())
    assert mi.bracket(angle, y, x_type="angle", **short).predicted == "y"
    past = mi.lagged(angle, y, [1], x_type="angle", gap=0, **short)
    assert past[1].columns[0] == ("x[t-1].cos", "x[t-1].sin"), past[1].columns
    try:
        mi.estimate(angle, y, x_type="angel", **short)
    except ValueError as error:
        assert "'angle'" in str(error), error
"""
WARNING = '''

class LeapSecondWarning(MIWarning, group="data"):
    """A time falls into a leap second."""

    code = "leap-second"
    condition = "A column of dates holds a 60th second."
    remedy = "Drop these rows."
'''
WARNING_TEST = """
import warnings
import mibounds as mi
from mibounds.results import Result

def test_a_leap_second():
    leap = mi.warnings.LeapSecondWarning("at 3")
    made = Result(value=0.5, stderr=0.1, estimates={}, method="", n=9, warnings=(leap,))
    assert "leap-second" in repr(made)
    assert Result.from_dict(made.to_dict()) == made
    assert mi.warnings.by_code()["leap-second"] is mi.warnings.LeapSecondWarning
    with warnings.catch_warnings(record=True) as issued:
        warnings.simplefilter("always")
        mi.warnings.issue(made.warnings)
    assert [type(one.message).__name__ for one in issued] == ["LeapSecondWarning"]
    assert '<a id="leap-second"></a>`leap-second`' in mi.warnings._page()
"""
ESTIMATOR = '''"""A critic trained as a logistic classifier of matched and mismatched pairs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mibounds._math import off_diagonal
from mibounds.bounds import Bound
from mibounds.critics import Critic
from mibounds.estimators.estimator import Estimator

__all__ = ["Logistic"]


class Logistic(Estimator):
    """The classifier's logit is a log density ratio.

    Arguments:
        critic: is trained.
        bound: is reported.
    """

    unidentified = "nothing"

    def __init__(self, critic: Critic, bound: Bound):
        super().__init__()
        self.critic, self.bound = critic, bound

    def loss(self, x: Tensor, y: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Cross-entropy."""
        scores = self.critic.pairwise(x, y)
        return softplus(-scores.diagonal()).mean() + softplus(off_diagonal(scores)).mean()

    def value(self, x: Tensor, y: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The bound's."""
        scores = self.critic.pairwise(x, y)
        return self.bound(scores.diagonal(), off_diagonal(scores))

    def validation_loss(self, x: Tensor, y: Tensor) -> float:
        """Cross-entropy."""
        with torch.no_grad():
            return float(self.loss(x, y))
'''
ESTIMATOR_TEST = """
import pytest
import torch, warnings
import mibounds as mi
from mibounds.estimators.logistic import Logistic

@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_classifier(tmp_path):
    x, y = mi.tasks.CorrelatedGaussian(2, 0.8).sample(1000, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    estimator = Logistic(mi.critics.SeparableCritic(2, 2, hidden=(16,)), mi.bounds.NWJ())
    result = mi.Trainer(steps=150, folds=2, lr=1e-2).fit(estimator, x, y, groups=torch.arange(1000) // 2)
    assert result.method == "NWJ" and 0.6 < result.value < 1.2, result  # truth 1.02
    result.fitted.save(tmp_path / "critics.safetensors")
    assert torch.equal(mi.load(tmp_path / "critics.safetensors").score_pairs(x, y), result.fitted.score_pairs(x, y))
"""

NAMES_TEST = """
from mibounds.choices import build_bound, critic_names

def test_names():
    assert repr(build_bound("halfway")) == "Halfway()"
    assert "distance" in critic_names()
"""


def edit(path, old, new, append=""):
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} is not once in {path.name}"
    path.write_text(text.replace(old, new) + append, "utf-8")


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of what a contributor edits, after all edits."""
    copied = tmp_path_factory.mktemp("copy")
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, copied / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copied)
    package, tests = copied / "src/mibounds", copied / "tests"
    # A bound.
    edit(package / "bounds/partition.py", '__all__ = ["MINE", "NWJ", ', '__all__ = ["Halfway", "MINE", "NWJ", ', BOUND)
    # A critic.
    file = package / "critics/neural.py"
    edit(file, '__all__ = ["BilinearCritic", ', '__all__ = ["BilinearCritic", "DistanceCritic", ', CRITIC)
    line = '    "DistanceCritic": lambda: critics.DistanceCritic(2, 3),\n'
    edit(tests / "critics/test_critic.py", "CRITICS = {\n", f"CRITICS = {{\n{line}")
    # A task.
    file = package / "tasks/uniform.py"
    edit(file, '__all__ = ["AdditiveUniformNoise", ', '__all__ = ["AdditiveUniformNoise", "TwoCoins", ', TASK)
    line = "from mibounds.tasks import TwoCoins\n\nEXTRA = [TwoCoins(0.9), "
    edit(tests / "tasks/test_task.py", "EXTRA = [", line)
    # A function.
    (package / "estimation/total_correlation.py").write_text(VERB, "utf-8")
    (tests / "estimation/test_total_correlation.py").write_text(VERB_TEST, "utf-8")
    # A kind of column.
    file = package / "data/encoding.py"
    edit(file, '__all__ = ["Categorical", ', '__all__ = ["Angle", "Categorical", ')
    edit(file, "\n\ndef _kinds()", KIND)
    edit(tests / "data/test_encoding.py", "COLUMNS = {\n", 'COLUMNS = {\n    "angle": np.array([0.1, np.nan, 2.5]),\n')
    # A warning.
    file = package / "warnings.py"
    edit(file, '__all__ = [\n    "AmplifiedWarning",', '__all__ = [\n    "LeapSecondWarning",\n    "AmplifiedWarning",')
    edit(file, "\n\nclass RowsDroppedWarning", f"{WARNING}\n\nclass RowsDroppedWarning")
    # An estimator.
    (package / "estimators/logistic.py").write_text(ESTIMATOR, "utf-8")
    for name, text in {
        "names": NAMES_TEST,
        "angle": KIND_TEST,
        "leap": WARNING_TEST,
        "logistic": ESTIMATOR_TEST,
    }.items():
        (tests / f"test_recipe_of_{name}.py").write_text(text, "utf-8")
    return copied


@pytest.fixture(scope="module")
def outcomes(copied):
    """The outcome of every test of the copy that concerns an edit, by the name of the test."""
    files = [
        "tests/bounds/test_bound.py", "src/mibounds/bounds/partition.py", "tests/critics/test_critic.py",
        "src/mibounds/critics/neural.py", "tests/tasks/test_task.py", "src/mibounds/tasks/uniform.py",
        "tests/estimation/test_total_correlation.py", "tests/data/test_encoding.py", "tests/test_warnings.py",
        *(f"tests/test_recipe_of_{name}.py" for name in ("names", "angle", "leap", "logistic")),
    ]  # fmt: skip
    chosen = (
        "Halfway or DistanceCritic or TwoCoins or test_total_correlation or test_encoding or LeapSecond or exported "
        "or test_recipe_of"
    )
    environment = {**os.environ, "PYTHONPATH": str(copied / "src"), "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *files, "-k", chosen]
    done = subprocess.run(call, cwd=copied, env=environment, capture_output=True, text=True, check=False)
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    found = {line[1]: line[0] for line in lines if len(line) > 1 and line[0] in ("PASSED", "FAILED", "ERROR")}
    assert found, done.stdout[-3000:] + done.stderr[-3000:]
    return found, done.stdout


@pytest.mark.parametrize(
    "name, least",
    [
        ("Halfway", 5),
        ("DistanceCritic", 5),
        ("TwoCoins", 2),
        ("test_total_correlation", 3),
        ("test_encoding", 20),
        ("LeapSecond", 1),
        ("exported", 1),
        ("test_recipe_of_names", 1),
        ("test_recipe_of_angle", 1),
        ("test_recipe_of_leap", 1),
        ("test_recipe_of_logistic", 1),
    ],
)
def test_one_file_and_its_test_are_enough(outcomes, name, least):
    found, output = outcomes
    concerned = [outcome for test, outcome in found.items() if name in test]
    assert len(concerned) >= least, concerned
    assert {*concerned} == {"PASSED"}, output[-3000:]


def test_a_function_is_short():
    assert len([line for line in VERB.splitlines() if line]) <= 50
