"""The contract of every bound: shapes, stacks, concatenated rows, state, ceilings."""

import copy

import pytest
import torch

from mibounds import bounds
from mibounds._math import off_diagonal
from mibounds.bounds import Bound
from mibounds.critics import FunctionCritic
from mibounds.tasks import CorrelatedGaussian

BOUNDS = [kind for kind in map(bounds.__dict__.get, bounds.__all__) if kind is not Bound]


ARGUMENTS = {"BarberAgakov": {"entropy": 1.5}}


@pytest.fixture(params=BOUNDS, ids=lambda kind: kind.__name__)
def bound(request):
    return request.param(**ARGUMENTS.get(request.param.__name__, {}))


@pytest.fixture
def scores(generator):
    return torch.randn(3, 8, generator=generator), torch.randn(3, 8, 5, generator=generator)


def test_every_bound_says_what_it_is(bound):
    assert bound.side in ("lower", "upper", "neither")
    assert bound.unidentified in ("nothing", "constant", "function of y")
    assert type(bound).__doc__
    for heading in ("References:", "Example:"):
        assert heading in type(bound).__doc__, f"{type(bound).__name__} lacks {heading}"
    assert type(bound).__name__ in repr(bound)


def test_leading_dimensions_are_stacks(bound, scores):
    joint, product = scores
    stacked = bound(joint, product)
    assert stacked.shape == (3,)
    for one, alone_joint, alone_product in zip(stacked, joint, product, strict=True):
        assert torch.allclose(one, bound(alone_joint, alone_product), atol=1e-6)


def test_rows_of_blocks_concatenate(bound, scores):
    joint, product = scores[0][0], scores[1][0]
    halves = [bound.reduce(joint[part], product[part]) for part in (slice(0, 3), slice(3, 8))]
    assert all(part.shape == (3,) for part in halves[0])
    together = bound.value(*(torch.cat(pieces) for pieces in zip(*halves, strict=True)))
    assert torch.allclose(together, bound(joint, product), atol=1e-6)


def test_rows_of_a_grid_are_those_of_its_diagonal_and_the_rest(bound, generator):
    grid = 3 * torch.randn(2, 6, 6, generator=generator)
    for side in (grid, grid.mT):
        short = bound.reduce_grid(side)
        long = bound.reduce(side.diagonal(dim1=-2, dim2=-1), off_diagonal(side))
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(short, long, strict=True))
    assert all(part.dtype == torch.float32 for part in bound.reduce_grid(grid.bfloat16()))


def test_the_symmetric_objective_of_a_grid_is_the_mean_of_both_directions(bound, generator):
    grid = 3 * torch.randn(6, 6, generator=generator)
    again = copy.deepcopy(bound)
    both = [again.objective(*again.reduce_grid(side)) for side in (grid.mT, grid)]
    assert torch.allclose(bound.symmetric_objective(grid.requires_grad_()), (both[0] + both[1]) / 2, atol=1e-6)


def test_value_moves_no_state_and_is_differentiable(bound, scores):
    before = {name: state.clone() for name, state in bound.state_dict().items()}
    joint, product = scores[0][0].requires_grad_(), scores[1][0]
    bound(joint, product).backward()
    assert joint.grad is not None
    assert joint.grad.abs().sum() > 0
    for name, state in bound.state_dict().items():
        assert torch.equal(state, before[name]) or (state.isnan() & before[name].isnan()).all()


def test_extreme_scores_stay_finite_in_half_precision(bound):
    joint, product = torch.full((4,), 20.0), torch.full((4, 3), -90.0)
    for dtype in (torch.float32, torch.bfloat16):
        assert bound(joint.to(dtype), product.to(dtype)).isfinite()
        assert bound(joint.to(dtype), product.to(dtype)).dtype == torch.float32


def test_a_ceiling_holds_where_the_information_is_far_above_it(bound, exact_grid):
    for n in (2, 8, 64):
        grid = exact_grid(15.0, n, seed=n)
        assert float(bound(grid.diagonal(), off_diagonal(grid.mT))) <= bound.ceiling(n - 1) + 1e-4


def test_training_by_gradient_reaches_the_log_ratio_up_to_what_is_free(bound):
    """Six cells of a known table: a free critic, trained by the objective, must end at log r (up to `free`)."""
    if bound.needs_conditional_density:
        pytest.skip("maximum likelihood needs a normalized density; its optimum is tested with density critics")
    torch.manual_seed(0)
    table = torch.tensor([[0.30, 0.05, 0.10], [0.05, 0.25, 0.25]])
    log_ratio = (table / (table.sum(1, keepdim=True) * table.sum(0))).log()
    n = 400
    x, y = (cells.repeat_interleave((table.flatten() * n).round().long()) for cells in (
        torch.arange(2).repeat_interleave(3), torch.arange(3).repeat(2)))  # fmt: skip
    critic = torch.zeros(2, 3, requires_grad=True)
    optimizer = torch.optim.Adam([critic], lr=0.05)
    for step in range(300):
        if step == 200:
            optimizer.param_groups[0]["lr"] = 0.005
        partners = torch.stack([torch.randperm(n) for _ in range(4)], 1)
        optimizer.zero_grad()
        bound.loss(critic[x, y], critic[x[partners], y[:, None]]).backward()
        optimizer.step()
    off = critic.detach() - log_ratio
    if bound.unidentified == "constant":
        off = off - off.mean()
    elif bound.unidentified == "function of y":
        off = off - off.mean(0)
    assert off.abs().max() < 0.12


@pytest.mark.parametrize("dim, information", [(1, 1.0), (20, 2.0)])
def test_the_exact_critic_reads_its_information(bound, dim, information):
    if bound.side == "upper" or bound.takes_raw_scores:
        pytest.skip("it reads a conditional density, not a log-ratio; see test_likelihood")
    task = CorrelatedGaussian.with_information(dim, information)
    values = []
    for seed in range(4):
        x, y = task.sample(500, torch.Generator().manual_seed(seed))
        grid = FunctionCritic(task.log_ratio).pairwise(x, y)
        values.append(float(bound(grid.diagonal(), off_diagonal(grid.mT))))
    assert sum(values) / 4 == pytest.approx(information, abs=0.13)
