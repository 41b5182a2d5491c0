"""Any module of ours, of torch or of a user goes through JSON and comes back with the same outputs to the bit."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from mibounds.critics import FlowCritic, FunctionCritic
from mibounds.data import StandardizeChannels
from mibounds.data.row_space import RowSpace
from mibounds.estimation.wide import Columns
from mibounds.networks import MLP, ConvEncoder, WithRadius
from mibounds.training.modules import UnknownClassError, describe, rebuild


class Tower(nn.Module):
    """A user's encoder, with every kind of attribute."""

    def __init__(self, width):
        super().__init__()
        self.settings = {"widths": (width, 2), "list": [1.5, None, True]}
        self.share, self.count = np.float64(0.1), np.int64(3)
        self.layer, self.unused = nn.Linear(width, 2), None
        self.register_buffer("shift", torch.arange(2), persistent=False)
        self.register_parameter("absent", None)

    def forward(self, x):
        return self.layer(x).reshape(-1, *self.settings["widths"][1:]) * self.share + self.shift


class Squashed(nn.Module):
    """One that holds a function, and says how to make it anew."""

    def __init__(self, name):
        super().__init__()
        self.name, self.function = name, getattr(torch, name)
        self.gain = nn.Parameter(torch.tensor(2.0))

    def init_arguments(self):
        return {"name": self.name}

    def forward(self, x):
        return self.gain * self.function(x)


class Last(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent = nn.GRU(3, 4, num_layers=2, batch_first=True)

    def forward(self, x):
        return self.recurrent(x)[0][:, -1]


def through_json(module, modules=()):
    record, tensors = describe(module)
    tensors = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    return rebuild(json.loads(json.dumps(record)), tensors, modules)


MODULES = {
    "MLP": (lambda: MLP(3, (4, 4), 2, layer_norm=True, residual=True), (5, 3)),
    "shared activation": (lambda: MLP(3, (4, 4), 2, activation=nn.PReLU()), (5, 3)),
    "ConvEncoder": (lambda: ConvEncoder((2, 9, 7), 5), (4, 2, 9, 7)),
    "WithRadius": (WithRadius, (5, 3)),
    "torch": (
        lambda: nn.Sequential(
            nn.Conv1d(3, 4, 3, padding="same", bias=False),
            nn.BatchNorm1d(4),
            nn.GELU(approximate="tanh"),
            nn.Dropout(0.1),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(4, 2),
        ),
        (6, 3, 8),
    ),
    "GRU": (Last, (5, 7, 3)),
    "attention": (lambda: nn.TransformerEncoderLayer(4, 2, 8, activation=nn.ReLU(), batch_first=True), (5, 3, 4)),
    "user": (lambda: Tower(3), (5, 3)),
    "user's arguments": (lambda: Squashed("tanh"), (5, 3)),
}


@pytest.mark.parametrize("name", MODULES)
def test_the_same_outputs_to_the_bit(name):
    torch.manual_seed(0)
    make, shape = MODULES[name]
    module, x = make().eval(), torch.randn(shape)
    back = through_json(module, [Tower, Squashed, Last]).eval()
    assert type(back) is type(module)
    assert torch.equal(back(x), module(x))
    assert repr(back) == repr(module)
    assert [n for n, _ in back.named_parameters()] == [n for n, _ in module.named_parameters()] or "shared" in name


def test_attributes_come_back_as_they_were():
    back = through_json(Tower(3), [Tower])
    assert back.settings == {"widths": (3, 2), "list": [1.5, None, True]}
    assert (back.share, back.count, back.unused, back.absent) == (0.1, 3, None, None)
    assert back.layer.weight.requires_grad


def test_nothing_random_moves():
    flow = FlowCritic(2, 1, hidden=(8,))
    torch.manual_seed(3)
    expected = torch.rand(())
    torch.manual_seed(3)
    through_json(flow)
    assert torch.rand(()) == expected


def hooked():
    layer = nn.Linear(1, 1)
    layer.register_forward_hook(lambda *_: None)
    return layer


def holding(value):
    module = WithRadius()
    module.thing = value
    return module


@pytest.mark.parametrize(
    "module, sentence",
    [
        (FunctionCritic(lambda x, y: x), "FunctionCritic.function is a function, .*: make it an nn.Module, or give"),
        (nn.Sequential(holding(functional.relu)), "WithRadius.thing is a function"),
        (holding(torch.ones(2)), "WithRadius.thing is a Tensor, .* register it as a buffer"),
        (holding({1: 2}), "WithRadius.thing is a dict"),
        (hooked(), "Linear has forward hooks"),
    ],
)
def test_what_no_file_without_code_can_hold(module, sentence):
    with pytest.raises(ValueError, match=sentence):
        describe(module)


def test_only_known_classes_are_made():
    record, tensors = describe(nn.Sequential(Tower(3)))
    with pytest.raises(UnknownClassError, match=r"uses Tower of .*test_modules, .*: pass modules=\[Tower\] if you"):
        rebuild(record, tensors)
    for origin in ("mibounds", "torch.nn"):
        with pytest.raises(UnknownClassError, match=rf"uses {origin}.Soon, which is not there: update {origin[:5]}"):
            rebuild({"from": origin, "class": "Soon"}, {})
    with pytest.raises(UnknownClassError, match="uses system of os"):
        rebuild({"from": "os", "class": "system", "arguments": {}}, {}, [Tower])


def test_a_process_that_made_no_such_module_makes_it_again():
    made = [Columns(1, 3), RowSpace(StandardizeChannels(), width=2)]
    code = "import torch; from mibounds.training.modules import rebuild\n"
    for record, tensors in map(describe, made):
        empty = f"{{name: torch.empty(0) for name in {list(tensors)!r}}}"
        code += f"print(type(rebuild({record!r}, {empty})).__name__)\n"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.stdout.split() == [type(one).__name__ for one in made], done.stderr
