import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mibounds import MIEstimator, Trainer
from mibounds.bounds import CLUB, MINE, NWJ, BarberAgakov, InfoNCE, JensenShannon, LeaveOneOut
from mibounds.critics import (
    CategoricalCritic,
    DiagonalGaussianCritic,
    Encoded,
    FlowCritic,
    JointCritic,
    SeparableCritic,
)
from mibounds.data import Standardize
from mibounds.tasks import CorrelatedGaussian, Student
from mibounds.training.candidates import Candidate
from mibounds.training.cross_fitting import cross_fit
from mibounds.training.recipe import Recipe
from mibounds.warnings import MIWarning, NonFiniteStepWarning, NotConvergedWarning, SmallSampleWarning, TiesWarning

TASK = CorrelatedGaussian(2, 0.8)  # 1.02 nats
QUICK = {"steps": 100, "folds": 2, "lr": 6e-3}


def data(n=800):
    return TASK.sample(n, torch.Generator().manual_seed(0))


def estimator(bound=None, **options):
    torch.manual_seed(0)
    return MIEstimator(SeparableCritic(2, 2, hidden=(32, 32)), bound or InfoNCE(), **options)


@pytest.mark.parametrize("bound", [InfoNCE(), MINE(), NWJ(), JensenShannon()], ids=repr)
def test_it_reports_the_estimators_own_bound(bound):
    result = Trainer(**QUICK).fit(estimator(bound), *data())
    assert result.method == type(bound).__name__
    assert result.value == result.estimates[result.method]
    assert result.value == pytest.approx(TASK.mutual_information, abs=0.25)
    assert set(result.estimates) >= {"InfoNCE", "DonskerVaradhan", "NWJ", "SMILE", "PlugIn"}
    assert len(result.curves) == len(result.fitted) == len(result.fold_values) == 2
    assert result.n == 800


def test_an_alternative_takes_the_place_of_a_candidate_and_is_not_trained_beside_it():
    candidates = [Candidate("first", estimator(), Standardize())]
    candidates.append(Candidate("other", estimator(), Standardize(), instead_of="first"))
    evaluation = cross_fit(candidates, *data(), Recipe(steps=20, folds=2))
    assert [fitted.steps for fitted in evaluation.fitted] == [20, 20]


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_densities_are_evaluated_in_the_direction_in_which_they_bound():
    x, y = data()
    density = DiagonalGaussianCritic(2, 2, hidden=(32,))
    result = Trainer(**QUICK).fit(MIEstimator(density, LeaveOneOut()), x, y)
    assert result.value == pytest.approx(TASK.mutual_information, abs=0.2)
    assert Trainer(**QUICK).fit(MIEstimator(density, CLUB()), x, y).value > 2.5  # 3.56 of the exact one
    losses = result.curves[0].validation_loss  # likelihood
    assert losses[-1] < losses[0]


def test_barber_agakov_takes_the_density_as_it_is():
    x, y = data(300)
    torch.manual_seed(0)
    known = MIEstimator(FlowCritic(2, 2, hidden=(16,)), BarberAgakov(entropy=2 * 1.4189385))  # standard normal
    result = Trainer(steps=20, folds=2, test_negatives=16, preprocessing=None).fit(known, x, y)
    assert result.value == pytest.approx(TASK.mutual_information, abs=0.15)
    assert set(result.estimates) == {"InfoNCE", "DonskerVaradhan", "BarberAgakov"}
    with pytest.raises(ValueError, match="counts in the units of y, which preprocessing changes"):
        Trainer(steps=20).fit(known, x, y)


def test_the_seed_decides_and_the_workers_do_not():
    options = {"steps": 40, "folds": 2, "lr": 1e-2}
    runs = [Trainer(**options, seed=s, workers=w).fit(estimator(), *data()) for s, w in ((1, 1), (1, 2), (2, 2))]
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


# Settings


def test_a_trainer_takes_a_recipe_and_single_settings():
    assert Trainer().recipe == Recipe()
    assert Trainer("quick", steps=5, seed=3).recipe == Recipe.preset("quick").replace(steps=5, seed=3)
    assert Trainer(Recipe(lr=0.1), folds=2).recipe == Recipe(lr=0.1, folds=2)


