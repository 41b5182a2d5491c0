import math
import statistics

import pytest
import torch

from mibounds._math import off_diagonal
from mibounds.bounds import NWJ, DonskerVaradhan, InfoNCE, PlugIn
from mibounds.inference import Reading, interval, lower_limit, nwj_stderr, pool, read_grid


def reading(bound, grid, folds=1):
    fold = torch.arange(len(grid)) % folds
    return Reading(bound, read_grid(grid, [bound])[0], fold, math.inf)


def test_both_directions_are_averaged(exact_grid):
    grid = exact_grid(2.0, 200, 0)
    joint = grid.diagonal()
    ways = [float(InfoNCE()(joint, off_diagonal(one))) for one in (grid.mT, grid)]
    assert reading(InfoNCE(), grid).value() == pytest.approx(sum(ways) / 2, abs=1e-5)
    only = Reading(InfoNCE(), read_grid(grid, [InfoNCE()], both=False)[0], torch.zeros(200), math.inf)
    assert only.value() == pytest.approx(ways[0], abs=1e-5)


def test_pooled_blocks_are_read_once_and_not_averaged(exact_grid):
    blocks = [exact_grid(4.0, 100, seed) for seed in range(4)]
    rows = pool([read_grid(block, [DonskerVaradhan()])[0] for block in blocks])
    pooled = Reading(DonskerVaradhan(), rows, torch.zeros(400), math.inf).value()
    joint = torch.cat([b.diagonal() for b in blocks])
    product = torch.cat([off_diagonal(b.mT) for b in blocks])
    assert pooled == pytest.approx(float(DonskerVaradhan()(joint, product)), abs=1e-4)
    average = statistics.mean(float(DonskerVaradhan()(b.diagonal(), off_diagonal(b.mT))) for b in blocks)
    assert pooled != pytest.approx(average, abs=1e-3)


@pytest.mark.parametrize("bound", [PlugIn(), InfoNCE(), DonskerVaradhan()], ids=repr)
def test_the_standard_error_is_that_of_repeated_draws(exact_grid, bound):
    readings = [reading(bound, exact_grid(1.0, 400, seed, dim=1)) for seed in range(40)]
    spread = statistics.stdev(r.value() for r in readings)
    claimed = statistics.mean(r.stderr() for r in readings)
    assert claimed == pytest.approx(spread, rel=0.35)


def test_folds_that_disagree_widen_the_standard_error(exact_grid):
    grid = exact_grid(1.0, 400, 0, dim=1)
    fold = torch.arange(400) // 200
    shifted = grid + 3.0 * fold[:, None]
    (rows,) = read_grid(shifted, [PlugIn()])
    together = Reading(PlugIn(), rows, torch.zeros(400), math.inf).stderr()
    apart = Reading(PlugIn(), rows, fold, math.inf)
    assert apart.fold_values()[1] - apart.fold_values()[0] == pytest.approx(3, abs=0.3)
    assert apart.stderr() > 5 * together


def test_the_interval_speaks_of_the_information():
    assert interval(1.0, 0.1, 0.95) == pytest.approx((0.804, 1.196), abs=1e-3)
    assert interval(1.0, 0.1, 0.9) == pytest.approx((0.8355, 1.1645), abs=1e-3)
    assert interval(1.0, 0.0, 0.95, below=0.2, above=0.3) == pytest.approx((0.8, 1.3))
    low, high = interval(-0.5, 0.01, 0.95)
    assert low < -0.5
    assert high > 0  # information is never negative


def test_the_bootstrap_resamples_rows(exact_grid):
    readings = [reading(InfoNCE(), exact_grid(1.0, 400, seed, dim=1)) for seed in range(40)]
    spread = statistics.stdev(r.value() for r in readings)
    generator = torch.Generator().manual_seed(0)
    claimed = statistics.mean(r.bootstrap(100, generator) for r in readings)
    assert claimed == pytest.approx(spread, rel=0.35)


def test_the_error_of_nwj_counts_a_row_in_both_its_roles(exact_grid):
    """A critic whose scores depend on x and on y alone makes the means of rows and columns vary; the spread of
    repeated draws is then that of the influence function and far from that of the matched scores."""
    values, claimed = [], []
    for seed in range(60):
        generator = torch.Generator().manual_seed(seed)
        u, v = torch.randn(2, 300, generator=generator)
        grid = 0.8 * u[:, None] + 0.8 * v - 0.64
        (directions,) = read_grid(grid, [NWJ()])
        values.append(Reading(NWJ(), directions, torch.zeros(300), math.inf).value())
        claimed.append(nwj_stderr(directions))
    assert statistics.mean(claimed) == pytest.approx(statistics.stdev(values), rel=0.3)


def test_the_lower_limit_is_one_sided():
    assert lower_limit(1.0, 0.1, 0.95) == pytest.approx(0.8355, abs=1e-3)


def test_clusters_are_what_is_independent():
    """Ten copies of every row: the error is that of a tenth of the rows."""
    once = torch.randn(100, generator=torch.Generator().manual_seed(0))
    rows, cluster = once.repeat_interleave(10), torch.arange(100).repeat_interleave(10)
    plain = Reading(PlugIn(), ((rows,),), torch.zeros(1000), math.inf)
    clustered = Reading(PlugIn(), ((rows,),), torch.zeros(1000), math.inf, cluster)
    assert clustered.sampling_error() == pytest.approx(float(once.std()) / 10, rel=0.15)
    assert clustered.sampling_error() > 2 * plain.sampling_error()
    zeros = torch.full((1000,), -math.inf)
    assert nwj_stderr([(rows, zeros)], cluster) == pytest.approx(float(once.std()) / 10, rel=0.02)
