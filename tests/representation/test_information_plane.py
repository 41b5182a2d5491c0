import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import mibounds as mi
from mibounds._random import noise_seed
from mibounds.representation.information_plane import InformationPlane, PlanePoint
from mibounds.warnings import SmallSampleWarning, issue


def linear(*rows):
    layer = nn.Linear(len(rows[0]), len(rows), bias=False)
    layer.weight.data = torch.tensor(rows)
    return nn.Sequential(layer)


def halves(n):
    return torch.arange(n) % 2


def point(model, layer, x, y, **options):
    plane = InformationPlane(model, [layer], **options)
    plane.measure(x, y)
    return plane.history[0]


def test_a_linear_layer_of_gaussians_is_bracketed_closely(generator):
    model = linear([1.0, 0.5, 0.0], [0.0, 0.3, -2.0])
    x = torch.randn(2000, 3, generator=generator)
    found = point(model, "0", x, halves(2000), noise=0.3)
    weight = model[0].weight.detach().double()
    powers = torch.linalg.eigvalsh(weight @ weight.T)
    exact = float((1 + powers / (0.3**2 * powers.sum())).log().sum() / 2)
    assert found.x_z == pytest.approx(exact, abs=0.05)
    assert found.x_z_upper == pytest.approx(exact, abs=0.05)
    assert 0 < found.x_z_upper - found.x_z < 0.02
    assert found.z_y == pytest.approx(0, abs=0.01)


def test_the_numbers_are_those_of_the_formulas_row_by_row(generator):
    x, y = torch.randn(60, 2, generator=generator), torch.arange(60) % 3
    found = point(linear([1.0, 0.0], [1.0, -3.0]), "0", x, y, noise=0.4, seed=7)
    h = x.double() @ torch.tensor([[1.0, 0.0], [1.0, -3.0]], dtype=torch.float64).T
    h = h - h.mean(0)
    sigma = 0.4 * float(h.var(0, correction=0).sum().sqrt())
    noise = torch.Generator().manual_seed(noise_seed(7))
    lower, upper, label = [], [], []
    for _ in range(4):
        z = h + sigma * torch.randn(60, 2, generator=noise, dtype=torch.float64)
        for i in range(60):
            density = torch.distributions.Normal(h, sigma).log_prob(z[i]).sum(-1).exp()  # p(z_i|x_j) of all j
            others = [j for j in range(60) if j != i]
            lower.append(math.log(density[i] / density.mean()))
            upper.append(math.log(density[i] / density[others].mean()))
            share = sum(density[j] for j in others if y[j] == y[i]) / density[others].sum()
            label.append(math.log(3) + math.log((1 - 1 / 60) * share + 1 / 180))
    assert found.x_z == pytest.approx(sum(lower) / 240, abs=1e-5)
    assert found.x_z_upper == pytest.approx(sum(upper) / 240, abs=1e-5)
    assert found.z_y == pytest.approx(sum(label) / 240, abs=1e-5)


