import math
import pickle

import pytest
import torch

from mibounds.tasks import VectorAutoregression

WIDE = VectorAutoregression(
    torch.tensor([[0.4, 0.2, 0.0, 0.1], [0.0, 0.5, 0.3, 0.0], [0.6, 0.0, 0.3, 0.1], [0.0, -0.4, 0.0, 0.5]]), 2
)


def test_without_memory_it_is_a_channel():
    process = VectorAutoregression.one_way(memory=0.0, coupling=0.75)
    nats = 0.5 * math.log(1 + 0.75**2)
    assert process.transfer_entropy() == pytest.approx(nats)
    assert process.transfer_entropy(reverse=True) == pytest.approx(0, abs=1e-12)
    assert process.transfer_entropy(lag=2) == pytest.approx(0, abs=1e-12)
    assert process.transfer_entropy(lag=1, history=3) == pytest.approx(nats)
    assert [process.lagged_information(lag) for lag in (-1, 0, 1, 2)] == pytest.approx([0, 0, nats, 0])


def remaining(target, *given):
    """The log-determinant of what least squares leaves of a target."""
    design = torch.cat([*given, torch.ones(len(target), 1)], 1).double()
    left = target.double() - design @ torch.linalg.lstsq(design, target.double()).solution
    return float(torch.logdet(left.T @ left / len(left)))


@pytest.mark.parametrize("history, own, lag", [(1, 1, 1), (2, 1, 2), (1, 3, 1)])
@pytest.mark.parametrize("reverse", [False, True])
def test_closed_forms_are_what_regressions_find(history, own, lag, reverse):
    x, y = WIDE.sample(100_000, torch.Generator().manual_seed(0))
    source, target = (y, x) if reverse else (x, y)
    times = torch.arange(10, len(x))
    past = [source[times - lag - k] for k in range(history)]
    own_past = [target[times - 1 - k] for k in range(own)]
    found = (remaining(target[times], *own_past) - remaining(target[times], *own_past, *past)) / 2
    truth = WIDE.transfer_entropy(history=history, own_history=own, lag=lag, reverse=reverse)
    assert truth > 0.01
    assert found == pytest.approx(truth, abs=0.003)


@pytest.mark.parametrize("lag", [-3, 0, 1, 4])
def test_lagged_information_is_what_regressions_find(lag):
    x, y = WIDE.sample(100_000, torch.Generator().manual_seed(0))
    times = torch.arange(10, len(x) - 10)
    found = (remaining(y[times]) - remaining(y[times], x[times - lag])) / 2
    assert found == pytest.approx(WIDE.lagged_information(lag), abs=0.003)


def test_it_starts_in_its_stationary_state():
    slow = VectorAutoregression.one_way(memory=0.99, coupling=0.1)
    first = torch.cat([torch.cat(slow.sample(1, torch.Generator().manual_seed(s)), 1) for s in range(2000)])
    assert float(first[:, 0].var()) == pytest.approx(1 / (1 - 0.99**2), rel=0.1)


def test_the_same_seed_gives_the_same_series():
    x, y = WIDE.sample(50, torch.Generator().manual_seed(0))
    assert (x.shape, y.shape, x.dtype) == ((50, 2), (50, 2), torch.float32)
    again = pickle.loads(pickle.dumps(WIDE)).sample(50, torch.Generator().manual_seed(0))
    assert torch.equal(x, again[0])
    assert torch.equal(y, again[1])


def test_what_is_no_process_is_refused():
    with pytest.raises(ValueError, match="eigenvalue of size 1.1"):
        VectorAutoregression.one_way(memory=1.1, coupling=0.5)
    with pytest.raises(ValueError, match="coefficients has shape \\(2, 2\\) and dim_x is 2"):
        VectorAutoregression(torch.eye(2) / 2, 2)
    with pytest.raises(ValueError, match="history is 0, and must be at least 1"):
        WIDE.transfer_entropy(history=0)
