"""The contract of an estimator: a subclass of a user's own needs a critic, a bound and three losses, and is trained."""

import pytest
import torch
from torch.nn.functional import softplus

import mibounds as mi
from mibounds._math import infonce_loss, off_diagonal
from mibounds.bounds import InfoNCE, PlugIn
from mibounds.critics import FunctionCritic, SeparableCritic
from mibounds.estimators import Estimator, MIEstimator, Telescope
from mibounds.tasks import CorrelatedGaussian

TASK = CorrelatedGaussian(2, 0.8)  # 1.02 nats


class Logistic(Estimator):
    """A critic trained as a logistic classifier of matched and mismatched pairs."""

    unidentified = "nothing"

    def __init__(self, bound=None):
        super().__init__()
        torch.manual_seed(0)
        self.critic = SeparableCritic(2, 2, hidden=(32,))
        self.bound = bound or InfoNCE()

    def loss(self, x, y, generator=None):
        grid = self.critic.pairwise(x, y)
        return softplus(-grid.diagonal()).mean() + softplus(off_diagonal(grid)).mean()

    def value(self, x, y, generator=None):
        grid = self.critic.pairwise(x, y)
        return self.bound(grid.diagonal(), off_diagonal(grid))

    def validation_loss(self, x, y):
        with torch.no_grad():
            return float(infonce_loss(self.critic.pairwise(x, y)))


class Sure(Logistic):
    """One whose networks sum scores, and whose value is an extrapolation."""

    half_precision = False
    extrapolates = True
    negatives = 3


def fit(estimator, **options):
    x, y = TASK.sample(600, torch.Generator().manual_seed(0))
    return mi.Trainer(**{"steps": 200, "folds": 2, "lr": 1e-2, **options}).fit(estimator, x, y)


@pytest.fixture(scope="module")
def fitted():
    estimator = Logistic()
    before = [p.clone() for p in estimator.parameters()]
    result = fit(estimator)
    assert all(torch.equal(a, b) for a, b in zip(before, estimator.parameters(), strict=True))
    return result


def test_an_estimator_of_a_users_own_is_trained(fitted):
    assert fitted.value == pytest.approx(TASK.mutual_information, abs=0.15)
    assert (fitted.method, fitted.extrapolated) == ("InfoNCE", False)
    assert list(fitted.estimates) == ["InfoNCE", "DonskerVaradhan", "NWJ", "SMILE", "PlugIn"]
    assert fitted.curves[0].validation_loss[-1] < -0.5


def test_it_is_trained_on_a_stream_and_its_critics_are_saved(fitted, tmp_path):
    stream = mi.Trainer(steps=100, lr=1e-2).fit_stream(Logistic(), TASK.sample, test_rows=500)
    assert stream.value == pytest.approx(TASK.mutual_information, abs=0.25)
    fitted.fitted.save(tmp_path / "critics.safetensors")
    x, y = TASK.sample(20, torch.Generator().manual_seed(1))
    assert torch.equal(mi.load(tmp_path / "critics.safetensors").score_pairs(x, y), fitted.fitted.score_pairs(x, y))


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # ten steps are few
def test_it_continues_from_a_checkpoint(tmp_path):
    options = {"steps": 10, "checkpoint": tmp_path}
    whole = fit(Logistic(), **options)
    assert fit(Logistic(), **options, resume=True).to_dict() == whole.to_dict()
    with pytest.raises(ValueError, match="is the checkpoint of another fit, with estimator"):
        fit(Sure(), **options, resume=True)


def test_the_defaults_of_an_estimator():
    estimator = Logistic()
    assert (estimator.negatives, estimator.shared) == ("all", False)
    assert (estimator.extrapolates, estimator.half_precision) == (False, True)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_the_attributes_of_an_estimator_are_respected():
    with pytest.raises(ValueError, match="precision is 'bf16', and InfoNCE sums over scores inside its networks"):
        fit(Sure(), precision="bf16")
    with pytest.raises(ValueError, match="negatives is 3, and a batch of 3 samples has 2 others"):
        fit(Sure(), batch_size=3)
    result = fit(Sure(PlugIn()), steps=10)
    assert (result.method, result.extrapolated) == ("PlugIn", True)
    assert result.lower_bound_estimate[0] == result.estimates["InfoNCE"]


@pytest.mark.parametrize("missing", ["unidentified", "loss", "value", "validation_loss"])
def test_an_estimator_without_one_of_its_parts_cannot_be_made(missing):
    parts = {name: Logistic.__dict__[name] for name in ("unidentified", "loss", "value", "validation_loss")}
    del parts[missing]
    with pytest.raises(TypeError, match=rf"Can't instantiate abstract class Part .*{missing}"):
        type("Part", (Estimator,), parts)()


def test_the_library_has_two_estimators():
    assert {kind for kind in Estimator.__subclasses__() if kind.__module__.startswith("mibounds")} == {
        MIEstimator, Telescope,
    }  # fmt: skip
    single = MIEstimator(FunctionCritic(TASK.log_ratio), InfoNCE())
    assert isinstance(single, Estimator)
    assert (single.extrapolates, single.half_precision) == (False, True)
    telescope = Telescope(2, 2, hidden=(8,))
    assert (telescope.unidentified, telescope.extrapolates, telescope.half_precision) == ("nothing", True, False)