def test_the_noise_is_independent_of_data_from_the_same_seed():
    x = torch.randn(300, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    one, other = (point(linear([1.0]), "0", x, halves(300), seed=seed, noise=1.0) for seed in (0, 1))
    assert one.x_z == pytest.approx(other.x_z, abs=0.06)


def test_a_table_is_taken(generator):
    x, y = torch.randn(60, 2, generator=generator), torch.arange(60) % 3
    plane = InformationPlane(linear([1.0, 0.0]), ["0"])
    assert plane.measure(pd.DataFrame(x.numpy()), pd.Series(y.numpy())) == plane.measure(x, y)
    assert plane.latest() == plane.measure(x, y)


@torch.inference_mode()
def test_an_estimate_may_train_in_inference_mode():
    x = torch.randn(60, 2)

    def fitted(z, y):
        weight = torch.ones(2, requires_grad=True)
        (z @ weight * y).sum().backward()
        return weight.grad[0]

    plane = InformationPlane(linear([1.0, 0.0], [0.0, 1.0]), ["0"], estimate=fitted)
    assert math.isfinite(plane.measure(x, x[:, 0])["I(Z;Y)/0"])


def test_neither_units_nor_width_matter(generator):
    x, y = torch.randn(300, 2, generator=generator), halves(300)
    eye = torch.eye(2)
    narrow = point(linear(*eye.tolist()), "0", x, y)
    twice = point(linear(*(7 * torch.cat([eye, eye])).tolist()), "0", x, y)
    turned, _ = torch.linalg.qr(torch.randn(400, 2, generator=generator))
    wide = point(linear(*turned.tolist()), "0", x, y)  # more units than rows
    for other in (twice, wide):
        assert other.x_z == pytest.approx(narrow.x_z, abs=0.1)
        assert other.x_z_upper == pytest.approx(narrow.x_z_upper, abs=0.2)
    assert 2 < narrow.x_z < math.log(300)


def test_the_information_about_the_label_is_at_most_its_entropy(generator):
    y = torch.arange(200) % 4
    x = 10 * nn.functional.one_hot(y).float() + 0.1 * torch.randn(200, 4, generator=generator)
    plane = InformationPlane(linear(*torch.eye(4).tolist()), ["0"])
    plane.measure(x, y)
    assert plane.entropy == pytest.approx(math.log(4))
    assert plane.entropy - 0.02 < plane.history[-1].z_y <= plane.entropy
    plane.measure(x, y[torch.randperm(200, generator=generator)])
    assert -0.2 < plane.history[-1].z_y < 0.02


def test_an_outlier_costs_no_more_than_ln_n(generator):
    x, y = torch.randn(100, 1, generator=generator), torch.arange(100) % 2
    x = x + 1000.0 * y[:, None]
    y[1] = 0  # in the middle of the others
    found = point(linear([1.0]), "0", x, y, noise=0.01)
    assert found.z_y > math.log(2) - 0.01 - 3 * (math.log(200) + 1) / 100


@pytest.mark.parametrize(
    "labels", [[*"ab"] * 50, [0.0, 1.0] * 50, [[1, 0], [0, 1]] * 50], ids=["text", "float", "1hot"]
)
def test_labels_of_any_kind(labels, generator):
    x = torch.randn(100, 1, generator=generator)
    model = linear([1.0])
    assert point(model, "0", x.numpy().astype("float64"), labels) == point(model, "0", x, halves(100))


class Noisy(nn.Module):
    """Draws from torch's global generator, in evaluation mode too."""

    def forward(self, x):
        return x + 0.01 * torch.randn_like(x)


def test_measuring_does_not_change_the_training():
    def train(measured):
        torch.manual_seed(3)
        model = nn.Sequential(
            nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(inplace=True), nn.Dropout(0.5), Noisy(), nn.Linear(8, 2)
        )
        x, y = torch.randn(100, 3), halves(100)
        plane = InformationPlane(model, ["2"])
        random = InformationPlane(model, ["2"], estimate=lambda z, y: float(torch.randn(())))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()
            if measured:
                plane.measure(x, y)
                random.measure(x, y)
            optimizer.step()
        return model.state_dict()

    plain, measured = train(False), train(True)
    assert all(torch.equal(plain[name], measured[name]) for name in plain)


def test_inputs_may_be_tuples_and_the_call_a_function(generator):
    class Weighted(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 3)

        def forward(self, x, weight):
            return self.layer(x * weight[:, None])

    model, x, weight = Weighted(), *torch.randn(2, 80, 2, generator=generator)
    weight = weight[:, 0].double()
    paired = point(model, "layer", (x, weight), halves(80), batch_size=32)
    named = point(model, "layer", {"weight": weight, "x": x}, halves(80))
    called = point(nn.DataParallel(model), "layer", (x, weight), halves(80), forward=lambda m, x: m(*x))
    assert paired.x_z == pytest.approx(named.x_z, abs=1e-4)
    assert called == named


X = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "layer, x, y, sentence",
    [
        ("0", X[:49], halves(49), "number of rows of x is 49, and must be at least 50"),
        ("0", X, halves(59), "x has 60 rows and y has 59"),
        ("0", X, X[:, 0], "60 values in 60 rows, which are no labels"),
        ("0", X, torch.arange(60) % 31, "31 values in 60 rows"),
        ("0", X, [math.nan, 1.0] * 30, "y has missing"),
        ("0", X, ["a", None] * 30, "y has missing"),
        ("0", X, np.array(["a", None, "b"] * 20, dtype=object), "y has missing"),
        ("0", X, ["a", math.nan] * 30, "y has missing"),
        ("0", X, pd.Series(["a", pd.NA] * 30, dtype="category"), "y has missing"),
        ("0", X, pd.Series(pd.to_datetime(["2024-01-01", None] * 30)), "y has missing"),
        ("0", X / 0, halves(60), "'0' gives missing or infinite values"),
        ("0", torch.zeros(60, 5), halves(60), "Sequential cannot take x: a layer of 2 inputs gets 5. Pass rows"),
        ("0", X.long(), halves(60), "Sequential cannot take x: .* have the same dtype, .* shape and type"),
    ],
)
def test_unusable_input_is_an_error(layer, x, y, sentence):
    with pytest.raises(ValueError, match=sentence):
        InformationPlane(linear([1.0, 0.0]), [layer]).measure(x, y)


def test_50_rows_and_30_classes_of_60_rows_are_enough():
    assert len(InformationPlane(linear([1.0, 0.0]), "0").measure(X[:50], halves(50))) == 3
    InformationPlane(linear([1.0, 0.0]), "0").measure(X, torch.arange(60) % 30)


