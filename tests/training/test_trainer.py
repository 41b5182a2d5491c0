import numpy as np
import pytest
import torch
from torch import nn

from mibounds import MIEstimator, Trainer
from mibounds.bounds import CLUB, MINE, NWJ, BarberAgakov, InfoNCE, JensenShannon, LeaveOneOut
from mibounds.critics import DiagonalGaussianCritic, Encoded, FlowCritic, JointCritic, SeparableCritic
from mibounds.data import Standardize
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import Candidate
from mibounds.warnings import NotConvergedWarning, SmallSampleWarning

TASK = CorrelatedGaussian(2, 0.8)  # 1.02 nats
QUICK = {"steps": 200, "folds": 2, "lr": 3e-3}


def data(n=800):
    return TASK.sample(n, torch.Generator().manual_seed(0))


def estimator(bound=None, **options):
    torch.manual_seed(0)
    return MIEstimator(SeparableCritic(2, 2, hidden=(32, 32)), bound or InfoNCE(), **options)


@pytest.mark.parametrize("bound", [InfoNCE(), MINE(), NWJ(), JensenShannon()], ids=repr)
def test_it_reports_the_estimators_own_bound(bound):
    result = Trainer(**QUICK).fit(estimator(bound), *data())
    assert result.reading == type(bound).__name__
    assert result.value == result.bounds[result.reading]
    assert result.value == pytest.approx(TASK.mutual_information, abs=0.25)
    assert set(result.bounds) >= {"InfoNCE", "DonskerVaradhan", "NWJ", "SMILE", "PlugIn"}
    assert len(result.curves) == len(result.fitted) == len(result.fold_values) == 2
    assert result.rows == 800


def test_an_alternative_takes_the_place_of_a_candidate_and_is_not_trained_beside_it():
    candidates = [Candidate("first", estimator(), Standardize())]
    candidates.append(Candidate("other", estimator(), Standardize(), instead_of="first"))
    readings = Trainer(steps=20, folds=2).read(candidates, *data())
    assert [fitted.steps for fitted in readings.fitted] == [20, 20]


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_densities_are_read_in_the_direction_in_which_they_bound():
    x, y = data()
    density = DiagonalGaussianCritic(2, 2, hidden=(32,))
    result = Trainer(**QUICK).fit(MIEstimator(density, LeaveOneOut()), x, y)
    assert result.value == pytest.approx(TASK.mutual_information, abs=0.2)
    assert Trainer(**QUICK).fit(MIEstimator(density, CLUB()), x, y).value > 2.5  # 3.56 of the exact one
    assert result.curves[0].score[-1] < result.curves[0].score[0]  # stopped by likelihood


def test_barber_agakov_reads_the_density_as_it_is():
    x, y = data()
    torch.manual_seed(0)
    known = MIEstimator(FlowCritic(2, 2, hidden=(16,)), BarberAgakov(entropy=2 * 1.4189385))  # standard normal
    result = Trainer(steps=20, folds=2, test_negatives=64, preprocessing=None).fit(known, x, y)
    assert result.value == pytest.approx(TASK.mutual_information, abs=0.15)
    assert set(result.bounds) == {"InfoNCE", "DonskerVaradhan", "BarberAgakov"}
    with pytest.raises(ValueError, match="counts in the units of y, which preprocessing changes"):
        Trainer(steps=20).fit(known, x, y)


def test_the_seed_decides_and_the_workers_do_not():
    runs = [Trainer(**QUICK, seed=s, workers=w).fit(estimator(), *data()) for s, w in ((1, 1), (1, 2), (2, 2))]
    assert runs[0].to_dict() == runs[1].to_dict()
    assert runs[0].value != runs[2].value
    assert torch.get_num_threads() > 0


def test_a_joint_critic_with_few_negatives():
    torch.manual_seed(0)
    joint = MIEstimator(JointCritic(2, 2, hidden=(32, 32)), JensenShannon(), negatives=4)
    assert Trainer(**QUICK, test_negatives=100).fit(joint, *data()).value == pytest.approx(1.02, abs=0.25)


def test_images_go_to_the_critics_encoder():
    """8 x 8 images of two grey levels against a noisy copy of the level: at most ln 2."""
    generator = torch.Generator().manual_seed(0)
    level = torch.randint(0, 2, (400,), generator=generator).float()
    images = level[:, None, None, None] + 0.3 * torch.randn(400, 1, 8, 8, generator=generator)
    encoder = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 16))
    critic = Encoded(SeparableCritic(16, 1, hidden=(16,)), encoder)
    labels = level[:, None] + 0.05 * torch.randn(400, 1, generator=generator)
    result = Trainer(**QUICK).fit(MIEstimator(critic, InfoNCE(), symmetric=True), images, labels)
    assert result.value == pytest.approx(0.693, abs=0.12)


