import math

import pytest
import torch
from torch import nn

from mibounds.representation.layer_outputs import count_rows, evaluation_mode, layer_outputs, named_layers, unwrap


class Noisy(nn.Module):
    """Draws from torch's global generator, in evaluation mode too."""

    def forward(self, x):
        return x + 0.01 * torch.randn_like(x)


def noisy_model():
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(inplace=True), nn.Dropout(0.5), Noisy(), nn.Linear(8, 2)
    )
    model[1].eval()  # a frozen layer in a network that trains
    return model


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.unused = nn.Linear(1, 1)
        self.rnn = nn.LSTM(2, 4, batch_first=True)
        self.mean = Mean()

    def forward(self, words, weight=None):
        code, _ = self.rnn(words if weight is None else words * weight[:, None, None])
        return self.mean(code)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean()


class Dictionary(nn.Module):
    def forward(self, x):
        return {"first": (x + 1, x), "second": x}


def test_the_outputs_are_those_of_the_layers(generator):
    model, x = nn.Sequential(nn.Linear(3, 8), nn.Tanh()), torch.randn(100, 3, generator=generator)
    expected = model[0](x).detach()
    for batch_size in (7, 100, 500):
        outputs = layer_outputs(model, ["1", "0"], x, batch_size=batch_size)
        assert list(outputs) == ["1", "0"]
        assert torch.allclose(outputs["0"], expected, atol=1e-6)
        assert torch.allclose(outputs["1"], expected.tanh(), atol=1e-6)
        assert not outputs["0"].requires_grad


def test_outputs_are_flattened_and_in_single_precision():
    images, double = torch.rand(4, 2, 6, 6), torch.arange(4.0, dtype=torch.float64)
    convolution = nn.Sequential(nn.Conv2d(2, 3, 3))
    assert torch.equal(layer_outputs(convolution, ["0"], images)["0"], convolution(images).detach().flatten(1))
    identity = layer_outputs(nn.Sequential(nn.Identity()), ["0"], double)["0"]
    assert identity.dtype == torch.float32
    assert identity.tolist() == [[0], [1], [2], [3]]


def test_the_first_tensor_of_several_and_the_last_of_several_calls():
    x = torch.arange(5.0)[:, None]
    assert torch.equal(layer_outputs(nn.Sequential(Dictionary()), ["0"], x)["0"], x + 1)
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(3)
    assert torch.equal(layer_outputs(nn.Sequential(layer, layer), ["0"], x)["0"], 9 * x)


def test_an_output_that_a_later_layer_overwrites_is_copied(generator):
    x = torch.randn(100, 3, generator=generator)
    model = noisy_model()
    inplace = layer_outputs(model, ["1"], x)["1"]
    model[2] = nn.ReLU()
    assert (inplace < 0).any()
    assert torch.equal(layer_outputs(model, ["1"], x)["1"], inplace)


def test_modes_random_state_and_hooks_are_restored(generator):
    x = torch.randn(100, 3, generator=generator)
    model = noisy_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes, state = [module.training for module in model.modules()], torch.get_rng_state()

    def check():
        assert torch.equal(torch.get_rng_state(), state)
        assert [module.training for module in model.modules()] == modes
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert not any(module._forward_hooks for module in model.modules())

    layer_outputs(model, ["1", "5"], x, batch_size=30)
    check()
    with pytest.raises(ValueError, match="missing or infinite"):
        layer_outputs(model, ["1"], x * math.inf)
    check()


def test_evaluation_mode_is_without_dropout_and_gradients():
    model = noisy_model()
    with evaluation_mode(model):
        assert not torch.is_grad_enabled()
        assert not any(module.training for module in model.modules())
    assert model.training
    assert torch.is_grad_enabled()


