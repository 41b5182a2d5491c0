"""Fitted folds score new pairs, are written and come back to the bit; a file that cannot be read is one sentence."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import mibounds as mi
from mibounds import critics
from mibounds._version import __version__
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
)
from mibounds.data import Schema
from mibounds.learners import SupervisedFeatures
from mibounds.networks import ConvEncoder
from mibounds.training.fitted_folds import FittedFolds
from mibounds.training.modules import describe

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # trainings are short here

TASK = mi.tasks.CorrelatedGaussian(2, 0.8)  # 1.02 nats
X, Y = TASK.sample(200, torch.Generator().manual_seed(0))
NEW = TASK.sample(40, torch.Generator().manual_seed(1))
QUICK = {"steps": 30, "folds": 2, "lr": 1e-2}


class Product(nn.Module):
    """A critic's function of a user's own."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.1))

    def forward(self, x, y):
        return self.gain * (x * y).sum(-1)


class Wide(nn.Module):
    """An encoder of a user's own, with the width as an attribute, and dropout while it trains."""

    def __init__(self, width=4):
        super().__init__()
        self.width, self.layer, self.dropout = width, nn.Linear(2, width), nn.Dropout(0.2)

    def forward(self, x):
        return self.dropout(self.layer(x))[..., : self.width]


class Sign(nn.Module):
    """The label of a side of zero in each column."""

    def forward(self, x):
        return x.sign()


def networks(**options):
    return SeparableCritic(2, 2, hidden=(8,), **options)


CRITICS = {
    "FunctionCritic": lambda: FunctionCritic(Product()),
    "JointCritic": lambda: JointCritic(2, 2, hidden=(8, 8), layer_norm=True, residual=True),
    "SeparableCritic": lambda: networks(activation="tanh"),
    "BridgedCritic": lambda: BridgedCritic(2, 2, bridges=3, hidden=(8,), features=5),
    "BilinearCritic": lambda: BilinearCritic(2, 2),
    "GaussianCritic": lambda: WithOffset(networks(), GaussianCritic(radial=True), gain=False),
    "DiagonalGaussianCritic": lambda: DiagonalGaussianCritic(2, 2, hidden=(8,)),
    "FullGaussianCritic": lambda: FullGaussianCritic(2, 2, hidden=(8,)),
    "FlowCritic": lambda: FlowCritic(2, 2, hidden=(8,), bins=4),
    "ResidualCritic": lambda: ResidualCritic(0, ranked=True),
    "CopulaDensityCritic": lambda: CopulaDensityCritic(0, 1),
    "LocalLinearCritic": lambda: LocalLinearCritic(1, target=0),
    "StudentCopulaCritic": StudentCopulaCritic,
    "ForestCritic": lambda: ForestCritic(seed=1),
    "ClassCritic": lambda: Encoded(ClassCritic(), None, Sign()),
    "CountsCritic": lambda: Encoded(CountsCritic(), Sign(), Sign()),
    "NormalClassesCritic": lambda: Encoded(NormalClassesCritic(), None, Sign()),
    "Transposed": lambda: Transposed(ResidualCritic(1, 0, target=1)),
    "CosineCritic": lambda: Encoded(CosineCritic(), nn.Linear(2, 4), nn.Linear(2, 4)),
    "CategoricalCritic": lambda: Encoded(CategoricalCritic(2, 2, hidden=(8,)), None, nn.Softmax(-1)),
    "DensityCritic": lambda: WithOffset(networks(), DensityCritic(Product()), gain=False),
    "Standardized": lambda: Standardized(networks(), 2, 2),
    "Encoded": lambda: Encoded(SeparableCritic(4, 2, hidden=(8,)), Wide()),
    "WithOffset": lambda: WithOffset(networks(), GaussianCritic()),
    "WeightedSum": lambda: WeightedSum([networks(), BilinearCritic(2, 2)], torch.tensor([0.3, 0.6])),
    "Calibrated": lambda: Calibrated(networks(), torch.tensor([-1.0, 0.5]), torch.tensor([0.5, 1.0, -0.3])),
    "MixedWithIndependence": lambda: MixedWithIndependence(networks(), 0.1),
    "Normalized": lambda: Normalized(networks(), (X[:30], Y[:30])),
}


def fit(critic, x=X, y=Y, **options):
    return mi.Trainer(**QUICK, **options).fit(mi.MIEstimator(critic, InfoNCE()), x, y)


