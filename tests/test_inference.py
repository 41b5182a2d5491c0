import math
import statistics

import pytest
import torch

from mibounds._math import off_diagonal
from mibounds.bounds import NWJ, DonskerVaradhan, InfoNCE, PlugIn
from mibounds.inference import (
    BoundEvaluation,
    entropy_margin,
    evaluate_grid,
    interval,
    lower_limit,
    mean_stderr,
    nwj_stderr,
    pool,
    pool_bounds,
)


def evaluation(bound, grid, folds=1):
    fold = torch.arange(len(grid)) % folds
    return BoundEvaluation(bound, evaluate_grid(grid, [bound])[0], fold, math.inf)


def of_values(values, fold=None, cluster=None):
    """The evaluation whose value is the mean of these numbers."""
    values = torch.as_tensor(values)
    return BoundEvaluation(
        PlugIn(), ((values,),), torch.zeros(len(values), dtype=torch.long) if fold is None else fold, math.inf, cluster
    )


def test_both_directions_are_averaged(exact_grid):
    grid = exact_grid(2.0, 200, 0)
    joint = grid.diagonal()
    ways = [float(InfoNCE()(joint, off_diagonal(one))) for one in (grid.mT, grid)]
    assert evaluation(InfoNCE(), grid).value() == pytest.approx(sum(ways) / 2, abs=1e-5)
    keeps_y = BoundEvaluation(InfoNCE(), evaluate_grid(grid, [InfoNCE()], both=False)[0], torch.zeros(200), math.inf)
    assert keeps_y.value() == pytest.approx(ways[0], abs=1e-5)


def test_a_large_grid_is_evaluated_in_strips(generator):
    grid = torch.randn(1100, 1100, generator=generator)  # more than 2^20 pairs
    bounds = [DonskerVaradhan(), InfoNCE()]
    for bound, directions in zip(bounds, evaluate_grid(grid, bounds), strict=True):
        for statistics_of_samples, scores in zip(directions, (grid.mT, grid), strict=True):
            expected = bound.reduce(grid.diagonal(), off_diagonal(scores))
            assert all(torch.equal(a, b) for a, b in zip(statistics_of_samples, expected, strict=True))


def test_pooled_blocks_are_evaluated_together_and_not_averaged(exact_grid):
    blocks = [exact_grid(4.0, 100, seed) for seed in range(4)]
    pooled = pool([evaluate_grid(block, [DonskerVaradhan()])[0] for block in blocks])
    value = BoundEvaluation(DonskerVaradhan(), pooled, torch.zeros(400), math.inf).value()
    joint = torch.cat([b.diagonal() for b in blocks])
    product = torch.cat([off_diagonal(b.mT) for b in blocks])
    assert value == pytest.approx(float(DonskerVaradhan()(joint, product)), abs=1e-4)
    average = statistics.mean(float(DonskerVaradhan()(b.diagonal(), off_diagonal(b.mT))) for b in blocks)
    assert value != pytest.approx(average, abs=1e-3)


def test_pooling_concatenates_a_common_tensor_once(exact_grid):
    blocks = [exact_grid(1.0, 50, seed) for seed in range(2)]
    first, second = pool_bounds([evaluate_grid(block, [DonskerVaradhan(), NWJ()]) for block in blocks])
    assert torch.equal(first[0][0], torch.cat([block.diagonal() for block in blocks]))
    assert all(one[0] is first[0][0] for one in (*first, *second))


@pytest.mark.parametrize("bound", [PlugIn(), InfoNCE(), DonskerVaradhan()], ids=repr)
def test_the_standard_error_is_that_of_repeated_draws(exact_grid, bound):
    evaluations = [evaluation(bound, exact_grid(1.0, 400, seed, dim=1)) for seed in range(40)]
    spread = statistics.stdev(e.value() for e in evaluations)
    assert statistics.mean(e.stderr() for e in evaluations) == pytest.approx(spread, rel=0.35)


def test_the_jackknife_of_a_mean_is_its_textbook_standard_error(generator):
    values = torch.randn(40, generator=generator)  # fewer than groups: one sample is left out at a time
    assert of_values(values).sampling_error() == pytest.approx(float(values.std()) / math.sqrt(40), rel=1e-5)
    copies = of_values(values.repeat(2), cluster=torch.arange(40).repeat(2))
    assert copies.sampling_error() == pytest.approx(float(values.std()) / math.sqrt(40), rel=1e-5)


def test_many_samples_are_left_out_in_fifty_groups(generator):
    values = torch.randn(130, generator=generator, dtype=torch.float64)
    left_out = [float(values[torch.arange(130) % 50 != g].mean()) for g in range(50)]
    expected = math.sqrt(49 / 50 * sum((v - statistics.mean(left_out)) ** 2 for v in left_out))
    assert of_values(values).sampling_error() == pytest.approx(expected, rel=1e-6)


