"""The recipes of CONTRIBUTING, followed to the letter in a copy: one file and its test, and all else follows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BOUND = '''

class Halfway(_Partitioned):
    r"""The mean of what `NWJ` and Donsker-Varadhan say, a lower bound between the two.

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


@pytest.fixture
def house(tmp_path):
    """A copy of what a contributor edits."""
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def edit(path, old, new, append=""):
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} is not once in {path.name}"
    path.write_text(text.replace(old, new) + append, "utf-8")


def run(house, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(house / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=house, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_a_bound_is_one_file(house):
    file = house / "src/mibounds/bounds/partition.py"
    edit(file, '__all__ = ["MINE", "NWJ", ', '__all__ = ["Halfway", "MINE", "NWJ", ', BOUND)
    assert "passed" in run(house, "-m", "pytest", "-q", "tests/bounds/test_bound.py", "-k", "Halfway", str(file))
    said = run(house, "-c", "import mibounds as mi; from mibounds.choices import build_bound as b; print(b('halfway'))")
    assert said == "Halfway()\n"


def test_a_critic_is_one_file_and_a_line_of_its_test(house):
    file, test = house / "src/mibounds/critics/neural.py", house / "tests/critics/test_critic.py"
    edit(file, '__all__ = ["BilinearCritic", ', '__all__ = ["BilinearCritic", "DistanceCritic", ', CRITIC)
    edit(test, "CRITICS = {\n", 'CRITICS = {\n    "DistanceCritic": lambda: critics.DistanceCritic(2, 3),\n')
    assert "passed" in run(house, "-m", "pytest", "-q", str(test), "-k", "DistanceCritic", str(file))
    assert "distance" in run(house, "-c", "from mibounds.choices import critic_names; print(*critic_names())")


def test_a_task_is_one_file_and_a_line_of_its_test(house):
    file, test = house / "src/mibounds/tasks/uniform.py", house / "tests/tasks/test_task.py"
    edit(file, '__all__ = ["AdditiveUniformNoise", ', '__all__ = ["AdditiveUniformNoise", "TwoCoins", ', TASK)
    edit(test, "EXTRA = [", "from mibounds.tasks import TwoCoins\n\nEXTRA = [TwoCoins(0.9), ")
    assert "passed" in run(house, "-m", "pytest", "-q", str(test), "-k", "TwoCoins", str(file))