@pytest.fixture(scope="module")
def result():
    return mi.estimate(X, Y, steps=30, folds=2, hidden=(16,))


@pytest.fixture
def file(result, tmp_path):
    result.fitted.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def with_critic(folds, critic):
    return FittedFolds([replace(folds[0], critic=critic)], folds.schemas)


def there_and_back(fitted, folder, **options):
    fitted.save(folder / "model.safetensors")
    return mi.load(folder / "model.safetensors", **options)


def check_same(fitted, folder, new=NEW, **options):
    back, scores = there_and_back(fitted, folder, **options), fitted.score_pairs(*new)
    assert isinstance(back, FittedFolds)
    assert scores.shape == (len(new[0]),)
    assert scores.std() > 0
    assert torch.equal(back.score_pairs(*new), scores)
    return back


def test_the_default_estimate_comes_back_to_the_bit(result, tmp_path):
    back = check_same(result.fitted, tmp_path)
    assert repr(back) == repr(result.fitted) == "FittedFolds(2 folds, x: x[0], x[1], y: y[0], y[1])"
    for ours, theirs in zip(back, result.fitted, strict=True):
        assert torch.equal(ours.fold.test, theirs.fold.test)
        assert torch.equal(ours.fold.train, theirs.fold.train)
        assert (ours.curve, ours.skipped, ours.gain) == (theirs.curve, theirs.skipped, theirs.gain)
    assert torch.equal(back[1].critic.pairwise(X, Y), result.fitted[1].critic.pairwise(X, Y))


@pytest.mark.supervised
@pytest.mark.parametrize("of", ["column", "label"])
def test_supervised_features_come_back_to_the_bit(of, tmp_path):
    sides = [y[:, :1] if of == "column" else np.where(y[:, 0] > 0, "high", "low") for y in (Y, NEW[1])]
    fitted = mi.estimate(X, sides[0], steps=5, folds=2, hidden=(4,)).fitted
    features = [part for one in fitted for part in one.critic.modules() if isinstance(part, SupervisedFeatures)]
    assert len(features) == 2
    check_same(fitted, tmp_path, (NEW[0], sides[1]))


def test_all_critics_are_here():
    kinds = {name for name in critics.__all__ if isinstance(getattr(critics, name), type)}
    assert set(CRITICS) == {name for name in kinds if issubclass(getattr(critics, name), Critic)} - {"Critic"}


@pytest.mark.parametrize("name", CRITICS)
def test_every_critic_comes_back_to_the_bit(name, tmp_path):
    torch.manual_seed(0)
    fitted = fit(CRITICS[name](), preprocessing=mi.RankGaussianize(), test_negatives=64).fitted
    check_same(fitted, tmp_path, modules=[Product, Sign, Wide])


def test_telescopes_come_back(tmp_path):
    trainer = mi.Trainer(**QUICK, preprocessing=mi.Gaussianize(rounds=3))
    check_same(trainer.fit(mi.Telescope(2, 2, bridges=3, hidden=(8,)), X, Y).fitted, tmp_path)