@pytest.mark.parametrize(
    "options, error, sentence",
    [
        ({"steps": 0}, ValueError, "steps is 0: expected a whole number of at least 1"),
        ({"gap": 5}, ValueError, "gap is 5, and a random split has none"),
        ({"resume": True}, ValueError, "resume continues a checkpoint, and there is none"),
        ({"test_negatives": "some"}, ValueError, "test_negatives is 'some': expected 'all' or a whole number"),
        ({"device": "cuda:99"}, ValueError, "which this machine does not have"),
        ({"nan": "keep"}, ValueError, "nan is 'keep': expected 'raise' or 'drop'"),
        ({"nan": "indicator"}, ValueError, "nan is 'indicator': expected 'raise' or 'drop'"),
        (
            {"preprocessing": "ranks"},
            TypeError,
            "preprocessing is a str: expected a Preprocessing, for example mi.Rank",
        ),
        ({"recipe": 3}, TypeError, r"recipe is 3 \(an int\): expected 'quick', 'default', 'thorough' or a mi.Recipe"),
        ({"epochs": 3}, TypeError, "Trainer has no argument 'epochs'. Did you mean 'steps'?"),
        ({"critic": "joint"}, TypeError, "Trainer has no argument 'critic'"),
    ],
)
def test_bad_settings(options, error, sentence):
    with pytest.raises(error, match=sentence):
        Trainer(**options)


@pytest.mark.parametrize("given", [SeparableCritic(2, 2, hidden=(8,)), InfoNCE(), "infonce", MIEstimator, None])
def test_something_that_is_no_estimator_is_refused_with_one_sentence(given):
    trainer = Trainer(steps=2, folds=2)
    sentence = f"estimator is a {type(given).__name__}: expected a mi.MIEstimator"
    for fit in (lambda: trainer.fit(given, *data(100)), lambda: trainer.fit_stream(given, TASK.sample)):
        with pytest.raises(TypeError, match=sentence) as caught:
            fit()
        assert "\n" not in str(caught.value)


def test_a_critic_of_other_widths_is_refused_with_one_sentence():
    x, y = TASK.sample(100, torch.Generator().manual_seed(0))
    estimator = MIEstimator(JointCritic(3, 2), InfoNCE())
    sentence = "^x has 2 columns and y has 2 columns, which JointCritic cannot score: a layer of 3 inputs gets 2[.] Bu"
    with pytest.raises(ValueError, match=sentence):
        Trainer(folds=2, steps=1).fit(estimator, x, y)


@pytest.mark.parametrize(
    ("x", "error", "sentence"),
    [
        (
            ("x", "x"),
            ValueError,
            "x is a tuple of tensors and y has 2 columns, which SeparableCritic cannot score: lin",
        ),
        (("x",), ValueError, "x is a tuple of tensors and y has 2 columns"),
        (
            torch.zeros(100, 4, 3),
            ValueError,
            r"x has shape \(100, 4, 3\) \(torch.float32\) and y .*: a layer of 2 inpu",
        ),
        (
            torch.zeros(100, 4, 2).double(),
            ValueError,
            r"x has shape .*float64.* the same dtype, but got Double and Flo",
        ),
        (np.zeros((100, 2, 2)), ValueError, "x has shape .100, 2, 2., and continuous columns are expected: flatten it"),
        (np.zeros((100, 9, 9)), ValueError, "x has shape .100, 9, 9., and continuous columns are expected"),
    ],
)
def test_samples_of_other_axes_than_the_critic_takes_are_refused_with_one_sentence(x, error, sentence):
    table, y = data(100)
    x = tuple(table for _ in x) if isinstance(x, tuple) else x
    with pytest.raises(error, match=sentence) as caught:
        Trainer(folds=2, steps=1).fit(estimator(), x, y.numpy())
    assert "\n" not in str(caught.value)


def test_missing_values_are_left_out_by_the_trainer():
    x, y = data(100)
    broken = x.clone()
    broken[:7, 0] = torch.nan
    for pair in ((broken, y), (x, torch.where(broken.isnan(), broken, y))):
        with pytest.raises(
            ValueError, match=r'in 7 of 100 rows: .* leave out these rows by mi.Trainer\(nan="drop"\)\.$'
        ):
            Trainer(folds=2, steps=1).fit(estimator(), *pair)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MIWarning)
        assert Trainer(folds=2, steps=1, nan="drop").fit(estimator(), broken, y).n == 93


class _Partly(SeparableCritic):
    """NaN for samples above a limit."""

    limit = 0.0

    def encode_x(self, x):
        code = super().encode_x(x)
        return torch.where(x[:, :1] > self.limit, torch.nan, code)


