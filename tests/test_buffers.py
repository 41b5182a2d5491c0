import torch

from mibounds._buffers import FittedBuffers


class Center(FittedBuffers):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.empty(0))


def test_buffers_take_the_shape_of_what_is_loaded_and_own_it():
    state = {"inner.mean": torch.tensor([1.0, 2.0])}
    outer = torch.nn.ModuleDict({"inner": Center()})
    outer.load_state_dict(state)
    state["inner.mean"].zero_()
    assert outer["inner"].mean.tolist() == [1.0, 2.0]
