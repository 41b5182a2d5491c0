"""The outputs of named layers of a network, without a trace in the network or in its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from mibounds._checks import layer_widths
from mibounds._variables import tuple_like

__all__ = ["count_rows", "evaluation_mode", "kept_buffers", "layer_outputs", "named_layers", "unwrap"]

_SHOWN = 40  # names in an error


def unwrap(model: nn.Module) -> nn.Module:
    """The module inside of DataParallel, DistributedDataParallel and torch.compile, whose layers have their own names.

    Example:
        >>> model = nn.Linear(1, 1)
        >>> unwrap(nn.DataParallel(model)) is model
        True
    """
    while True:
        if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            model = model.module
        elif isinstance(compiled := getattr(model, "_orig_mod", None), nn.Module):
            model = compiled
        else:
            return model


def named_layers(model: nn.Module, names: Sequence[str]) -> dict[str, nn.Module]:
    """The modules of these names, as in `model.named_modules()`.

    Raises:
        ValueError: if there are no names, or the model has no layer of a name; the message lists its layers.
    """
    known = {name: module for name, module in model.named_modules() if name}
    for name in names:
        if name not in known:
            shown = ", ".join(repr(one) for one in [*known][:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
            raise ValueError(f"{type(model).__name__} has no layer {name!r}; its layers are {shown or 'none at all'}.")
    if not names:
        raise ValueError("layers is empty: name at least one of model.named_modules().")
    return {name: known[name] for name in names}


def count_rows(x: Any) -> int:
    """N, for a tensor or an array (N, ...), or a tuple or a dictionary of these."""
    while isinstance(x, tuple | Mapping) and len(x):
        x = next(iter(x.values() if isinstance(x, Mapping) else x))
    return len(x)


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; the mode of each module and torch's random state are restored."""
    modes = {module: module.training for module in model.modules()}
    devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
    try:
        model.eval()
        with torch.random.fork_rng(devices=sorted(devices)), torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def kept_buffers(modules: Sequence[nn.Module]) -> AbstractContextManager[None]:
    """What modules write into their buffers inside (the statistics of a batch normalization) is discarded."""
    return _kept_buffers(modules) if modules else nullcontext()


@contextmanager
def _kept_buffers(modules: Sequence[nn.Module]) -> Iterator[None]:
    before = [dict(module._buffers) for module in modules]
    for module, buffers in zip(modules, before, strict=True):
        module._buffers.update({name: None if one is None else one.clone() for name, one in buffers.items()})
    try:
        yield
    finally:
        for module, buffers in zip(modules, before, strict=True):
            module._buffers.update(buffers)


def layer_outputs(
    model: nn.Module,
    names: Sequence[str],
    x: Any,
    *,
    batch_size: int = 512,
    forward: Callable[[Any, Any], Any] | None = None,
) -> dict[str, Tensor]:
    """The outputs of layers for all rows of x, each flattened to (N, D), in float32 on the CPU.

    The model runs in evaluation mode without gradients. Afterwards the mode of each module and the state of torch's
    random number generators (CPU and CUDA) are restored.

    Arguments:
        model: any module.
        names: names of layers as in `model.named_modules()`. Of a layer that returns a tuple the first tensor is taken,
            of one that is called several times the last call.
        x: a tensor or an array (N, ...), or a tuple or a dictionary of these; moved to the model's device and, if it is
            floating-point, to its precision.
        batch_size: rows of one forward pass.
        forward: `forward(model, x)`; by default `model(x)`, `model(*x)` for a tuple and `model(**x)` for a dictionary.

    Raises:
        ValueError: if a layer is not called, or its output is not a finite tensor with one row for each row of x.
        NotImplementedError: if the model has no forward method and `forward` is None.

    Example:
        >>> layer_outputs(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), ["1"], torch.zeros(5, 2))["1"].shape
        torch.Size([5, 3])
    """
    rows = count_rows(x)
    batches: dict[str, list[Tensor]] = {name: [] for name in names}
    latest: dict[str, Any] = {}

    def record(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            # A copy: the next layer may write into its input (ReLU(inplace=True)).
            latest[name] = _first_tensor(output, name).detach().to("cpu", torch.float32, copy=True)

        return hook

    hooks = [module.register_forward_hook(record(name)) for name, module in named_layers(model, names).items()]
    try:
        with evaluation_mode(model):
            for start in range(0, rows, batch_size):
                latest.clear()
                _run(model, _batch(x, slice(start, start + batch_size), model), forward)
                for name, outputs in batches.items():
                    outputs.append(_flat(latest.get(name), name, min(batch_size, rows - start)))
    finally:
        for hook in hooks:
            hook.remove()
    return {name: torch.cat(outputs) for name, outputs in batches.items()}


def _run(model: nn.Module, batch: Any, forward: Callable[[Any, Any], Any] | None) -> None:
    try:
        if forward is not None:
            forward(model, batch)
        elif isinstance(batch, Mapping):
            model(**batch)
        elif isinstance(batch, tuple):
            model(*batch)
        else:
            model(batch)
    except RuntimeError as error:
        widths = layer_widths(error)
        if widths is not None or "have the same dtype" in str(error):
            why = str(error) if widths is None else f"a layer of {widths[1]} inputs gets {widths[0]}"
            raise ValueError(
                f"{type(model).__name__} cannot take x: {why}. Pass rows of the shape and type that it is trained on."
            ) from error
        if not isinstance(error, NotImplementedError) or "forward" not in str(error):
            raise
        raise NotImplementedError(
            f"{type(model).__name__} has no forward: say how its layers are called, for example "
            "forward=lambda model, x: model.head(model.encoder(x))."
        ) from error


def _batch(x: Any, rows: slice, model: nn.Module) -> Any:
    """Rows of x on the model's device, floating-point numbers in its precision."""
    if isinstance(x, Mapping):
        return {name: _batch(value, rows, model) for name, value in x.items()}
    if isinstance(x, tuple):
        return tuple_like(x, [_batch(value, rows, model) for value in x])
    batch = torch.as_tensor(x[rows])
    first = next((p for p in model.parameters() if p.is_floating_point()), None)
    if first is None:
        return batch
    return batch.to(first.device, first.dtype if batch.is_floating_point() else None)


def _first_tensor(output: Any, name: str) -> Tensor:
    while isinstance(output, tuple | list | Mapping) and len(output):
        output = next(iter(output.values() if isinstance(output, Mapping) else output))
    if not isinstance(output, Tensor):
        raise ValueError(f"layer {name!r} gives a {type(output).__name__}: name a layer that gives a tensor.")
    return output


def _flat(output: Tensor | None, name: str, rows: int) -> Tensor:
    """The output as a matrix (N, D)."""
    if output is None:
        raise ValueError(f"layer {name!r} was not called: name layers that the forward pass goes through.")
    if output.dim() == 0 or len(output) != rows:
        raise ValueError(
            f"layer {name!r} gives shape {tuple(output.shape)} for {rows} rows of x: name a layer with a row for each."
        )
    if not output.isfinite().all():
        raise ValueError(f"layer {name!r} gives missing or infinite values: the model has diverged, or x holds some.")
    return output.flatten(1) if output.dim() > 1 else output[:, None]
