"""What comes into a regularizer: shapes, types, labels, tuples, and one sentence for the rest."""

import warnings
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from mibounds import MIRegularizer
from mibounds.critics import Encoded, SeparableCritic
from mibounds.warnings import SingleSampleWarning

SMALL = {"hidden": (16,), "lr": 1e-2, "bound": "infonce", "critic": "separable"}
X = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
LABELS = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()


def nested(layout):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, that they are a prototype
        return torch.nested.nested_tensor([X[:2], X[:3]], layout=layout)


@pytest.mark.parametrize(
    "x, z, error, sentence",
    [
        (X.numpy(), X[:, :2], TypeError, "x is a ndarray: pass a tensor, for example torch.as_tensor"),
        (X, [[1.0, 2.0]], TypeError, r"z is a list: pass a tensor, for example torch.as_tensor\(z\)"),
        ([*X], X[:, :2], TypeError, r"x is a list: pass a tensor, for example torch.stack\(x\)"),
        ({"pixels": X}, X[:, :2], TypeError, r"x is a dict: pass a tensor, for example x\['pixels'\]"),
        (pack_sequence([*X]), X, TypeError, "x is a PackedSequence, .*: pass a tuple of the padded"),
        (nested(torch.jagged), X[:, :2], TypeError, r"x is a nested tensor: pad it, x.to_padded_tensor\(0.0\)"),
        (nested(torch.strided), X[:, :2], TypeError, r"x is a nested tensor: pad it, x.to_padded_tensor\(0.0\)"),
        (X[:, :3], X[:, :2], ValueError, r"x has samples of shape \(3,\), and x_shape is 4: give x_shape=3\.$"),
        (X[:, :2], X, ValueError, r"x has samples of shape \(2,\), and x_shape is 4: x and z are in the wrong order"),
        (X, X[:, :3].reshape(64, 3, 1), ValueError, r"z has samples of shape \(3, 1\), and z_shape is 2: give z_shape"),
        (X.view(64, 2, 2), X, ValueError, r"x_shape is 4: reshape it, x.reshape\(-1, 4\), or give x_shape=\(2, 2\)"),
        (X, torch.zeros(()), ValueError, "z is a single number: pass a batch"),
        (X, torch.zeros(64, 3).long(), ValueError, r"z has integers of shape \(64, 3\): for labels"),
        (X, torch.zeros(64, 2).long(), ValueError, r"z has integers of shape \(64, 2\): for one-hot .* z.argmax\(1\)"),
        (X, X[:5, :2], ValueError, "x has 64 rows and z has 5"),
        (X, (X[:, :2], X[:, :2]), ValueError, "z is a tuple of 2, and a critic by name takes one tensor: concatenate"),
        (X.to_sparse(), X[:, :2], TypeError, r"x is a tensor of layout torch.sparse_coo, .*: pass x.to_dense\(\)\.$"),
        (X, X[:, :2].to_sparse(), TypeError, "z is a tensor of layout torch.sparse_coo"),
        (X.to("meta"), X[:, :2], TypeError, "x is a tensor on the meta device, which holds no values"),
        (X, X[:, :2] + 0j, TypeError, "z is complex: pass its real and imaginary parts"),
        (X, LABELS - 1, ValueError, "z has labels from -1 to 1, and z_shape announces 2 classes: number them from 0"),
        (X, LABELS, ValueError, "z has labels from 0 to 2, and z_shape announces 2 classes: number them from 0 to 1"),
    ],
)
def test_wrong_inputs_are_one_sentence(x, z, error, sentence):
    reg = MIRegularizer(4, 2, **SMALL)
    for call in (reg, reg.update):
        with pytest.raises(error, match=sentence):
            call(x, z)


@pytest.mark.parametrize(
    "announced, came, advice",
    [
        ((10, 2), (7, 2), r"pad or crop its samples, or pass a critic with an encoder"),
        ((10, 2), (2, 10), r"move its axes, x.movedim\(-1, 1\)"),
        ((1, 8, 8), (8, 8, 1), r"the channel axis is last, move it, x.movedim\(-1, 1\)"),
        ((3, 8, 8), (8, 8, 3), r"the channel axis is last, move it, x.movedim\(-1, 1\)"),
        ((1, 8, 8), (8, 8), r"the channel axis is missing, pass x.unsqueeze\(1\)"),
        ((1, 8, 8), (3, 8, 8), r"give x_shape=\(3, 8, 8\)"),
        ((8, 9, 1), (1, 8, 9), r"move its axes, x.movedim\(1, -1\)"),
        ((64, 4), (4,), "give its shape without N, x_shape=4"),
        ((64, 3, 8, 8), (3, 8, 8), r"give its shape without N, x_shape=\(3, 8, 8\)"),
        ((3, 8), (8, 3, 1), r"reshape it, x.reshape\(-1, 3, 8\), or give x_shape=\(8, 3, 1\)"),
        ((3, 8), (5,), "give x_shape=5"),
        ((8,), (), "give x_shape=1"),
    ],
)
def test_the_advice_about_a_shape_is_of_what_came(announced, came, advice):
    with pytest.raises(ValueError, match=rf"and x_shape is .*: {advice}\.?"):
        MIRegularizer(announced, 2, **SMALL)(torch.zeros(64, *came), X[:, :2])