def test_unusable_arguments_are_errors():
    model = linear([1.0, 0.0])
    with pytest.raises(ValueError, match="noise is 0, and must be above 0"):
        InformationPlane(model, ["0"], noise=0)
    with pytest.raises(ValueError, match="layers is empty"):
        InformationPlane(model, [])
    with pytest.raises(ValueError, match=r"Sequential has no layer 'x'; its layers are '0'\."):
        InformationPlane(model, ["x"])
    with pytest.raises(ValueError, match="batch_size is 0"):
        InformationPlane(model, ["0"], batch_size=0)
    with pytest.raises(TypeError, match="seed is None"):
        InformationPlane(model, ["0"], seed=None)
    with pytest.raises(ValueError, match="names is 'IX': expected the names of both quantities"):
        InformationPlane(model, ["0"], names="IX")
    with pytest.raises(TypeError, match="model is a function: expected a torch.nn.Module"):
        InformationPlane(lambda x: x, ["0"])
    for layers in (5, [model[0]], None):
        with pytest.raises(TypeError, match=r"layers is .*: expected names as in model.named_modules\(\)"):
            InformationPlane(model, layers)
    with pytest.raises(TypeError, match="step is 'a' .*: expected a whole number"):
        InformationPlane(model, ["0"]).measure(X, halves(60), step="a")
    for y in (None, 5, iter(halves(60))):
        with pytest.raises(TypeError, match="y is .*: pass the labels of x"):
            InformationPlane(model, ["0"]).measure(X, y)
    rows = TensorDataset(X, halves(60))
    for x, sentence in (
        (rows, r"x is a TensorDataset: pass its rows as a tensor, .* next\(iter\(loader\)\)"),
        (DataLoader(rows), "x is a DataLoader: pass its rows as a tensor"),
        ((X, rows), "x is of type TensorDataset"),
        (None, "x is None: expected rows"),
        (iter(X), "which can be read only once"),
        ([["a", "b"]] * 60, "x holds no numbers"),
    ):
        with pytest.raises(TypeError, match=sentence):
            InformationPlane(model, ["0"]).measure(x, halves(60))
    with pytest.raises(ValueError, match="Nothing was measured"):
        InformationPlane(model, ["0"]).plot()


def test_a_constant_layer_has_no_information(generator):
    model = nn.Sequential(linear([0.0])[0], nn.Linear(1, 3))
    x = torch.randn(100, 1, generator=generator)
    assert point(model, "1", x, halves(100)) == PlanePoint(0, "1", 0.0, 0.0, 0.0)
    rounded = 1000 + 1e-4 * x  # differs by float32's last digits
    assert rounded.std() > 0
    assert point(linear([1.0]), "0", rounded, halves(100)) == PlanePoint(0, "0", 0.0, 0.0, 0.0)


def test_an_estimator_of_the_user_gets_the_noisy_layer(generator):
    x = torch.randn(500, 2, generator=generator)
    y = x[:, :1].numpy()
    calls = []

    def estimate(z, target):
        calls.append((z, target))
        return mi.classical.ksg(z, torch.as_tensor(target))

    plane = InformationPlane(linear([1.0, 0.0]), ["0"], noise=0.5, estimate=estimate)
    plane.measure(x, y)
    ((z, target),) = calls
    assert target is y
    assert plane.entropy is None
    noise = (z - z.mean()) - (x[:, :1] - x[:, 0].mean())
    assert float(noise.std()) == pytest.approx(0.5 * float(x[:, 0].std()), rel=0.1)
    assert plane.history[0].z_y == pytest.approx(math.log(1 + 1 / 0.25) / 2, abs=0.1)


def test_an_estimator_of_the_user_may_train_and_its_warnings_are_ignored(generator):
    def estimate(z, target):
        weight = torch.ones((), requires_grad=True)
        (weight * z.square().mean()).backward()
        issue(SmallSampleWarning("60 rows"))
        return float(weight.grad)

    assert point(linear([1.0, 0.0]), "0", X, X, estimate=estimate).z_y > 0


def test_names_steps_and_the_figure(generator):
    x, y = torch.randn(60, 2, generator=generator), halves(60)
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    plane = InformationPlane(model, ["0", "1"], names=("XZ", "ZY"))
    first = plane.measure(x, y, step=5)
    assert list(first) == ["XZ/0", "XZ upper/0", "ZY/0", "XZ/1", "XZ upper/1", "ZY/1"]
    assert plane.measure(x, y) == first
    assert [(p.step, p.layer) for p in plane.history] == [(5, "0"), (5, "1"), (6, "0"), (6, "1")]
    assert [p.x_z for p in plane.history[:2]] == [first["XZ/0"], first["XZ/1"]]
    axis = plane.plot().axes[0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["0", "1", "H(Y) = 0.693"]
