import torch

from mibounds.critics import FunctionCritic
from mibounds.estimation.added_scores import HeldOut, nearest


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_what_x_adds_by_hand():
    x, y, z = (
        torch.tensor([[1.0], [2.0], [3.0]]),
        torch.tensor([[5.0], [7.0], [9.0]]),
        torch.tensor([[1.0], [0.0], [2.0]]),
    )
    f = FunctionCritic(lambda x, yz: (x * yz).sum(-1))  # x (y + z)
    g = FunctionCritic(lambda x, z: (x * z).sum(-1) / 2)  # x z / 2
    block = HeldOut(f, g, x, torch.cat([y, z], 1), z)
    partners = torch.tensor([[0, 2], [1, 0], [2, 1]])
    factor = (y + z / 2).double()
    assert torch.equal(block.added(partners), x.double()[partners, 0] * factor)


def testnearest_are_near_and_repeated_values_take_turns():
    z = torch.arange(50.0)[:, None]
    near = nearest(z, generator())
    assert torch.equal(near[:, 0], torch.arange(50))
    assert int((near - near[:, :1]).abs()[10:40].max()) <= 7
    same = nearest((torch.arange(400) % 2).float()[:, None], generator())
    assert ((same - same[:, :1]) % 2 == 0).all()
    assert len(same.unique()) > 350  # and not the same ten for all