@pytest.mark.parametrize(("limit", "what"), [(0.0, "the validation samples"), (-99.0, "the validation samples")])
def test_critics_without_a_number_are_refused_with_one_sentence(limit, what):
    critic = _Partly(2, 2, hidden=(8,))
    critic.limit = limit
    with pytest.raises(ValueError, match=f"^The critics score {what} as NaN: an encoder or a critic returns NaN"):
        Trainer(folds=2, steps=3).fit(MIEstimator(critic, InfoNCE()), *data(100))


def test_a_critic_without_a_number_for_a_test_sample_is_refused_with_one_sentence():
    x, y = data(100)
    x[0] = 100.0
    critic = _Partly(2, 2, hidden=(8,))
    critic.limit = 50.0
    pairs = [(range(40, 100), range(40)), (range(1, 40), range(40, 100))]
    with pytest.raises(ValueError, match="^The critics score 1 of 40 test samples as NaN"):
        Trainer(cv=pairs, steps=3, preprocessing=None).fit(MIEstimator(critic, InfoNCE()), x, y)


def test_batches_that_do_not_fit():
    with pytest.raises(
        ValueError, match="batch_size is 500, and a fold trains on 340 samples: give a smaller batch_size"
    ):
        Trainer(folds=2, batch_size=500).fit(estimator(), *data())
    with pytest.raises(ValueError, match="negatives is 64, and a batch of 64 samples has 63 others"):
        Trainer(folds=2, batch_size=64).fit(estimator(negatives=64), *data())
    with pytest.raises(ValueError, match="folds is 60, and 100 samples give at most 50"):
        Trainer(folds=60).fit(estimator(), *data(100))
    with pytest.warns(SmallSampleWarning), pytest.warns(NotConvergedWarning):
        assert Trainer(**{**QUICK, "steps": 20}).fit(estimator(), *data(60)).n == 60  # an automatic batch shrinks


def test_blocked_folds_test_the_samples_in_their_order():
    result = Trainer(**QUICK, split="blocked").fit(estimator(), *data())
    assert result.value == pytest.approx(TASK.mutual_information, abs=0.25)
    wide = Trainer(**QUICK, split="blocked", gap=60).fit(estimator(), *data())
    assert wide.value != result.value  # 8 samples by default
    assert result.fitted[0].fold.test.tolist() == list(range(400))
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


def test_a_stream_is_trained_and_evaluated_on_fresh_samples():
    task, drawn = CorrelatedGaussian(2, 0.8), []

    def sampler(n, generator):
        drawn.append(n)
        return task.sample(n, generator)

    estimator = MIEstimator(SeparableCritic(2, 2, hidden=(32,)), InfoNCE())
    trainer = Trainer(steps=200, batch_size=64, lr=5e-3, seed=3)
    result = trainer.fit_stream(estimator, sampler, test_rows=1500)
    assert drawn == [4096 + 1024 + 1500] + [64] * 200
    assert result.n == len(result.pointwise) == 1500
    assert result.method == result.curves[0].candidate == "InfoNCE"
    assert result.seed == 3
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
    with pytest.raises(ValueError, match=r"returned y of shape \(15119, 1\): expected 15120 paired rows"):
        Trainer(steps=2).fit_stream(estimator, lambda n, g: (torch.zeros(n, 1), torch.zeros(n - 1, 1)))
    with pytest.raises(ValueError, match="x has"):
        Trainer(steps=2).fit_stream(estimator, lambda n, g: (torch.full((n, 1), float("nan")), torch.zeros(n, 1)))


# Bounds of a user's own, standard errors, and warnings


@pytest.mark.filterwarnings("ignore::mibounds.warnings.NotConvergedWarning")
def test_a_bound_of_a_users_own_that_is_called_nwj_does_not_replace_the_librarys():
    class Half(NWJ):
        def value(self, joint, partition):
            return super().value(joint, partition) / 2

    Half.__name__ = Half.__qualname__ = "NWJ"
    own, library = (Trainer(steps=30, folds=2).fit(estimator(bound), *data(300)) for bound in (Half(), NWJ()))
    name = f"{__name__}.NWJ"
    assert own.method == name
    assert list(own.estimates) == ["InfoNCE", "DonskerVaradhan", "NWJ", "SMILE", "PlugIn", name]
    assert own.value == own.estimates[name] == pytest.approx(own.estimates["NWJ"] / 2)
    assert own.lower_bound_estimate[0] == own.estimates["NWJ"]
    assert library.method == "NWJ"
    assert len(library.estimates) == 5


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_the_standard_error_is_that_of_groups_and_of_runs():
    x, y = data(200)
    groups = torch.arange(200).repeat(4)
    copies = x.repeat(4, 1), y.repeat(4, 1)
    options = {"steps": 30, "folds": 2, "lr": 1e-2}
    plain = Trainer(**options).fit(estimator(), *copies)
    grouped = Trainer(**options).fit(estimator(), *copies, groups=groups)
    assert plain.lower_bound_estimate[1] < 0.6 * grouped.lower_bound_estimate[1]
    for fitted in grouped.fitted:
        assert not set(groups[fitted.fold.test].tolist()) & set(groups[fitted.fold.train].tolist())
    drawn = Trainer(**options, bootstrap=30).fit(estimator(), *copies, groups=groups)
    assert drawn.value == grouped.value
    assert drawn.stderr != grouped.stderr


