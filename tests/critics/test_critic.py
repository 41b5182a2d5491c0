"""The contract of every critic, and how scores are arranged."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mibounds import critics
from mibounds.bounds import InfoNCE
from mibounds.critics import (
    BilinearCritic,
    BridgedCritic,
    Calibrated,
    CategoricalCritic,
    ClassCritic,
    CopulaDensityCritic,
    CosineCritic,
    CountsCritic,
    Critic,
    DensityCritic,
    DiagonalGaussianCritic,
    Encoded,
    FlowCritic,
    ForestCritic,
    FullGaussianCritic,
    FunctionCritic,
    GaussianCritic,
    JointCritic,
    LocalLinearCritic,
    MixedWithIndependence,
    NormalClassesCritic,
    Normalized,
    ResidualCritic,
    SeparableCritic,
    Standardized,
    StudentCopulaCritic,
    Transposed,
    WeightedSum,
    WithOffset,
    score,
    shifts,
)
from mibounds.critics.critic import encoded_grid, pairwise_chunks
from mibounds.estimators import MIEstimator


def asymmetric(x, y):
    return (x * torch.tensor([1.0, 2.0])).sum(-1) - 3 * y.sum(-1).square()


def bank():
    g = torch.Generator().manual_seed(5)
    return torch.randn(30, 2, generator=g), torch.randn(30, 3, generator=g)


CRITICS = {
    "FunctionCritic": lambda: FunctionCritic(asymmetric),
    "JointCritic": lambda: JointCritic(2, 3, hidden=(16, 16), layer_norm=True, residual=True),
    "SeparableCritic": lambda: SeparableCritic(2, 3, hidden=(16, 16), activation="tanh"),
    "BridgedCritic": lambda: BridgedCritic(2, 3, bridges=4, hidden=(16,), features=5),
    "BilinearCritic": lambda: BilinearCritic(2, 3),
    "CosineCritic": lambda: Encoded(CosineCritic(), nn.Linear(2, 3)),
    "GaussianCritic": GaussianCritic,
    "DensityCritic": lambda: DensityCritic(asymmetric),
    "CategoricalCritic": lambda: Encoded(CategoricalCritic(2, 3, hidden=(16,)), encoder_y=nn.Softmax(-1)),
    "DiagonalGaussianCritic": lambda: DiagonalGaussianCritic(2, 3, hidden=(16,)),
    "FullGaussianCritic": lambda: FullGaussianCritic(2, 3, hidden=(16,)),
    "FlowCritic": lambda: FlowCritic(2, 3, hidden=(16, 16), bins=4),
    "Encoded": lambda: Encoded(SeparableCritic(4, 3, hidden=(16,)), nn.Linear(2, 4)),
    "Standardized": lambda: Standardized(FullGaussianCritic(2, 3, hidden=(16,)), 2, 3),
    "WithOffset": lambda: WithOffset(SeparableCritic(2, 3, hidden=(16,)), GaussianCritic()),
    "WeightedSum": lambda: WeightedSum([JointCritic(2, 3, hidden=(16,)), GaussianCritic()], torch.tensor([0.3, 0.6])),
    "Calibrated": lambda: Calibrated(GaussianCritic(), torch.tensor([-1.0, 0.5]), torch.tensor([0.5, 1.0, -0.3])),
    "ResidualCritic": lambda: ResidualCritic(0, 1, target=2, ranked=True),
    "CopulaDensityCritic": lambda: CopulaDensityCritic(1, 2),
    "LocalLinearCritic": lambda: LocalLinearCritic(1, target=2),
    "StudentCopulaCritic": StudentCopulaCritic,
    "ForestCritic": lambda: ForestCritic(1),
    "ClassCritic": ClassCritic,
    "CountsCritic": CountsCritic,
    "NormalClassesCritic": NormalClassesCritic,
    "Transposed": lambda: Transposed(BilinearCritic(3, 2)),
    "MixedWithIndependence": lambda: MixedWithIndependence(GaussianCritic(), 0.1),
    "Normalized": lambda: Normalized(FunctionCritic(asymmetric), bank(), unidentified="function of y"),
}


CONSTANT_BETWEEN_SPLITS = {"ForestCritic": "x", "ClassCritic": "y", "NormalClassesCritic": "y", "CountsCritic": "xy"}


@pytest.fixture(params=CRITICS)
def critic(request):
    torch.manual_seed(0)
    built = CRITICS[request.param]()
    x, y = bank()
    built.prepare(x, y + x.sum(1, keepdim=True))
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))  # away from the zero start
    return built


def test_every_critic_is_under_contract():
    kinds = {name for name in critics.__all__ if isinstance(getattr(critics, name), type)}
    assert kinds - {"Critic", "Scores"} == set(CRITICS)


def test_documentation(critic):
    assert "Example:" in type(critic).__doc__


def test_rows_of_pairwise_are_x(critic):
    """The one orientation of the whole library: entry [i, j] = f(x_i, y_j)."""
    x, y = bank()
    grid = critic.pairwise(x[:4], y[:7])
    assert grid.shape == (4, 7)
    for i, j in ((0, 0), (3, 1), (2, 6)):
        assert torch.allclose(grid[i, j], critic(x[i : i + 1], y[j : j + 1])[0], atol=1e-4)
    assert torch.allclose(critic(x, y), critic.pairwise(x, y).diagonal(), atol=1e-4)
    assert torch.allclose(pairwise_chunks(critic, x, y, pairs=64), critic.pairwise(x, y), atol=1e-4)


@pytest.mark.parametrize("keep", ["y", "x"])
def test_products_by_naive_loops(critic, keep):
    x, y = (side[:5] for side in bank())
    partners = shifts(5, 3, torch.Generator().manual_seed(1))
    scores = score(critic, x, y, partners, keep=keep)
    for i in range(5):
        for k, j in enumerate(partners[i].tolist()):
            left, right = (j, i) if keep == "y" else (i, j)
            expected = critic(x[left : left + 1], y[right : right + 1])[0]
            assert torch.allclose(scores.product[i, k], expected, atol=1e-4)
    everything = score(critic, x, y, keep=keep).product
    grid = critic.pairwise(x, y).detach()
    others = [[float(grid[j, i] if keep == "y" else grid[i, j]) for j in range(5) if j != i] for i in range(5)]
    assert torch.allclose(everything, torch.tensor(others), atol=1e-4)


def test_a_pool_replaces_the_other_rows(critic):
    x, y = (side[:5] for side in bank())
    pool = bank()[0][10:14]
    scores = score(critic, x, y, pool=pool)
    assert torch.allclose(scores.product, critic.pairwise(pool, y).mT, atol=1e-4)
    chosen = score(critic, x, y, torch.tensor([[0], [1], [2], [3], [0]]), pool=pool)
    assert torch.allclose(chosen.product[4, 0], critic(pool[:1], y[4:])[0], atol=1e-4)


def test_gradients_reach_both_variables(critic):
    x, y = (side[:5].clone().requires_grad_() for side in bank())
    constant = CONSTANT_BETWEEN_SPLITS.get(type(critic).__name__, "")
    grid = critic.pairwise(x, y)
    assert grid.requires_grad == (constant != "xy")
    if grid.requires_grad:
        grid.square().sum().backward()
    for name, side in (("x", x), ("y", y)):
        assert (side.grad is None) if name in constant else side.grad.abs().sum() > 0


def test_copies_and_saved_weights_score_alike(critic):
    x, y = bank()
    expected = critic(x, y)
    assert torch.equal(copy.deepcopy(critic)(x, y), expected)
    name = next(name for name, build in CRITICS.items() if str(build()) == str(critic))
    fresh = CRITICS[name]()
    fresh.load_state_dict(critic.state_dict())
    assert torch.allclose(fresh(x, y), expected)


@given(st.integers(2, 40), st.data())
def test_shifts_are_distinct_derangements(n, data):
    k = data.draw(st.integers(1, n - 1))
    partners = shifts(n, k, torch.Generator().manual_seed(data.draw(st.integers(0, 99))))
    assert partners.shape == (n, k)
    assert (partners != torch.arange(n)[:, None]).all()
    for column in partners.T:
        assert sorted(column.tolist()) == list(range(n))
    for row in partners.tolist():
        assert len(set(row)) == k


@pytest.mark.parametrize("negatives", [0, 5, 6])
def test_shifts_refuse_more_negatives_than_others(negatives):
    with pytest.raises(ValueError, match=f"negatives is {negatives}, and 5 rows have 1 to 4 others"):
        shifts(5, negatives)


def test_a_critic_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Critic()


@pytest.mark.parametrize("n", [8, 600], ids=["at once", "in blocks"])
@pytest.mark.parametrize("negatives", ["all", 3])
@pytest.mark.parametrize("per_pair", [True, False])
def test_scores_that_are_not_one_number_for_each_pair_are_refused(n, negatives, per_pair):
    """A last layer of one unit without squeeze(-1) gave an error of torch, or a value for each row."""
    critic = FunctionCritic(lambda x, y: (x * y).sum(-1, keepdim=True))
    critic.network_per_pair = per_pair
    x = torch.randn(n, 2)
    with pytest.raises(ValueError, match="expected one number for each pair.*squeeze"):
        MIEstimator(critic, InfoNCE(), negatives=negatives).value(x, x)
    for call in (critic, critic.pairwise, lambda x, y: pairwise_chunks(critic, x, y)):
        with pytest.raises(ValueError, match="expected one number for each pair"):
            call(x, x)


def test_a_grid_has_one_score_for_each_pair_whoever_asks_for_it():
    rows = torch.randn(4, 2)
    with pytest.raises(ValueError, match="expected one number for each pair"):
        encoded_grid(FunctionCritic(lambda x, y: x * y), rows, rows)
