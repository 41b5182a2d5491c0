"""What modules hold: their tensors, and buffers that take the shape of the data they were fitted to."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["FittedBuffers", "module_tensors"]


def module_tensors(*modules: nn.Module) -> list[Tensor]:
    """The weights and buffers of modules.

    >>> [tensor.shape for tensor in module_tensors(nn.Linear(2, 1), nn.Linear(1, 1, bias=False))]
    [torch.Size([1, 2]), torch.Size([1]), torch.Size([1, 1])]
    """
    return [value for module in modules for value in module.state_dict().values() if isinstance(value, Tensor)]


class FittedBuffers(nn.Module):
    """A module whose `load_state_dict` replaces buffers instead of copying into them, whatever their shape was.

    >>> import torch
    >>> class Center(FittedBuffers):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.register_buffer("mean", torch.empty(0))
    >>> center = Center()
    >>> center.load_state_dict({"mean": torch.tensor([1.0, 2.0])})
    <All keys matched successfully>
    >>> center.mean
    tensor([1., 2.])
    """

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: object) -> None:
        for name in list(self._buffers):
            if prefix + name in state_dict:
                setattr(self, name, state_dict[prefix + name].clone())
        super()._load_from_state_dict(state_dict, prefix, *rest)
