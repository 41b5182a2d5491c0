"""One fit on two ranks: the numbers of one process, decisions and files of rank 0."""

import warnings

import pytest
import torch

import mibounds as mi
from mibounds.tasks import CorrelatedGaussian

# What two ranks do together, and one process alone. Each is in a folder of its own.
FITS = """
import warnings
import torch
from torch import nn
import mibounds as mi
from mibounds.bounds import LeaveOneOut, MINE
from mibounds.critics import DiagonalGaussianCritic, Encoded, JointCritic, SeparableCritic
from mibounds.training.candidate_run import Run
from mibounds.training.candidates import Candidate
from mibounds.training.folds import Fold
from mibounds.training.recipe import Recipe
from mibounds.tasks import CorrelatedGaussian

warnings.simplefilter("ignore")
TASK = CorrelatedGaussian(2, 0.8)
QUICK = {"steps": 10, "folds": 2, "lr": 3e-3, "batch_size": 32, "check_every": 5, "workers": 1}
SHORT = {**QUICK, "hidden": (16,), "learners": False}

def estimators():
    torch.manual_seed(0)
    yield "few negatives", mi.MIEstimator(JointCritic(2, 2, hidden=(8,)), MINE(), negatives=5)
    yield "density", mi.MIEstimator(DiagonalGaussianCritic(2, 2, hidden=(8,)), LeaveOneOut())
    yield "telescope", mi.Telescope(2, 2, bridges=2, hidden=(8,), features=4)

def step(estimator, x, y):
    rows = torch.arange(len(x))
    recipe = Recipe(steps=20, batch_size=64, lr=1e-3, clip=1e9, check_every=10).filled(240, 200)
    run = Run(Candidate("", estimator), x, y, Fold(rows[:200], rows[200:], rows[200:]), recipe)
    run._train_step()
    return torch.cat([parameter.grad.flatten() for parameter in run.parameters])

def fits():
    x, y = TASK.sample(240, torch.Generator().manual_seed(0))
    found = {"estimate": mi.estimate(x, y, **SHORT, checkpoint="run")}
    found["resumed"] = mi.estimate(x, y, **SHORT, checkpoint="run", resume=True)
    gradients = {}
    for name, estimator in estimators():
        gradients[name] = step(estimator, x, y)
        found[name] = mi.Trainer(**QUICK, test_negatives=64).fit(estimator, x, y)
    network = mi.MIEstimator(SeparableCritic(2, 2, hidden=(8,)), mi.bounds.InfoNCE(), symmetric=True)
    found["stream"] = mi.Trainer(**QUICK).fit_stream(network, TASK.sample, test_rows=4200)  # in two blocks
    values = {
        name: (
            r.value, r.stderr, *r.interval, [warning.code for warning in r.warnings],
            [curve.validation_loss for curve in r.curves],
        )
        for name, r in found.items()
    }
    return values, gradients, found["estimate"].pointwise
"""

RANK = """
import os, sys, torch.distributed as dist

number, port, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
os.chdir(f"{folder}/{number}")
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=number, world_size=2)
values, gradients, pointwise = fits()

def refused(estimator, n=240, **options):
    try:
        mi.Trainer(**{**QUICK, **options}).fit(estimator, *TASK.sample(n, torch.Generator().manual_seed(0)))
    except ValueError as error:
        return str(error)

torch.manual_seed(number)  # ranks start from other weights, and go on with those of rank 0
other = mi.MIEstimator(SeparableCritic(2, 2, hidden=(8,)), mi.bounds.InfoNCE())
before = [weight.clone() for weight in other.parameters()]
x, y = TASK.sample(240, torch.Generator().manual_seed(0))
same = mi.Trainer(**QUICK).fit(other, x, y).value
unchanged = all(torch.equal(a, b) for a, b in zip(before, other.parameters()))
normed = Encoded(SeparableCritic(4, 2, hidden=(8,)), nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4)))
sentences = [
    refused(other, n=240 + number),
    refused(other, checkpoint="run"),
    refused(mi.MIEstimator(normed, mi.bounds.InfoNCE())),
    refused(other, batch_size=2, steps=1),
]
with mi.local_ranks():  # rank 1 does nothing meanwhile
    own = mi.Trainer(**QUICK).fit(other, x, y).value if number == 0 else None
torch.save((values, gradients, pointwise, same, unchanged, sentences, own), f"{folder}/{number}.pt")
dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def two_ranks(run_ranks, tmp_path_factory):
    """The folder of two ranks, and what each of them found."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "0").mkdir()
    (folder / "1" / "run").mkdir(parents=True)  # it could write there
    return folder, run_ranks(FITS + RANK, folder)


def test_two_ranks_find_what_one_process_finds(two_ranks, tmp_path, monkeypatch):
    _, (first, second) = two_ranks
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        scope = {}
        exec(FITS, scope)
        values, gradients, pointwise = scope["fits"]()
    assert first[0] == second[0], "every rank has the result, to the bit"
    for name, (value, stderr, low, high, codes, curves) in values.items():
        ours = first[0][name]
        assert ours[0] == pytest.approx(value, abs=min(1e-3, stderr / 10)), name
        assert ours[1:4] == pytest.approx((stderr, low, high), abs=3e-3), name
        assert ours[4] == codes, name
        assert len(ours[5]) == len(curves)
        assert all(mine == pytest.approx(theirs, abs=1e-3) for mine, theirs in zip(ours[5], curves, strict=True)), name
    for name, gradient in gradients.items():
        for found in (first, second):
            assert torch.allclose(found[1][name], gradient, atol=1e-5 * float(gradient.abs().max())), name
    assert torch.allclose(first[2], pointwise, atol=0.02)
    assert torch.equal(first[2], second[2])


def test_only_rank_0_writes_and_what_it_wrote_continues_to_the_same_number(two_ranks):
    folder, (first, second) = two_ranks
    assert sorted(path.name for path in (folder / "0" / "run").iterdir()) == [
        "fit.json", "fold-1.checkpoint", "fold-2.checkpoint",
    ]  # fmt: skip
    assert [path.name for path in (folder / "1").rglob("*")] == ["run"]
    for values, *_ in (first, second):
        assert values["resumed"] == values["estimate"]
    x, y = CorrelatedGaussian(2, 0.8).sample(240, torch.Generator().manual_seed(0))
    short = {"steps": 10, "folds": 2, "lr": 3e-3, "batch_size": 32, "check_every": 5, "hidden": (16,)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = mi.estimate(x, y, **short, learners=False, checkpoint=folder / "0" / "run", resume=True)
    assert alone.value == first[0]["estimate"][0], "one process continues what two ranks wrote"


def test_ranks_start_from_the_weights_of_rank_0(two_ranks):
    _, (first, second) = two_ranks
    assert first[3] == second[3]
    assert first[4] and second[4], "the given estimators are left unchanged"
    assert first[6] == pytest.approx(first[3], abs=1e-3), "rank 0 finds the same without rank 1"


def test_what_ranks_cannot_do_is_refused_on_all_of_them(two_ranks):
    _, (first, second) = two_ranks
    assert first[5] == second[5]
    others, used, normed, small = first[5]
    assert others.startswith("Rank 1 has another fit than rank 0, with x 241 samples (")
    assert used.startswith("'run' holds a checkpoint already")
    assert normed == (
        "critic.encoder_x.1 is a BatchNorm1d, which would see a share of each batch where one process sees all of it: "
        "use LayerNorm, GroupNorm or SyncBatchNorm, or fit in one process."
    )
    assert small is None, "one row for each of two ranks is enough"
