import pytest
import torch
from torch import nn

from mibounds.networks import MLP, WithRadius, activation_module


@pytest.mark.parametrize("choice", ["silu", "SiLU", nn.SiLU, nn.SiLU()])
def test_activations_by_name_class_or_module(choice):
    assert isinstance(activation_module(choice), nn.SiLU)


def test_names_with_underscores_and_unknown_names():
    assert isinstance(activation_module("leaky_relu"), nn.LeakyReLU)
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        activation_module("reluu")


def test_no_hidden_layer_is_a_linear_map():
    network = MLP(3, (), 2)
    x = torch.randn(4, 3)
    assert torch.allclose(network(x), x @ network.output.weight.T + network.output.bias)


def test_a_zero_output_starts_at_exactly_zero():
    assert (MLP(3, (8,), 2, zero_output=True)(torch.randn(4, 3)) == 0).all()


def test_residual_adds_the_input_where_widths_agree():
    torch.manual_seed(0)
    network = MLP(4, (8, 8), 8, residual=True)
    for layer in network.layers:
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    network.layers[0].weight.data[:4] = torch.eye(4)
    x = torch.randn(2, 4)
    first = nn.functional.silu(nn.functional.pad(x, (0, 4)))  # 4 -> 8: no residual; 8 -> 8: h + silu(0) = h
    assert torch.allclose(network(x), network.output(first))


def test_a_deep_residual_tower_with_layer_norm_still_sees_its_input():
    torch.manual_seed(0)
    x = torch.randn(256, 4)
    plain = MLP(4, (32,) * 16, 8)(x).std(0).mean()
    deep = MLP(4, (32,) * 16, 8, residual=True, layer_norm=True)(x).std(0).mean()
    assert plain < 1e-3 < 0.1 < deep


def test_the_radius_stands_beside_the_columns_with_mean_zero_and_unit_variance(generator):
    x = torch.randn(20_000, 7, generator=generator)
    out = WithRadius()(x)
    assert torch.equal(out[:, :7], x)
    assert float(out[:, 7].mean()) == pytest.approx(0, abs=0.03)
    assert float(out[:, 7].std()) == pytest.approx(1, abs=0.03)