def test_the_standard_error_is_that_of_the_mean_over_folds_where_folds_differ():
    """Every jackknife group has one sample of each fold, so the sampling error is 0."""
    fold = torch.arange(150) // 50
    shifted = of_values(torch.tensor([0.0, 1.0, 5.0])[fold], fold)
    assert shifted.fold_values() == (0.0, 1.0, 5.0)
    assert shifted.sampling_error() == 0
    assert shifted.stderr() == pytest.approx(statistics.stdev([0, 1, 5]) / math.sqrt(3))


def test_the_standard_error_is_that_of_sampling_where_folds_agree():
    values = torch.tensor([1.0, -1.0]).repeat(20)
    agreeing = of_values(values, torch.arange(40) // 2 % 2)
    assert agreeing.fold_values() == (0.0, 0.0)
    assert agreeing.stderr() == agreeing.sampling_error() == pytest.approx(float(values.std()) / math.sqrt(40))
    single = of_values(values)
    assert single.stderr() == single.sampling_error()


def test_folds_that_differ_increase_the_standard_error(exact_grid):
    grid = exact_grid(1.0, 400, 0, dim=1)
    fold = torch.arange(400) // 200
    shifted = grid + 3.0 * fold[:, None]
    (directions,) = evaluate_grid(shifted, [PlugIn()])
    one_fold = BoundEvaluation(PlugIn(), directions, torch.zeros(400), math.inf)
    two_folds = BoundEvaluation(PlugIn(), directions, fold, math.inf)
    assert two_folds.fold_values()[1] - two_folds.fold_values()[0] == pytest.approx(3, abs=0.3)
    assert two_folds.stderr() > 5 * one_fold.stderr()


def test_interval_limits_and_allowances():
    assert interval(1.0, 0.1, 0.95) == pytest.approx((0.804, 1.196), abs=1e-3)
    assert interval(1.0, 0.1, 0.9) == pytest.approx((0.8355, 1.1645), abs=1e-3)
    assert interval(1.0, 0.0, 0.95, below=0.2, above=0.3) == pytest.approx((0.8, 1.3))
    assert interval(-0.5, 0.1, 0.95, above=0.7) == pytest.approx((-0.696, 0.396), abs=1e-3)


def test_the_upper_end_is_not_negative_as_the_information_is_not():
    assert interval(-0.5, 0.1, 0.95, above=0.3) == pytest.approx((-0.696, 0.196), abs=1e-3)
    assert interval(-0.5, 0.1, 0.95, below=0.2)[0] == pytest.approx(-0.896, abs=1e-3)


def test_the_lower_limit_is_one_sided():
    assert lower_limit(1.0, 0.1, 0.95) == pytest.approx(0.8355, abs=1e-3)


def test_the_bootstrap_resamples_samples(exact_grid):
    evaluations = [evaluation(InfoNCE(), exact_grid(1.0, 400, seed, dim=1)) for seed in range(40)]
    spread = statistics.stdev(e.value() for e in evaluations)
    generator = torch.Generator().manual_seed(0)
    claimed = statistics.mean(e.bootstrap(100, generator) for e in evaluations)
    assert claimed == pytest.approx(spread, rel=0.35)


def test_the_bootstrap_without_clusters_draws_indices_by_the_generator():
    values = torch.arange(20.0)
    draw = torch.Generator().manual_seed(3)
    expected = [float(values[torch.randint(0, 20, (20,), generator=draw)].mean()) for _ in range(5)]
    found = of_values(values).bootstrap(5, torch.Generator().manual_seed(3))
    assert found == pytest.approx(statistics.stdev(expected), rel=1e-5)


def test_errors_count_clusters_where_samples_are_copies(generator):
    """Ten copies of every sample: the error is that of a tenth of the samples."""
    values = torch.randn(100, generator=generator)
    copies, cluster = values.repeat_interleave(10), torch.arange(100).repeat_interleave(10)
    exact = float(values.std(correction=0)) / 10
    independent, clustered = of_values(copies), of_values(copies, cluster=cluster)
    assert clustered.sampling_error() == pytest.approx(exact, rel=0.15)
    assert clustered.bootstrap(400, generator) == pytest.approx(exact, rel=0.15)
    assert independent.bootstrap(400, generator) == pytest.approx(exact / math.sqrt(10), rel=0.15)
    assert clustered.sampling_error() > 2 * independent.sampling_error()
    assert mean_stderr(copies, cluster) == pytest.approx(exact, rel=1e-5)
    assert nwj_stderr([(copies, torch.full((1000,), -math.inf))], cluster) == pytest.approx(exact, rel=1e-5)


def test_the_bootstrap_draws_whole_clusters_of_any_size_order_and_number(generator):
    sizes = {7: 2, 0: 3, 12: 5, 3: 4}
    cluster = torch.tensor([number for number, size in sizes.items() for _ in range(size)])
    cluster = cluster[torch.randperm(14, generator=generator)]
    values = torch.randn(14, generator=generator)
    draw, expected = torch.Generator().manual_seed(3), []
    for _ in range(20):
        drawn = [sorted(sizes)[i] for i in torch.randint(0, 4, (4,), generator=draw)]
        expected.append(float(torch.cat([values[cluster == number] for number in drawn]).mean()))
    found = of_values(values, cluster=cluster).bootstrap(20, torch.Generator().manual_seed(3))
    assert found == pytest.approx(statistics.stdev(expected), rel=1e-5)


def test_cluster_numbers_may_have_gaps(generator):
    values, cluster = torch.randn(60, generator=generator), torch.arange(20).repeat_interleave(3)
    dense, sparse = (of_values(values, cluster=numbers) for numbers in (cluster, 50 * cluster))
    assert sparse.sampling_error() == dense.sampling_error() > 0
    assert mean_stderr(values, 50 * cluster) == mean_stderr(values, cluster)


def test_the_standard_error_of_a_mean():
    values = torch.tensor([1.0, 2.0, 4.0, 9.0])
    assert mean_stderr(values, None) == pytest.approx(statistics.stdev(values.tolist()) / 2)
    # deviations -3, -2, 0, 5 from the mean 4: sums over clusters -5 and 5, or 2 and -2
    assert mean_stderr(values, torch.tensor([0, 0, 1, 1])) == pytest.approx(math.sqrt(25 + 25) / 4)
    assert mean_stderr(values, torch.tensor([1, 0, 0, 1])) == pytest.approx(math.sqrt(4 + 4) / 4)
    assert mean_stderr(values, torch.arange(4)) == pytest.approx(math.sqrt(9 + 4 + 0 + 25) / 4)


def test_the_error_of_nwj_is_that_of_its_influence_function():
    joint, of_y, of_x = torch.tensor([[1.0, 2.0, 4.0], [0.1, 0.5, 0.2], [0.3, 0.2, 0.4]], dtype=torch.float64)
    both = joint - of_y - of_x
    assert nwj_stderr([(joint, of_y.log()), (joint, of_x.log())]) == pytest.approx(mean_stderr(both))
    assert nwj_stderr([(joint, of_y.log())]) == pytest.approx(mean_stderr(joint - 2 * of_y))
    cluster = torch.tensor([0, 1, 0])
    clustered = nwj_stderr([(joint, of_y.log()), (joint, of_x.log())], cluster)
    assert clustered == pytest.approx(mean_stderr(both, cluster))


def test_the_error_of_nwj_counts_a_sample_as_matched_and_mismatched():
    """A critic whose scores depend on x and on y separately makes the means of rows and columns vary; the spread of
    repeated draws is then that of the influence function and far from that of the matched scores."""
    values, claimed = [], []
    for seed in range(60):
        generator = torch.Generator().manual_seed(seed)
        u, v = torch.randn(2, 300, generator=generator)
        grid = 0.8 * u[:, None] + 0.8 * v - 0.64
        (directions,) = evaluate_grid(grid, [NWJ()])
        values.append(BoundEvaluation(NWJ(), directions, torch.zeros(300), math.inf).value())
        claimed.append(nwj_stderr(directions))
    assert statistics.mean(claimed) == pytest.approx(statistics.stdev(values), rel=0.3)


def test_the_margin_of_an_entropy_by_hand():
    label = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
    p = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    surprise = -p.log()
    entropy = float((p * surprise).sum())
    variance = float((p * surprise.square()).sum()) - entropy**2
    expected = 2 / 200 + 1.959964 * math.sqrt(variance / 99 + 2 / (2 * 100**2))
    assert entropy_margin(label) == pytest.approx(min(expected, math.log(3) - entropy), rel=1e-5)
    repeated = label.repeat_interleave(3)
    of_clusters = entropy_margin(repeated, torch.arange(100).repeat_interleave(3))
    assert of_clusters == pytest.approx(entropy_margin(label), rel=0.01)
    assert entropy_margin(repeated) < 0.65 * of_clusters
    assert entropy_margin(label, level=0.5) < entropy_margin(label)


@pytest.mark.parametrize("p", [(0.5, 0.5), (0.25,) * 4, (0.8, 0.2), (0.5, 0.3, 0.1, 0.1)])
def test_the_entropy_is_below_its_limit_in_nineteen_of_twenty_samples(p):
    truth = -sum(q * math.log(q) for q in p)
    generator, held = torch.Generator().manual_seed(0), 0
    for _ in range(200):
        label = torch.multinomial(torch.tensor(p), 150, True, generator=generator)
        share = torch.bincount(label).double() / 150
        held += truth <= -float((share * share.log()).sum()) + entropy_margin(label) + 1e-12
    assert held >= 190
