"""Recomputation: the backward pass computes results again, one piece of their rows after the other.

Like activation checkpointing, with three differences. No part of a graph outlives its piece, so memory stays that of
one piece: small tensors that remain between large ones that are freed would fragment the memory of the allocator. A
parameter that is frozen in the forward pass is frozen in the backward pass, too. And the global state of the random
number generators is forked only where the module drops units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["graph_nodes", "recomputed", "repeatable", "trained", "without_hooks"]

Piece = Callable[..., tuple[Tensor, ...]]


def recomputed(
    results: Sequence[Tensor], pieces: Sequence[Piece], tensors: Sequence[Tensor], parameters: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """Give results a gradient (but no second one) without keeping their graph.

    Arguments:
        results: each (N, ...), without a graph; the concatenated results of the pieces.
        pieces: functions of the tensors, each of some rows of every result, in order. They are deterministic.
        tensors: the arguments of the pieces.
        parameters: the other tensors that the pieces depend on and that are trained, see `trained`.

    Raises:
        RuntimeError: in a backward pass that is asked for a second gradient.

    Example:
        >>> weight = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> pieces = [lambda w: (w[:2].square(),), lambda w: (w[2:].square(),)]
        >>> (squares,) = recomputed([weight.detach() ** 2], pieces, [weight], [])
        >>> squares.sum().backward()
        >>> weight.grad
        tensor([2., 4., 6.])
    """
    joined: tuple[Tensor, ...] = _Again.apply(  # type: ignore[no-untyped-call]
        tuple(results), pieces, len(tensors), *tensors, *parameters
    )
    return joined


def repeatable(module: nn.Module, device: torch.device, function: Callable[..., Any]) -> Callable[..., Any]:
    """A deterministic version of a function of a module: it runs with the current autocast and, where the module drops
    units, with the same random numbers."""
    enabled, dtype = torch.is_autocast_enabled(device.type), torch.get_autocast_dtype(device.type)
    drops = module.training and any("Dropout" in type(part).__name__ for part in module.modules())
    seed = int(torch.randint(1 << 62, ())) if drops else 0

    def again(*arguments: Any) -> Any:
        with torch.autocast(device.type, dtype, enabled), torch.random.fork_rng(enabled=drops):
            if drops:
                torch.manual_seed(seed)
            return function(*arguments)

    return again


def trained(results: Sequence[Tensor], but: Sequence[Tensor]) -> list[Tensor]:
    """The leaves with gradients that results depend on, except those in `but` and those that are frozen by now.

    >>> weight, x = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    >>> [leaf is weight for leaf in trained([weight * x], [x])]
    [True]
    """
    left_out = {id(other) for other in but}
    leaves = [node.variable for node in graph_nodes(results) if hasattr(node, "variable")]
    return [leaf for leaf in leaves if leaf.requires_grad and id(leaf) not in left_out]


@contextmanager
def without_hooks(leaves: Sequence[Tensor]) -> Iterator[None]:
    """Inside, the hooks of leaves (`Tensor.register_hook`) do not run: a later pass, which fills `.grad`, runs them.

    >>> weight = torch.ones((), requires_grad=True)
    >>> handle = weight.register_hook(lambda gradient: 0.1 * gradient)
    >>> with without_hooks([weight]):
    ...     torch.autograd.grad(3 * weight, weight)
    (tensor(3.),)
    """
    # `autograd.grad` calls what is in this dictionary of a tensor, which a handle refers to, too.
    registered = [leaf._backward_hooks for leaf in leaves if leaf._backward_hooks]
    copies = [dict(hooks) for hooks in registered]
    for hooks in registered:
        hooks.clear()
    try:
        yield
    finally:
        for hooks, copy in zip(registered, copies, strict=True):
            hooks.update(copy)


def graph_nodes(results: Sequence[Tensor]) -> Iterator[Any]:
    """The nodes of the graph of results, each once.

    >>> x = torch.ones(2, requires_grad=True)
    >>> [node.name() for node in graph_nodes([2 * x])]
    ['MulBackward0', 'torch::autograd::AccumulateGrad']
    """
    nodes: list[Any] = [result.grad_fn for result in results]
    visited = {None}
    while nodes:
        node = nodes.pop()
        if node not in visited:
            visited.add(node)
            nodes += [parent for parent, _ in node.next_functions]
            yield node


class _Again(torch.autograd.Function):
    """The autograd function of `recomputed`: the first `count` inputs are the tensors."""

    @staticmethod
    def forward(
        ctx: Any, results: tuple[Tensor, ...], pieces: Sequence[Piece], count: int, *inputs: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.pieces, ctx.count = pieces, count
        ctx.save_for_backward(*inputs)
        return results

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "A batch whose pairs are scored in blocks has no second gradient (create_graph=True): use fewer rows "
                "or fewer negatives."
            )
        inputs = list(ctx.saved_tensors)
        wanted = enumerate(zip(ctx.needs_input_grad[3:], inputs, strict=True))
        needed = [i for i, (then, one) in wanted if then and one.requires_grad]  # it may be frozen by now
        for i in range(ctx.count):  # the graph of a piece ends here
            inputs[i] = inputs[i].detach().requires_grad_(i in needed)
        totals: list[Tensor | None] = [None] * len(inputs)
        start = 0
        for piece in ctx.pieces:
            with torch.enable_grad():
                results = piece(*inputs[: ctx.count])
            rows = slice(start, start + len(results[0]))
            ends = [k for k, result in enumerate(results) if result.requires_grad]
            with without_hooks(inputs):
                piece_gradients = torch.autograd.grad(
                    [results[k] for k in ends],
                    [inputs[i] for i in needed],
                    [gradients[k][rows] for k in ends],
                    allow_unused=True,
                )
            for i, gradient in zip(needed, piece_gradients, strict=True):
                total = totals[i]
                totals[i] = gradient if total is None else total if gradient is None else total + gradient
            start = rows.stop
        return None, None, None, *totals
