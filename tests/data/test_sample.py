"""What a variable is taken for, and what becomes of it."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import mibounds as mi
from mibounds.data.sample import take_in

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")

RNG = np.random.default_rng(0)
QUICK = {"steps": 40, "folds": 2, "hidden": (32,)}


def words(x, kind=None, encoder=None, nan="raise"):
    (side,) = take_in({"x": x}, nan, {"x": kind}, {"x": encoder}, 0).sides
    return side.what


@pytest.mark.parametrize(
    "x, kind, expected",
    [
        (RNG.normal(size=(60, 3)), None, "3 continuous"),
        (np.arange(80) % 4, None, "1 categorical"),
        (pd.DataFrame({"a": RNG.normal(size=60), "b": ["u", "v"] * 30}), None, "1 continuous, 1 categorical"),
        (RNG.normal(size=(60, 8, 9)), None, "images 1 x 8 x 9"),
        (RNG.normal(size=(60, 3, 8, 9)), None, "images 3 x 8 x 9"),
        (RNG.normal(size=(60, 30, 2)), None, "sequences of 30 steps x 2"),
        (RNG.normal(size=(60, 30, 20)), "sequence", "sequences of 30 steps x 20"),
        (RNG.normal(size=(60, 30)), "sequence", "sequences of 30 steps x 1"),
        ([RNG.normal(size=3 + i % 5) for i in range(60)], None, "sequences of up to 7 steps x 1"),
        (RNG.normal(size=(60, 4, 4)), "image", "images 1 x 4 x 4"),
    ],
)
def test_kinds_are_found_out(x, kind, expected):
    assert words(x, kind) == expected


def test_bad_kinds_and_encoders():
    with pytest.raises(ValueError, match="x_type is 'graph', and must be 'continuous', 'categorical', 'image'"):
        words(np.zeros((60, 2)), "graph")
    with pytest.raises(ValueError, match="x is ragged"):
        words([[1.0, 2.0], [3.0]] * 30, "continuous")
    with pytest.raises(TypeError, match=r"encoder_x is a function, and must be a torch\.nn\.Module"):
        words(np.zeros((60, 2)), encoder=lambda x: x)
    with pytest.raises(ValueError, match=r"encoder_x maps two rows to \(2, 1, 4\): expected a tensor"):
        words(torch.zeros(60, 1, 4), encoder=nn.Identity())
    with pytest.raises(ValueError, match=r"x has shape \(60, 2, 2, 2, 2\).*encoder_x"):
        words(np.zeros((60, 2, 2, 2, 2)))


def test_rows_that_a_table_drops_are_dropped_beside_it():
    images = RNG.normal(size=(60, 8, 8)).astype(np.float32)
    table = np.where(np.arange(60) == 7, np.nan, RNG.normal(size=60))
    taken = take_in({"x": images, "y": table}, "drop", {}, {}, 0, np.arange(60) // 3)
    (x, y), groups = taken.sides, taken.groups
    left = [i // 3 for i in range(60) if i != 7]
    assert len({*zip(groups.tolist(), left, strict=True)}) == len({*groups.tolist()}) == 20
    assert torch.equal(x.rows[:, 0], torch.from_numpy(np.delete(images, 7, 0)))
    assert len(y.rows) == 59
    assert [w.code for w in taken.warnings] == ["rows-dropped"]
    with pytest.raises(ValueError, match="x has 60 rows and y has 59"):
        take_in({"x": images, "y": table[1:]}, "drop", {}, {}, 0)


def saved(result, folder):
    result.fitted.save(folder / "model.safetensors")
    return folder / "model.safetensors"


def test_a_label_is_never_told_more_than_its_entropy(two_folds):
    labels = np.tile([0, 0, 0, 1, 1, 2], 50)
    x = labels + RNG.normal(size=300) * 1e-3
    for nuisance in (x, np.stack([x, x * 7], 1)):
        result = mi.estimate(nuisance, labels, steps=100, hidden=(32,))
        assert result.kinds[1] == "1 categorical"
        assert result.most == pytest.approx(1.011404, abs=1e-6)
        assert 0.85 * result.most < result.value <= result.most
        assert result.reading == "Classifier"
        assert result.to("bits").most == pytest.approx(1.459148, abs=1e-6)
        assert "at most 1.011, the entropy of a label" in repr(result)


def test_an_image_against_a_label_and_the_given_encoder_is_left_alone(tmp_path):
    labels = np.arange(400) % 2
    images = np.zeros((400, 8, 8), np.float32)
    images[np.arange(400), labels * 4 + 1] = 1
    images += RNG.normal(size=images.shape) * 0.3
    result = mi.estimate(images, labels, steps=60, folds=2)
    assert result.kinds == ("images 1 x 8 x 8", "1 categorical")
    again = mi.load(saved(result, tmp_path)).score_pairs(images[:9], labels[:9])
    assert torch.equal(again, result.fitted.score_pairs(images[:9], labels[:9]))
    assert torch.isfinite(result.fitted.score_pairs(images[:2], [0, 7])).all(), "an unseen label is no error"
    assert 0.6 < result.value <= np.log(2)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    before = encoder[1].weight.detach().clone()
    own = mi.estimate(images, labels, encoder_x=encoder, steps=60, folds=2)
    assert own.kinds[0] == "encoded by Sequential"
    assert 0.55 < own.value <= np.log(2)
    assert torch.equal(encoder[1].weight, before)


def test_ragged_sequences_read_as_padded_ones():
    lengths = 4 + np.arange(200) % 9
    means = RNG.normal(size=200)
    ragged = [mean + RNG.normal(size=length) for mean, length in zip(means, lengths, strict=True)]
    padded = np.full((200, 12), np.nan)
    for row, part in zip(padded, ragged, strict=True):
        row[: len(part)] = part
    first = mi.estimate(ragged, means, **QUICK)
    second = mi.estimate(padded, means, x_type="sequence", **QUICK)
    assert first.value == second.value
    assert first.value > 0.2
    assert first.kinds == ("sequences of up to 12 steps x 1", "1 continuous")
    assert torch.equal(
        first.fitted.score_pairs(ragged[:9], means[:9]), second.fitted.score_pairs(padded[:9], means[:9])
    )


def test_groups_stay_together():
    group = np.repeat(np.arange(60), 10)
    x, y = (RNG.normal(size=60)[group] + 0.02 * RNG.normal(size=600) for _ in "xy")
    result = mi.estimate(x, y, groups=[f"person {i}" for i in group], **QUICK)
    for fitted in result.fitted:
        parts = [set(group[rows.numpy()].tolist()) for rows in (fitted.fold.train, fitted.fold.valid, fitted.fold.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    with pytest.raises(ValueError, match="groups has 599 rows and 1 columns: expected one value for each of the 600"):
        mi.estimate(x, y, groups=group[1:], **QUICK)


def test_a_splitter_makes_the_folds():
    from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit

    x = RNG.normal(size=200)
    result = mi.estimate(x, x + RNG.normal(size=200), cv=KFold(3), steps=30, hidden=(16,))
    assert len(result.fold_values) == 3
    assert result.fitted[0].fold.test.tolist() == list(range(67))
    grouped = mi.estimate(x, -x, cv=GroupKFold(4), groups=np.arange(200) // 10, steps=30, hidden=(16,))
    for fitted in grouped.fitted:
        parts = [set((rows // 10).tolist()) for rows in (fitted.fold.train, fitted.fold.valid, fitted.fold.test)]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    with pytest.raises(ValueError, match="cv tests some rows twice"):
        mi.estimate(x, x, cv=ShuffleSplit(3, random_state=0), steps=30)
    with pytest.raises(TypeError, match="cv is a int: expected a splitter"):
        mi.estimate(x, x, cv=3)
    with pytest.raises(ValueError, match="cv makes the folds: pass neither folds nor split"):
        mi.estimate(x, x, cv=KFold(3), folds=3)