def test_warnings_are_issued_at_the_users_line():
    x, y = Student.identity(1, 1).sample(150, torch.Generator().manual_seed(0))
    narrow = MIEstimator(SeparableCritic(1, 1, hidden=(8,)), InfoNCE())
    with pytest.warns(MIWarning) as caught:
        line = sys._getframe().f_lineno + 1
        result = Trainer(steps=20, folds=2).fit(narrow, x, y)
    assert [warning.code for warning in result.warnings] == [one.message.code for one in caught]
    assert {"small-sample", "heavy-tails"} <= {warning.code for warning in result.warnings}
    assert {(one.filename, one.lineno) for one in caught} == {(__file__, line)}


class Exploding(SeparableCritic):
    """Its third batch has no finite score."""

    def pairwise(self, x, y):
        self.calls = getattr(self, "calls", 0) + self.training
        return super().pairwise(x, y) * (float("nan") if self.calls == 3 else 1)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_skipped_steps_are_counted_in_a_warning():
    options = {"steps": 20, "folds": 2, "check_every": 10}
    exploding = MIEstimator(Exploding(2, 2, hidden=(8,)), InfoNCE(), symmetric=True)
    with pytest.warns(NonFiniteStepWarning, match="^2 training steps had an infinite or undefined gradient"):
        result = Trainer(**options).fit(exploding, *data(300))
    assert [warning.code for warning in result.warnings].count("non-finite-step") == 1
    with pytest.warns(NonFiniteStepWarning, match="^1 training steps") as caught:
        line = sys._getframe().f_lineno + 1
        result = Trainer(**options).fit_stream(exploding, TASK.sample, test_rows=300)
    assert [warning.code for warning in result.warnings] == ["non-finite-step"]
    assert [(one.filename, one.lineno) for one in caught] == [(__file__, line)]


def test_an_evaluation_without_warnings_issues_none():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Trainer(steps=150, folds=2, lr=5e-3).fit(estimator(symmetric=True), *data()).warnings == ()


def test_the_samples_of_a_stream_that_test_are_not_those_that_train():
    drawn = []

    def draw(n, generator):
        rows = torch.randn(n, 2, generator=generator)
        drawn.append({tuple(row) for row in rows.tolist()})
        return rows[:, :1], rows[:, 1:]

    estimator = MIEstimator(SeparableCritic(1, 1, hidden=(4,)), InfoNCE())
    Trainer(steps=30).fit_stream(estimator, draw, test_rows=300)
    first, *batches = drawn
    assert len(batches) == 30 and not first & set().union(*batches)


# What a sampler may be and may return


def columns(n, generator):
    x = torch.randn(n, 1, generator=generator)
    return x, x + torch.randn(n, 1, generator=generator)


def returning(function):
    """A sampler that returns the rows of `columns` as something else."""
    return lambda n, generator: function(*columns(n, generator))


def quick_stream(sampler, critic=None, **options):
    critic = SeparableCritic(1, 1, hidden=(4,)) if critic is None else critic
    trainer = Trainer(steps=3, batch_size=16, **options)
    return trainer.fit_stream(MIEstimator(critic, InfoNCE()), sampler, test_rows=100).value


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: [x, y],
        lambda x, y: (x.numpy(), y.numpy()),
        lambda x, y: (x[:, 0], y[:, 0]),
        lambda x, y: (x.double(), y.numpy().astype(float)),
        lambda x, y: (pd.DataFrame(x.numpy()), pd.Series(y[:, 0].numpy())),
        lambda x, y: (x * torch.ones(1, requires_grad=True), y),
        lambda x, y: (x.tolist(), y[:, 0].tolist()),
    ],
    ids=["list", "arrays", "one axis", "double", "pandas", "graph", "lists"],
)
def test_samplers_may_return_rows_in_any_container(function):
    torch.manual_seed(0)
    critic = SeparableCritic(1, 1, hidden=(4,))
    assert quick_stream(returning(function), critic) == quick_stream(columns, critic)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int16, torch.bool, torch.uint8])