def test_inputs_may_be_tuples_and_dictionaries(generator):
    model = TwoInputs()
    words, weight = torch.randn(80, 5, 2, generator=generator), torch.rand(80, generator=generator).double()
    paired = layer_outputs(model, ["rnn"], (words, weight), batch_size=32)["rnn"]
    named = layer_outputs(model, ["rnn"], {"weight": weight, "words": words})["rnn"]
    called = layer_outputs(model, ["rnn"], (words, weight), forward=lambda m, x: m(*x))["rnn"]
    assert paired.shape == (80, 20)
    assert torch.allclose(paired, named, atol=1e-6)
    assert torch.equal(called, named)
    assert not torch.allclose(layer_outputs(model, ["rnn"], words)["rnn"], named, atol=1e-3)


def test_arrays_have_the_precision_of_the_model_and_integers_stay():
    embedding = nn.Sequential(nn.Embedding(3, 2))
    assert layer_outputs(embedding, ["0"], torch.arange(6) % 3)["0"].shape == (6, 2)
    linear = nn.Sequential(nn.Linear(2, 1))
    assert layer_outputs(linear, ["0"], torch.zeros(4, 2).numpy().astype("float64"))["0"].shape == (4, 1)


def test_rows_are_counted_in_nested_inputs():
    x = torch.zeros(4, 2)
    assert [count_rows(one) for one in (x, x.numpy(), (x, x), {"a": (x,), "b": x})] == [4] * 4


def test_wrapped_models_are_unwrapped():
    model = nn.Linear(1, 1)
    assert unwrap(nn.DataParallel(model)) is model
    compiled = nn.Module()
    compiled._orig_mod = nn.DataParallel(model)
    assert unwrap(compiled) is model
    assert unwrap(model) is model


def test_unknown_layers_are_errors_that_list_the_layers():
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    assert list(named_layers(model, ["1", "0"])) == ["1", "0"]
    with pytest.raises(ValueError, match=r"Sequential has no layer 'encoder.1'; its layers are '0', '1'\."):
        named_layers(model, ["0", "encoder.1"])
    with pytest.raises(ValueError, match="its layers are none at all"):
        named_layers(nn.Linear(1, 1), ["0"])
    with pytest.raises(ValueError, match=r"'39', \.\.\.\."):
        named_layers(nn.Sequential(*(nn.ReLU() for _ in range(41))), ["x"])
    with pytest.raises(ValueError, match="layers is empty"):
        named_layers(model, [])


X = torch.randn(60, 5, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "model, layer, x, sentence",
    [
        (TwoInputs(), "unused", X, "'unused' was not called"),
        (TwoInputs(), "mean", X, r"'mean' gives shape \(\) for 60 rows"),
        (TwoInputs(), "rnn", X / 0, "'rnn' gives missing or infinite values"),
        (nn.Sequential(nn.Flatten(0)), "0", X, r"'0' gives shape \(600,\) for 60 rows"),
    ],
)
def test_unusable_outputs_are_errors(model, layer, x, sentence):
    with pytest.raises(ValueError, match=sentence):
        layer_outputs(model, [layer], x)


def test_a_layer_that_is_called_for_the_first_batch_only_is_an_error():
    class Once(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.calls = nn.ReLU(), 0

        def forward(self, x):
            self.calls += 1
            return self.layer(x) if self.calls == 1 else x

    with pytest.raises(ValueError, match="'layer' was not called"):
        layer_outputs(Once(), ["layer"], X, batch_size=30)


def test_a_layer_that_returns_no_tensor_is_an_error():
    class Text(nn.Module):
        def forward(self, x):
            return "text"

    with pytest.raises(ValueError, match="'0' gives a str: name a layer that gives a tensor"):
        layer_outputs(nn.Sequential(Text()), ["0"], X)


def test_a_model_without_forward_is_an_error_that_names_the_argument():
    model = nn.ModuleList([nn.Linear(2, 1)])
    with pytest.raises(NotImplementedError, match="ModuleList has no forward: say how"):
        layer_outputs(model, ["0"], X[:, 0])
    assert layer_outputs(model, ["0"], X[:, 0], forward=lambda m, x: m[0](x))["0"].shape == (60, 1)

    class Unfinished(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.ReLU()

        def forward(self, x):
            raise NotImplementedError("to do")

    with pytest.raises(NotImplementedError, match="^to do$"):
        layer_outputs(Unfinished(), ["layer"], X)