CATEGORICAL = {"hidden": (8,), "bound": "leaveoneout", "critic": "categorical"}
EITHER = r"for labels pass integers from 0 to 2, for numbers give z_shape=1\.$"


@pytest.mark.parametrize(
    "options, z, advice",
    [
        (CATEGORICAL, LABELS.float(), r"labels are whole numbers of an integer type, pass z.long\(\)\.$"),
        (CATEGORICAL, LABELS.double().unsqueeze(1), r"labels are .*, pass z.flatten\(\).long\(\)\.$"),
        (SMALL, LABELS.half(), r"labels are .*, pass z.long\(\)\.$"),
        (CATEGORICAL, (LABELS > 0).unsqueeze(1), r"labels are .*, pass z.flatten\(\).long\(\)\.$"),
        (CATEGORICAL, LABELS + 1.0, EITHER),
        (CATEGORICAL, LABELS.float().where(LABELS > 0, torch.nan), EITHER),
        (SMALL, X[:, 0], EITHER),
        ({**SMALL, "bound": "leaveoneout", "critic": "diagonalgaussian"}, LABELS.float(), r"give z_shape=1\.$"),
    ],
)
def test_labels_that_came_as_numbers_are_to_be_integers(options, z, advice):
    reg = MIRegularizer(4, 3, **options)
    for call in (reg, reg.update):
        with pytest.raises(ValueError, match=rf"z has samples of shape \(1,\), and z_shape is 3: {advice}"):
            call(X, z)


def test_labels_that_came_as_numbers_are_in_the_right_order():
    with pytest.raises(ValueError, match=r"pass z.long\(\)"):
        MIRegularizer(1, 3, **CATEGORICAL)(X[:, :1], LABELS.float())


class Sequences(NamedTuple):
    steps: Tensor
    mask: Tensor


class Mean(nn.Module):
    def forward(self, sequences):
        return (sequences.steps * sequences.mask.unsqueeze(-1)).sum(1)


def test_an_encoder_gets_a_named_tuple_by_its_fields():
    reg = MIRegularizer(4, 2, bound="infonce", critic=Encoded(SeparableCritic(4, 2, hidden=(8,)), Mean()))
    batch = Sequences(torch.randn(64, 3, 4).requires_grad_(), torch.ones(64, 3))
    reg.update(batch, X[:, :2])
    (-reg(batch, X[:, :2])).backward()
    assert batch.steps.grad.abs().sum() > 0


def test_a_single_sample_of_tokens_is_no_term():
    tokens = nn.Sequential(nn.Embedding(10, 4), nn.Flatten())
    reg = MIRegularizer(5, 5, bound="infonce", critic=Encoded(SeparableCritic(20, 20, hidden=(8,)), tokens, tokens))
    one = torch.randint(10, (1, 5))
    with pytest.warns(SingleSampleWarning):
        assert float(reg(one, one)) == 0


def test_booleans_are_labels_where_classes_are_announced():
    reg = MIRegularizer(4, 2, bound="leaveoneout", critic="categorical", hidden=(8,))
    x = X.clone().requires_grad_()
    assert torch.equal(reg(x, X[:, 0] > 0), reg(x, (X[:, 0] > 0).long()))


@pytest.mark.parametrize("z", [torch.randn(64, 3), torch.rand(64, 3), torch.full((64, 3), 0.4)], ids=["logits", "", ""])
def test_a_categorical_critic_takes_probabilities_only(z):
    reg = MIRegularizer(4, 3, bound="leaveoneout", critic="categorical", hidden=(8,))
    x = X.clone().requires_grad_()
    for call in (reg, reg.update):
        with pytest.raises(ValueError, match="CategoricalCritic takes labels or rows of 3 probabilities"):
            call(x, z)
        call(x, z.softmax(-1))


def test_labels_are_one_hot_columns():
    reg = MIRegularizer(4, 3, **SMALL)
    one_hot = nn.functional.one_hot(LABELS, 3).float()
    other = MIRegularizer(4, 3, **SMALL)
    for _ in range(3):
        reg.update(X, LABELS)
        other.update(X, one_hot)
    x = X.clone().requires_grad_()
    value = reg(x, LABELS)
    assert torch.equal(value, other(x, one_hot))
    (-value).backward()
    assert x.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="let z_shape be the number of classes"):
        MIRegularizer(4, 1, **SMALL)(x, LABELS)