def test_images_and_tuples_come_back(tmp_path):
    images, more = torch.randn(2, 60, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    critic = Encoded(SeparableCritic(4, 4, hidden=(8,)), ConvEncoder((1, 8, 8), 4), ConvEncoder((1, 8, 8), 4))
    fitted = fit(critic, x=images, y=images + more).fitted
    back = check_same(fitted, tmp_path, new=(images[:9], more[:9]))
    assert back.columns == ((), ())
    with pytest.raises(TypeError, match="x is a ndarray, and the critics encode tensors: give one, or a tuple"):
        back.score_pairs(images.numpy(), more)
    with pytest.raises(ValueError, match="y has 64 missing or infinite values"):
        back.score_pairs(images[:1], more[:1] * torch.nan)


def test_streams_come_back(tmp_path):
    trainer = mi.Trainer(steps=20)
    result = trainer.fit_stream(mi.MIEstimator(networks(), InfoNCE()), TASK.sample, test_rows=300)
    check_same(result.fitted, tmp_path)
    assert result.pointwise.shape == (300,)


def test_no_pickle_is_read(file, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a pickle")

    for owner, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(owner, name, refuse)
    mi.load(file)


# Scores


def test_a_score_is_the_mean_of_the_folds_log_ratios(result):
    by_fold = torch.stack([fold.score_pairs(*NEW) for fold in result.fitted])
    assert torch.equal(result.fitted.score_pairs(*NEW), by_fold.mean(0))
    exact = TASK.log_ratio(*NEW)
    assert torch.corrcoef(torch.stack([by_fold.mean(0), exact]))[0, 1] > 0.85


def test_pointwise_is_each_sample_by_the_fold_that_tested_it(result):
    assert result.pointwise.shape == (200,)
    for fold in result.fitted:
        rows = fold.fold.test
        assert torch.allclose(result.pointwise[rows], fold.score_pairs(X[rows], Y[rows]), atol=1e-4)
    assert float(result.pointwise.mean()) == pytest.approx(result.estimates["PlugIn"], abs=1e-5)
    assert torch.equal(result.to("bits").pointwise, result.pointwise)


def test_pointwise_is_in_the_order_of_the_rows_and_nan_where_they_were_dropped():
    x, y = X.clone(), Y.clone()
    x[3, 0], y[7, 1], y[199, 0] = torch.nan, torch.inf, torch.nan
    result = fit(networks(), x, y, nan="drop", split="blocked", gap=0)
    kept = torch.ones(200, dtype=torch.bool)
    kept[[3, 7, 199]] = False
    assert torch.equal(result.pointwise.isfinite(), kept)
    first = result.fitted[0]
    assert first.fold.test[0] == 0
    assert torch.allclose(result.pointwise[:3], first.score_pairs(X[:3], Y[:3]), atol=1e-4)
    assert float(result.pointwise.nanmean()) == pytest.approx(result.estimates["PlugIn"], abs=1e-5)
    assert torch.equal(result.fitted.score_pairs(x, y, nan="drop").isfinite(), kept)
    with pytest.raises(ValueError, match=r"x has 1 missing or infinite values, in column 'x\[0\]' \(1\)"):
        result.fitted.score_pairs(x, y)


def test_one_row_and_no_complete_row(result):
    x, y = NEW
    one, all_of_them = result.fitted.score_pairs(x[:1], y[:1]), result.fitted.score_pairs(x, y)
    assert torch.allclose(one, all_of_them[:1], atol=1e-4)
    assert result.fitted.score_pairs(x[:1] * torch.nan, y[:1], nan="drop").isnan().tolist() == [True]


def test_tables_are_matched_by_the_names_of_their_columns(tmp_path):
    table = pl.DataFrame({"a": X[:, 0].numpy(), "one": 1.0, "b": X[:, 1].numpy()})
    target = pl.DataFrame({"c": Y[:, 0].numpy()})
    fitted = mi.estimate(table, target, steps=10, folds=2, hidden=(8,)).fitted
    assert fitted.columns == (("a", "b"), ("c",))
    back = there_and_back(fitted, tmp_path)
    expected = fitted.score_pairs(table, target)
    mixed = table.select("b", "a").with_columns(city=pl.lit("Ulm"))
    assert torch.equal(back.score_pairs(mixed, target), expected)
    assert torch.equal(back.score_pairs(table.to_numpy(), target.to_numpy()), expected)
    with pytest.raises(ValueError, match=r"x has no column 'b', which the critics were trained on. Known: 'a'\."):
        back.score_pairs(table.select("a"), target)
    with pytest.raises(ValueError, match="x has 2 columns, and the critics were trained on 3 columns: give"):
        back.score_pairs(table.to_numpy()[:, :2], target)
    with pytest.raises(ValueError, match="y has 2 columns, and the critics were trained on 1 column"):
        back.score_pairs(table, Y)
    with pytest.raises(ValueError, match="x has 5 rows and y has 200"):
        back.score_pairs(table[:5], target)
    with pytest.raises(ValueError, match="nan is 'keep': expected 'raise' or 'drop'"):
        back.score_pairs(table, target, nan="keep")


def test_columns_of_large_offset_are_shifted_as_in_the_fit(tmp_path):
    x, y = X[:, 0].double().numpy() * 1e-3 + 1e9, Y.numpy()
    fitted = mi.estimate(x, y, steps=10, folds=2, hidden=(8,)).fitted
    whole = fitted.score_pairs(x, y)
    assert torch.allclose(there_and_back(fitted, tmp_path).score_pairs(x[:5], y[:5]), whole[:5], atol=1e-4)
    assert len(np.unique(whole.numpy())) > 190


# Files


def rewritten(path, **changes):
    """The same file with other metadata."""
    with safe_open(path, "pt") as found:
        metadata = found.metadata()
        tensors = {name: found.get_tensor(name).clone() for name in found.keys()}  # noqa: SIM118
    save_file(tensors, path, {**metadata, **changes})


def test_what_a_file_holds(file):
    with safe_open(file, "pt") as found:
        metadata = found.metadata()
    assert (metadata["mibounds"], metadata["format"]) == (__version__, "2")
    record = json.loads(metadata["description"])
    assert record["schemas"][0]["names"] == ["x[0]", "x[1]"]
    assert {entry.name for entry in file.parent.iterdir()} == {file.name}


@pytest.mark.parametrize("damage", ["half", "tail", "text", "empty"])
def test_a_damaged_file(file, damage):
    whole = file.read_bytes()
    parts = {"half": whole[: len(whole) // 2], "tail": whole[:-1], "text": b"value: 1, " * 9, "empty": b""}
    file.write_bytes(parts[damage])
    with pytest.raises(ValueError, match="model.safetensors is damaged or no safetensors file .*Copy or save it again"):
        mi.load(file)


def test_no_byte_can_change_unnoticed(file):
    whole = bytearray(file.read_bytes())
    for place in range(0, len(whole), len(whole) // 40):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        file.write_bytes(changed)
        with pytest.raises(ValueError, match="model.safetensors"):
            mi.load(file)


@pytest.mark.parametrize("number, advice", [("3", "update mibounds"), ("1", "fit and save it again")])
def test_a_file_of_another_format_is_refused(file, number, advice):
    rewritten(file, format=number, mibounds="9.1")
    sentence = rf"was written by mibounds 9.1 in format {number}, and this version, .*, reads format 2: {advice}\.$"
    with pytest.raises(ValueError, match=sentence):
        mi.load(file)


def test_a_foreign_file(tmp_path):
    save_file({"weight": torch.ones(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"other.safetensors is a safetensors file that something else than mibounds"):
        mi.load(tmp_path / "other.safetensors")


def test_no_file_and_a_folder(file):
    with pytest.raises(FileNotFoundError, match="There is no file '.*modle.safetensors'. Did you mean 'model.safet"):
        mi.load(file.with_name("modle.safetensors"))
    with pytest.raises(ValueError, match="is a folder: expected the one file"):
        mi.load(file.parent)
    with pytest.raises(FileNotFoundError, match="There is no folder '.*nowhere' to write m.safetensors into: make it"):
        mi.load(file).save(file.parent / "nowhere" / "m.safetensors")


def test_classes_of_a_user_are_made_only_when_asked_for(tmp_path):
    fitted = fit(CRITICS["Encoded"]()).fitted
    with pytest.raises(
        ValueError, match=r"model.safetensors uses Wide of .*test_fitted_folds, .*: pass modules=\[Wide\]"
    ):
        there_and_back(fitted, tmp_path)
    with pytest.raises(TypeError, match="modules holds 3, and must hold classes of modules"):
        mi.load(tmp_path / "model.safetensors", modules=[3])
    with pytest.raises(ValueError, match="device is 'cuda:9', which this machine does not have"):
        mi.load(tmp_path / "model.safetensors", modules=[Wide], device="cuda:9")


def test_a_class_that_has_changed(file, monkeypatch):
    with_critic(mi.load(file), FlowCritic(2, 2, hidden=(8,))).save(file)
    monkeypatch.setattr(FlowCritic, "__init__", nn.Module.__init__)
    with pytest.raises(
        ValueError, match=r"is whole, but its critics cannot be made again \(.*unexpected keyword.*\): the"
    ):
        mi.load(file)


def test_what_cannot_be_written_leaves_the_old_file(file):
    whole = file.read_bytes()
    folds = with_critic(mi.load(file), FunctionCritic(lambda x, y: (x * y).sum(-1)))
    with pytest.raises(ValueError, match="FunctionCritic.function is a function, and a file without code"):
        folds.save(file)
    assert file.read_bytes() == whole


def test_tensors_that_share_memory_are_written_apart(tmp_path):
    activation = nn.PReLU()
    fitted = fit(SeparableCritic(2, 2, hidden=(8, 8), activation=activation)).fitted
    _, tensors = describe(fitted[0].critic)
    assert len({tensor.data_ptr() for tensor in tensors.values()}) < len(tensors)
    check_same(fitted, tmp_path)


DAYS, LENGTHS = pd.date_range("2020", periods=200), pd.to_timedelta(np.arange(200.0), unit="h")


@pytest.mark.parametrize(
    ("trained_on", "held", "others"),
    [
        (X[:, 0].numpy(), "numbers", {"dates": DAYS, "durations": LENGTHS}),
        (DAYS + LENGTHS, "dates", {"numbers": X[:, 0].numpy(), "durations": LENGTHS}),
        (LENGTHS, "durations", {"numbers": X[:, 0].numpy(), "dates": DAYS}),
    ],
)
def test_values_of_another_kind_are_refused(trained_on, held, others, tmp_path):
    fitted = mi.estimate(trained_on, Y, learners=False, **QUICK).fitted
    back = there_and_back(fitted, tmp_path)
    assert torch.equal(back.score_pairs(trained_on, Y), fitted.score_pairs(trained_on, Y))
    assert fitted.score_pairs([None] * 5, Y[:5], nan="drop").isnan().all()
    for one in (fitted, back):
        for name, values in others.items():
            expected = f"x: column 'x' holds {name}, and the critics were trained on {held}: give {held}"
            with pytest.raises(TypeError, match=expected):
                one.score_pairs(values, Y)
        for text in (["1.5", "2"], [1.5, "2"], ["a", "b"]):
            with pytest.raises(ValueError, match="x holds text where the critics were trained on numbers"):
                one.score_pairs(text, Y[:2])


def test_the_kinds_of_a_joined_table_and_of_an_older_file(tmp_path):
    z = torch.randn(200, 1, generator=torch.Generator().manual_seed(2))
    x = pd.DataFrame({"day": DAYS + LENGTHS, "a": X[:, 0].numpy()})
    fitted = mi.estimate(x, Y, learners=False, **QUICK).fitted
    with pytest.raises(TypeError, match="x: column 'day' holds numbers, and the critics were trained on dates"):
        fitted.score_pairs(x.assign(day=z.numpy()), Y)
    schemas = tuple(Schema("table", one.names, one.encodings, one.named) for one in fitted.schemas)
    older = there_and_back(FittedFolds(fitted.folds, schemas), tmp_path)
    assert older.score_pairs(x.assign(day=z.numpy()), Y).isfinite().all()


def test_one_row_is_enough_and_none_is_refused():
    fitted = mi.estimate(X, Y, learners=False, **QUICK).fitted
    assert fitted.score_pairs(X[:1], Y[:1]).shape == (1,)
    for empty in ([], X[:0], pd.DataFrame({"a": [], "b": []}), {"a": [], "b": []}):
        with pytest.raises(ValueError, match=r"x is empty: expected at least one row\.$"):
            fitted.score_pairs(empty, Y[:1])
    with pytest.raises(ValueError, match=r"y is a single value: expected at least one row\.$"):
        fitted.score_pairs(X[:1], np.float64(1.0))


def test_new_rows_in_another_order_are_refused_and_other_indexes_warned_of(result):
    x, y = (pd.DataFrame(rows[:9].numpy()) for rows in (X, Y))
    with pytest.raises(ValueError, match="x and y have the same index in another order"):
        result.fitted.score_pairs(x, y[::-1])
    with pytest.warns(mi.warnings.IndexMismatchWarning):
        result.fitted.score_pairs(x, y.set_axis([*"abcdefghi"]))


def test_there_is_no_indicator_for_new_rows():
    fitted = mi.estimate(X[:, 0], Y, learners=False, **QUICK).fitted
    with pytest.raises(ValueError, match="nan is 'indicator': expected 'raise' or 'drop'"):
        fitted.score_pairs([None], Y[:1], nan="indicator")
    with pytest.raises(ValueError, match=r'pass nan="drop" to leave out their rows\.$'):
        fitted.score_pairs([None], Y[:1])


def test_a_folder_is_no_file_to_save_to(tmp_path):
    fitted = mi.estimate(X, Y, learners=False, **QUICK).fitted
    with pytest.raises(IsADirectoryError, match="is a folder: expected the path of a .safetensors file to write"):
        fitted.save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_file_of_a_result_is_told_from_one_of_critics(tmp_path):
    (tmp_path / "r.json").write_text('{"type": "Result", "value": 0.5}' * 10, encoding="utf-8")
    with pytest.raises(ValueError, match=r"r\.json is JSON, as result\.save\(path\) writes it.*mi\.Result\.load"):
        mi.load(tmp_path / "r.json")
