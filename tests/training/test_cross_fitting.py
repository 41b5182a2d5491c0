import torch

from mibounds import MIEstimator, RankGaussianize
from mibounds.bounds import InfoNCE
from mibounds.critics import SeparableCritic
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.candidates import Candidate, Plan
from mibounds.training.cross_fitting import How, cross_fit
from mibounds.training.folds import split

HOW = How(seed=0, device=torch.device("cpu"), workers=2, negatives="all", progress=False, checkpoint=None, resume=False)
PLAN = Plan(20, 64, 3e-3, 0.0, 1.0, 10, 4, 1e-3, False)


def test_each_row_is_read_once_by_its_own_fold():
    x, y = CorrelatedGaussian(2, 0.8).sample(300, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    candidate = Candidate("one", MIEstimator(SeparableCritic(2, 2, hidden=(8,)), InfoNCE()), RankGaussianize())
    splits = split(300, 3, 0.2, torch.Generator().manual_seed(0))
    found = cross_fit([candidate], x, y, splits, PLAN, HOW)
    assert [fitted.fold for fitted in found.fitted] == splits
    assert [list(rows.joint.shape) for rows in found.rows] == [[100]] * 3
    for fitted, rows in zip(found.fitted, found.rows, strict=True):
        own = fitted.score_pairs(x[fitted.fold.test], y[fitted.fold.test])
        assert torch.allclose(rows.joint, own, atol=1e-5)
    assert (len(found.bounds), found.told) == (5, [])