@pytest.mark.parametrize("critic", ["diagonalgaussian", "fullgaussian", "flow"])
def test_a_density_of_numbers_takes_no_labels(critic):
    for z, width in ((LABELS, 3), (X[:, 0] > 0, 1)):
        reg = MIRegularizer(4, width, bound="leaveoneout", critic=critic, hidden=(8,))
        for call in (reg, reg.update):
            with pytest.raises(ValueError, match='z has labels, .* use critic="categorical"'):
                call(X, z)
        reg.update(X, z.float().unsqueeze(1).expand(64, width))
    MIRegularizer(4, 3, bound="leaveoneout", critic="categorical", hidden=(8,)).update(X, LABELS)


def test_an_empty_batch_is_no_term_and_a_warning():
    with pytest.warns(SingleSampleWarning, match="An empty batch has no mismatched pairs"):
        assert float(MIRegularizer(4, 2, **SMALL)(X[:0], X[:0, :2])) == 0


@pytest.mark.parametrize("bound, critic", [("infonce", "separable"), ("leaveoneout", "diagonalgaussian")])
def test_float64_is_centered_before_it_loses_its_digits(bound, critic):
    plain, stamped = (MIRegularizer(4, 2, **{**SMALL, "bound": bound, "critic": critic}) for _ in range(2))
    for _ in range(20):
        plain.update(X, X[:, :2])
        stamped.update(1.7e9 + 10 * X.double(), 1.7e9 + 10 * X[:, :2].double())
    assert stamped.value() == pytest.approx(plain.value(), abs=0.01)
    assert plain.value() > 0.1


def test_booleans_are_numbers():
    reg = MIRegularizer(4, 1, **SMALL)
    reg.update(X, X[:, 0] > 0)


def test_tokens_go_to_a_critic_that_embeds_them():
    critic = Encoded(SeparableCritic(4, 8, hidden=(16,)), encoder_y=nn.Embedding(10, 8))
    reg = MIRegularizer(4, 1, bound="infonce", critic=critic, lr=1e-2)
    for _ in range(60):
        reg.update(X, LABELS)
    x = X.clone().requires_grad_()
    penalty = reg(x, LABELS)
    (-penalty).backward()
    assert float(penalty.detach()) > 0.3
    assert x.grad.abs().sum() > 0


def test_tuples_of_tensors_go_to_a_critic_that_takes_them():
    class Joined(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(3, 4)

        def forward(self, parts):
            return parts[0] + self.embedding(parts[1])

    critic = Encoded(SeparableCritic(4, 2, hidden=(16,)), encoder_x=Joined())
    reg = MIRegularizer(4, 2, bound="infonce", critic=critic, lr=1e-2)
    z = X[:, :2].clone().requires_grad_()
    reg.update((X, LABELS), z)
    (-reg((X, LABELS), z)).backward()
    assert z.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="x has 2 missing or infinite values"):
        broken = X.clone()
        broken[:2, 0] = torch.nan
        reg((broken, LABELS), z)


def test_shapes_may_be_integers_of_numpy():
    reg = MIRegularizer(np.int64(4), (np.int64(2),), **SMALL)
    reg.update(X, X[:, :2])
    MIRegularizer(tuple(np.array([1, 8, 8])), 2, **SMALL).update(torch.randn(8, 1, 8, 8), torch.randn(8, 2))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_the_critic_stays_in_float32_whatever_the_dtype_of_the_model(dtype):
    reg = MIRegularizer(4, 2, **SMALL)
    reg.update(X, X[:, :2])
    weights = [weight.clone() for weight in reg.parameters()]
    model = nn.ModuleDict({"encoder": nn.Linear(4, 2), "reg": reg}).to(dtype)
    assert all(torch.equal(a, b) for a, b in zip(reg.parameters(), weights, strict=True))
    x = X.to(dtype)
    z = model["encoder"](x)
    (-reg(x, z)).backward()
    reg.update(x, z)
    assert model["encoder"].weight.grad.dtype == dtype
    assert model["encoder"].weight.grad.isfinite().all()
    dtypes = {name: tensor.dtype for name, tensor in reg.state_dict().items()}
    assert dtypes.pop("optimizer/lr") == torch.float64  # all its digits, for a run that goes on
    assert {*dtypes.values()} == {torch.float32, torch.int64}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_another_default_precision_does_not_change_the_critic(dtype):
    """As Lightning's precision="bf16-true" and "64-true" set it around a training step."""
    torch.set_default_dtype(dtype)
    try:
        for bound, critic in (("infonce", "separable"), ("mine", "joint"), ("leaveoneout", "diagonalgaussian")):
            reg = MIRegularizer(4, 2, **{**SMALL, "bound": bound, "critic": critic})
            z = X[:, :2].to(dtype).requires_grad_()
            reg.update(X.to(dtype), z)
            reg(X.to(dtype), z).neg().backward() if bound != "leaveoneout" else reg(X.to(dtype), z).backward()
            reg.update(X.to(dtype), z)
            assert {tensor.dtype for tensor in (*reg.parameters(), *reg.buffers())} == {torch.float32}
    finally:
        torch.set_default_dtype(torch.float32)
