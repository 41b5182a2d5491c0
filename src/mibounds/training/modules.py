"""Modules as text and tensors, and back. There is no pickle in it, so a file of them can hold no code.

A module is its class, its attributes (numbers, text, and tuples, lists and dictionaries of them), its tensors and its
submodules. Only classes of mibounds and of torch.nn, and those that the reader names, are made again, without a call of
their constructors. A class whose parts hold anything else, functions say, has a method `init_arguments`, which returns
what to call it with.
"""

from __future__ import annotations

import importlib
import numbers
import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from mibounds._random import seeded
from mibounds.results.records import subclasses

__all__ = ["UnknownClassError", "describe", "rebuild"]

_EVERY_MODULE = frozenset(nn.Module().__dict__)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_MADE_ANEW = ("_flat_weights", "_flat_weight_refs")  # what recurrent layers know their parameters by
_ORIGINS = {"mibounds.": "mibounds", "torch.nn.modules.": "torch.nn"}


class UnknownClassError(ValueError):
    """A record names a class that may not be made."""


def describe(module: nn.Module, prefix: str = "") -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A module as a record for JSON and its tensors by name.

    Raises:
        ValueError: if it holds what neither JSON nor a tensor can, with the name of the attribute.

    Example:
        >>> record, tensors = describe(nn.Linear(2, 1))
        >>> record["class"], record["attributes"], list(tensors)
        ('Linear', {'in_features': 2, 'out_features': 1}, ['weight', 'bias'])
        >>> rebuild(record, tensors)
        Linear(in_features=2, out_features=1, bias=True)
    """
    kind = type(module)
    record: dict[str, Any] = {"class": kind.__qualname__, "from": _origin(kind)}
    if any(getattr(module, hooks) for hooks in _HOOKS):
        raise ValueError(
            f"{kind.__qualname__} has forward hooks, which are code: a file without code cannot hold them."
        )
    init_arguments: Any = getattr(module, "init_arguments", None)
    if init_arguments is not None:
        record["arguments"] = {k: _to_json(v, f"{kind.__qualname__}.{k}") for k, v in init_arguments().items()}
        return record, {prefix + name: tensor for name, tensor in module.state_dict().items()}
    own = {name: value for name, value in vars(module).items() if name not in (*_EVERY_MODULE, *_MADE_ANEW)}
    record["attributes"] = {name: _to_json(value, f"{kind.__qualname__}.{name}") for name, value in own.items()}
    record["tensors"], record["modules"], tensors = {}, {}, {}
    for role, members in (("parameter", module._parameters), ("buffer", module._buffers)):
        for name, tensor in members.items():
            record["tensors"][name] = role if tensor is not None else None
            if tensor is not None:
                tensors[prefix + name] = tensor
    for name, child in module._modules.items():  # a shared one as often as it is used
        record["modules"][name], below = describe(child, f"{prefix}{name}.") if child is not None else (None, {})
        tensors |= below
    return record, tensors


def rebuild(
    record: Mapping[str, Any], tensors: Mapping[str, Tensor], modules: Sequence[type[nn.Module]] = (), prefix: str = ""
) -> nn.Module:
    """The module that `describe` took apart; the tensors become its own.

    Arguments:
        record: the module.
        tensors: of it, by name.
        modules: classes that it may use besides those of mibounds and torch.nn.
        prefix: of the names of its tensors.

    Raises:
        UnknownClassError: if it uses another class; the sentence starts with "uses".
    """
    return _rebuild(record, tensors, _known(), {kind.__qualname__: kind for kind in modules}, prefix)


def _rebuild(
    record: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    known: dict[tuple[str, str], type[nn.Module]],
    given: Mapping[str, type[nn.Module]],
    prefix: str,
) -> nn.Module:
    origin, name = record["from"], record["class"]
    if origin in _ORIGINS.values():
        kind: Any = known.get((origin, name))
        if kind is None:
            _import_modules()
            known |= _known()
            kind = known.get((origin, name))
        if kind is None:
            raise UnknownClassError(f"uses {origin}.{name}, which is not there: update {origin.partition('.')[0]}.")
    else:
        kind = given.get(name)
        if kind is None:
            raise UnknownClassError(
                f"uses {name} of {origin}, and only classes of mibounds and torch.nn are made unasked: "
                f"pass modules=[{name}] if you trust that class."
            )
    if hasattr(kind, "init_arguments"):
        with seeded(0):  # its first weights, which are replaced, move no global random state
            module: nn.Module = kind(**{key: _from_json(value) for key, value in record["arguments"].items()})
        own = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
        module.load_state_dict(own, assign=True)
        return module
    module = kind.__new__(kind)
    nn.Module.__init__(module)
    for key, role in record["tensors"].items():
        if role == "buffer":
            module.register_buffer(key, tensors[prefix + key])
        else:
            tensor = tensors[prefix + key] if role else None
            module.register_parameter(key, None if tensor is None else nn.Parameter(tensor, tensor.is_floating_point()))
    for key, child in record["modules"].items():
        below = f"{prefix}{key}."
        module.add_module(key, None if child is None else _rebuild(child, tensors, known, given, below))
    attributes = {key: _from_json(value) for key, value in record["attributes"].items()}
    if isinstance(module, nn.RNNBase):
        attributes["_flat_weights"] = [getattr(module, key) for key in attributes["_flat_weights_names"]]
    # As a pickle would: torch's layers mend here what older versions of them lack.
    module.__setstate__(attributes)  # type: ignore[no-untyped-call]
    return module


def _origin(kind: type) -> str:
    """Where a class is from: "mibounds", "torch.nn", or its own module."""
    return next((origin for start, origin in _ORIGINS.items() if kind.__module__.startswith(start)), kind.__module__)


def _known() -> dict[tuple[str, str], type[nn.Module]]:
    """The classes of modules that have been imported, by where they are from and their names."""
    return {(_origin(kind), kind.__qualname__): kind for kind in subclasses(nn.Module)}


def _import_modules() -> None:
    """Import all files of mibounds that may hold modules of a fit: what made it need not run in this process."""
    for package in ("critics", "data", "estimation", "learners"):
        folder = importlib.import_module(f"mibounds.{package}").__path__
        for found in pkgutil.iter_modules(folder, f"mibounds.{package}."):
            importlib.import_module(found.name)


def _to_json(value: Any, where: str) -> Any:
    """JSON that tells tuples from lists, and dictionaries from what tells them."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, numbers.Real):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    if isinstance(value, tuple | list):
        items = [_to_json(item, where) for item in value]
        return {"tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _to_json(item, where) for key, item in value.items()}}
    advice = (
        "register it as a buffer"
        if isinstance(value, Tensor)
        else "make it an nn.Module, or give the class a method init_arguments() that returns what to call it with"
    )
    raise ValueError(
        f"{where} is a {type(value).__name__}, and a file without code holds numbers, text and tensors: {advice}."
    )


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(_from_json(item) for item in value["tuple"])
    return {key: _from_json(item) for key, item in value["dict"].items()}