def test_integers_are_numbers_for_a_critic_of_columns(dtype):
    quick_stream(returning(lambda x, y: ((3 * x).abs().to(dtype)[:, 0], y)))


def test_integers_are_labels_and_tokens_for_critics_that_take_these():
    embedded = Encoded(SeparableCritic(2, 1, hidden=(4,)), nn.Embedding(2, 2))
    quick_stream(returning(lambda x, y: ((x > 0).long().flatten(), y)), embedded)
    tokens = Encoded(SeparableCritic(4, 1, hidden=(4,)), nn.Sequential(nn.Embedding(2, 2), nn.Flatten()))
    quick_stream(returning(lambda x, y: ((x > 0).long().expand(-1, 2), y)), tokens)
    quick_stream(returning(lambda x, y: (x, (y > 0).long().flatten())), CategoricalCritic(1, 2, hidden=(4,)))


@pytest.mark.parametrize(
    "sampler, error, sentence",
    [
        (returning(lambda x, y: {"x": x, "y": y}), TypeError, r"sampler\(5220, generator\) returned a dict"),
        (returning(lambda x, y: x), TypeError, "returned a Tensor: expected a pair"),
        (returning(lambda x, y: (x, y, x)), TypeError, "returned a tuple of 3: expected a pair"),
        (returning(lambda x, y: None), TypeError, "returned a NoneType: expected a pair"),
        (returning(lambda x, y: (x, None)), TypeError, "y is None"),
        (returning(lambda x, y: (x, ["a"] * len(y))), TypeError, "y holds no numbers"),
        (returning(lambda x, y: (x[:1], y[:1])), ValueError, r"x of shape \(1, 1\): expected 5220 paired rows"),
        (returning(lambda x, y: (x, y.sum())), ValueError, r"returned y of shape \(\): expected 5220 paired rows"),
        (returning(lambda x, y: ((x, x[1:]), y)), ValueError, r"returned x of shape \(5219, 1\)"),
        (returning(lambda x, y: (x.expand(-1, 2), y)), ValueError, "a layer of 1 inputs gets 2. Build it for these"),
        (lambda n: columns(n, None), TypeError, r"sampler has the arguments \(n\): expected a function"),
        (lambda: None, TypeError, r"sampler has the arguments \(\): expected a function"),
        (CorrelatedGaussian(1, 0.5), TypeError, "is a CorrelatedGaussian: .*; pass its method, task.sample"),
        (TensorDataset(torch.zeros(9)), TypeError, r"is a TensorDataset: .*; mi.sampler\(...\) makes one of"),
        (DataLoader(TensorDataset(torch.zeros(9))), TypeError, "sampler is a DataLoader: "),
        ((torch.zeros(9), torch.zeros(9)), TypeError, "sampler is a tuple: "),
        ((columns(9, None) for _ in range(3)), TypeError, "sampler is a generator: "),
        (None, TypeError, "sampler is a NoneType: "),
    ],
)
def test_other_samplers_are_refused_with_one_sentence(sampler, error, sentence):
    with pytest.raises(error, match=sentence):
        quick_stream(sampler)


def test_integers_that_a_critic_cannot_take_are_named():
    layers = Encoded(SeparableCritic(2, 1, hidden=(4,)), nn.Linear(1, 2))
    with pytest.raises(ValueError, match=r"x has shape \(5220, 1\) \(torch.int64\) .* Encoded cannot score: .* dtype"):
        quick_stream(returning(lambda x, y: (x.long(), y)), layers)


def test_missing_values_in_any_draw_are_refused():
    with pytest.raises(ValueError, match="^x has 1 missing or infinite values"):
        quick_stream(returning(lambda x, y: (x.index_fill(0, torch.tensor(3), np.nan) if len(x) < 99 else x, y)))


def test_a_sampler_that_repeats_the_rows_of_a_table_is_warned_of():
    x, y = torch.randn(2, 200, 1, generator=torch.Generator().manual_seed(0))

    def bootstrap(n, generator):
        rows = torch.randint(200, (n,), generator=generator)
        return x[rows], y[rows]

    estimator = MIEstimator(SeparableCritic(1, 1, hidden=(4,)), InfoNCE())
    with pytest.warns(TiesWarning, match=r"test samples were drawn again for training, .* mi.sampler\(x, y\)"):
        result = Trainer(steps=20, batch_size=32).fit_stream(estimator, bootstrap, test_rows=100)
    assert "ties" in [one.code for one in result.warnings]