def test_a_tuple_is_one_variable():
    x, y = data(300)

    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 16)

        def forward(self, pair):
            return self.linear(torch.stack(pair, 1))

    critic = Encoded(SeparableCritic(16, 2, hidden=(16,)), First())
    result = Trainer(**QUICK).fit(MIEstimator(critic, InfoNCE()), (x[:, 0], x[:, 1]), y)
    assert result.value > 0.5


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"steps": 0}, "steps is 0, and must be at least 1"),
        ({"folds": 1}, "folds is 1, and must be at least 2"),
        ({"batch_size": 1}, "batch_size is 1"),
        ({"workers": 0}, "workers is 0"),
        ({"validation_fraction": 1.0}, "validation_fraction is 1.0, and must lie strictly between 0 and 1"),
        ({"split": "block"}, "split is 'block', and must be 'random' or 'blocked'"),
        ({"gap": 5}, "gap is 5, and a random split has none"),
        ({"split": "blocked", "gap": -1}, "gap is -1, and must be at least 0"),
        ({"test_negatives": "some"}, "test_negatives is 'some', and must be 'all' or a number"),
        ({"device": "cuda:99"}, "which this machine does not have"),
    ],
)
def test_bad_settings(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Trainer(**options)


def test_batches_that_do_not_fit():
    with pytest.raises(ValueError, match="batch_size is 500, and a fold trains on 340 rows: give a smaller batch_size"):
        Trainer(folds=2, batch_size=500).fit(estimator(), *data())
    with pytest.raises(ValueError, match="negatives is 64, and a batch of 64 rows has 63 others"):
        Trainer(folds=2, batch_size=64).fit(estimator(negatives=64), *data())
    with pytest.raises(ValueError, match="folds is 60, and 100 rows give at most 50"):
        Trainer(folds=60).fit(estimator(), *data(100))
    with pytest.warns(SmallSampleWarning), pytest.warns(NotConvergedWarning):
        assert Trainer(**{**QUICK, "steps": 20}).fit(estimator(), *data(60)).rows == 60  # an automatic batch shrinks


def test_blocked_folds_read_the_rows_in_their_order():
    result = Trainer(**QUICK, split="blocked").fit(estimator(), *data())
    assert result.value == pytest.approx(TASK.mutual_information, abs=0.25)
    wide = Trainer(**QUICK, split="blocked", gap=60).fit(estimator(), *data())
    assert wide.value != result.value  # 8 rows by default
    with pytest.raises(ValueError, match="gap is 600, and leaves a fold of 800 rows"):
        Trainer(split="blocked", gap=600).fit(estimator(), *data())


def test_pairs_that_do_not_match():
    with pytest.raises(ValueError, match="x has 800 rows and y has 799"):
        Trainer().fit(estimator(), data()[0], data()[1][1:])
    with pytest.raises(ValueError, match="x has 80 rows and y has 79"):
        Trainer().fit(estimator(), torch.zeros(80, 1, 4, 4), torch.zeros(79, 1))
    with pytest.raises(ValueError, match="x has 1 missing or infinite values"):
        broken = torch.zeros(80, 1, 4, 4)
        broken[3, 0, 0, 0] = np.nan
        Trainer().fit(estimator(), broken, torch.zeros(80, 1))


def test_a_stream_is_trained_on_fresh_rows_and_read_on_fresh_rows():
    task, drawn = CorrelatedGaussian(2, 0.8), []

    def sampler(n, generator):
        drawn.append(n)
        return task.sample(n, generator)

    estimator = MIEstimator(SeparableCritic(2, 2, hidden=(32,)), InfoNCE())
    trainer = Trainer(steps=200, batch_size=64, lr=5e-3, seed=3)
    result = trainer.fit_stream(estimator, sampler, test_rows=1500)
    assert drawn == [4096 + 1024 + 1500] + [64] * 200
    assert result.rows == 1500
    assert result.reading == "InfoNCE"
    assert result.value == pytest.approx(1.02, abs=0.2)
    assert result.value == trainer.fit_stream(estimator, task.sample, test_rows=1500).value
    untrained = estimator.value(*task.sample(50, torch.Generator().manual_seed(0)))
    assert untrained.item() == pytest.approx(0, abs=1e-5)


def test_a_stream_checks_its_estimator_as_folds_do():
    few = MIEstimator(JointCritic(2, 2, hidden=(8,)), InfoNCE(), negatives=16)
    with pytest.raises(ValueError, match="ask for fewer negatives"):
        Trainer(steps=2, batch_size=16).fit_stream(few, CorrelatedGaussian(2, 0.8).sample)


def test_a_stream_that_does_not_pair_is_refused():
    estimator = MIEstimator(SeparableCritic(1, 1, hidden=(8,)), InfoNCE())
    with pytest.raises(ValueError, match="rows are paired samples"):
        Trainer(steps=2).fit_stream(estimator, lambda n, g: (torch.zeros(n, 1), torch.zeros(n - 1, 1)))
    with pytest.raises(ValueError, match="x has"):
        Trainer(steps=2).fit_stream(estimator, lambda n, g: (torch.full((n, 1), float("nan")), torch.zeros(n, 1)))
