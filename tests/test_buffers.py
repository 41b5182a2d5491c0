import torch

from mibounds._buffers import FittedBuffers, module_tensors


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


def test_the_tensors_of_modules_are_their_weights_and_buffers_and_not_copies():
    linear, normed = torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(3)
    found = module_tensors(linear, normed)
    assert [tuple(tensor.shape) for tensor in found] == [(1, 2), (1,), (3,), (3,), (3,), (3,), ()]
    assert found[0].data_ptr() == linear.weight.data_ptr()
    assert found[4].data_ptr() == normed.running_mean.data_ptr()
