r"""Adaptive gradient clipping: the gradient of an information term is at most as long as that of the loss.

With :math:`g` the gradient of the user's loss and :math:`m` that of the information term, over all parameters
concatenated,

.. math:: g_{applied} = g - \beta \, \min(\lVert g \rVert, \lVert m \rVert) \, \frac{m}{\lVert m \rVert} .

In a distributed job the norms are those of the gradients averaged over the ranks, so the scale is the same on all.

References:
    Belghazi et al., Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section 5.1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from mibounds._checks import check_number
from mibounds._distributed import average, ranks
from mibounds.critics.recompute import graph_nodes, trained, without_hooks

__all__ = ["clipped_backward", "gradient_scale"]


def gradient_scale(loss: Tensor, penalty: Tensor, parameters: Tensor | Iterable[Tensor]) -> Tensor:
    r"""The factor that makes the gradient of an information term at most as long as that of the loss.

    .. math:: c = \min(\lVert \nabla loss \rVert, \lVert \nabla penalty \rVert) / \lVert \nabla penalty \rVert

    `(loss - beta * c * penalty).backward()` is then the published formula. This function differentiates both terms once
    and retains their graph for that `backward`; `clipped_backward` needs one pass through each graph only.

    Both terms must have the same factor: under a `GradScaler` pass both unscaled, or both scaled.

    Arguments:
        loss: scalar, the user's loss.
        penalty: scalar in nats, `MIRegularizer`'s value.
        parameters: parameters of the regularized network, or a single one; norms are over the gradients of all of
            them, concatenated.

    Returns:
        A detached scalar between 0 and 1; 0 if the penalty has no gradient, or one that is not finite or whose square
        is no number of float32 (shorter than 1e-22 or longer than 1e19).

    Raises:
        TypeError: if `parameters` holds something else than tensors, or one of the terms is none.
        ValueError: if no parameter requires a gradient, one of the terms is not a scalar with a graph or its graph was
            freed, one of them depends on none of the parameters, or they come from `DistributedDataParallel` with
            static_graph=True, which has to record the first backward pass undivided.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
        >>> gradient_scale(weight[0] * 3, weight[1] * 6, [weight])
        tensor(0.5000)
    """
    chosen = _leaves(parameters)
    _check_terms(loss, penalty)
    of_loss = _gradients("loss", loss, chosen, chosen)
    return _scale(chosen, of_loss, _gradients("penalty", penalty, chosen, chosen))


def clipped_backward(loss: Tensor, penalty: Tensor, parameters: Tensor | Iterable[Tensor], beta: float = 1.0) -> Tensor:
    r"""`(loss - beta * gradient_scale(loss, penalty, parameters) * penalty).backward()` without the third pass.

    The gradients that `gradient_scale` computes are combined, and sent to `.grad` as `backward` does, so that hooks,
    accumulation and `DistributedDataParallel` work. The graph is freed. Parameters that are not in `parameters` (those
    of a classifier on top of the regularized encoder, say) get the gradient of the loss alone, and those that only the
    penalty reaches none: a projection head of the penalty belongs to `parameters`. With `beta=0` the result equals that
    of `loss.backward()` exactly. Hooks and `retain_grad()` of intermediate tensors see the passes one by one.

    Arguments:
        loss: scalar, the user's loss.
        penalty: scalar in nats, to be maximized with a positive `beta` and minimized with a negative one.
        parameters: parameters of the regularized network, or a single one, which the information term trains.
        beta: weight of the information term, a number, which is not trained; up to an absolute value of 1 the gradient
            of the term is at most as long as that of the loss.

    Returns:
        The scale, a detached scalar; 0 for `beta=0`.

    Raises:
        TypeError, ValueError: as `gradient_scale`, or if `beta` is no finite number or requires a gradient.

    Example:
        >>> weight, head = (torch.nn.Parameter(torch.tensor([1.0, 1.0])) for _ in range(2))
        >>> scale = clipped_backward(weight[0] * 3 + head[1], weight[1] * 6, [weight])
        >>> weight.grad, head.grad
        (tensor([ 3., -3.]), tensor([0., 1.]))
    """
    beta = _weight(beta)
    _check_terms(loss, penalty if beta else loss)
    if beta == 0:
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.new_zeros(())
    chosen = _leaves(parameters)
    leaves = [*chosen, *trained([loss], chosen)]
    _check_not_sharded(leaves)
    of_loss = _gradients("loss", loss, leaves, chosen)
    # Differentiate -penalty or +penalty, as it is added: `MIRegularizer` checks the sign of the gradient it receives.
    with _application():
        of_term = _gradients("penalty", -penalty if beta > 0 else +penalty, chosen, chosen, keep=False)
    scale = _scale(chosen, of_loss[: len(chosen)], of_term)
    factor, usable = abs(beta) * scale, scale > 0
    # If the scale is 0 the gradient may be infinite, and 0 times infinity is NaN.
    added = [None if term is None else torch.where(usable, factor * term, 0.0) for term in of_term]
    added += [None] * (len(leaves) - len(chosen))
    applied = [_sum(first, second) for first, second in zip(of_loss, added, strict=True)]
    reached = [(leaf, gradient) for leaf, gradient in zip(leaves, applied, strict=True) if gradient is not None]
    torch.autograd.backward([leaf for leaf, _ in reached], [gradient for _, gradient in reached])
    return scale


def applies_gradient() -> bool:
    """Whether `clipped_backward` differentiates a penalty now, whose gradient will be applied."""
    return _running > 0


_running = 0


@contextmanager
def _application() -> Iterator[None]:
    global _running  # noqa: PLW0603  (hooks run in threads of the autograd engine, which have other context variables)
    _running += 1
    try:
        yield
    finally:
        _running -= 1


Gradients = Sequence[Tensor | None]


def _leaves(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The parameters that require a gradient, each once."""
    if not isinstance(parameters, Iterable):
        raise TypeError(f"parameters is a {type(parameters).__name__}: pass tensors, for example encoder.parameters().")
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for one in given:
        if not isinstance(one, Tensor):
            raise TypeError(
                f"parameters contains a {type(one).__name__}: pass tensors, for example encoder.parameters()."
            )
    if not given:
        raise ValueError("parameters is empty: a generator gives its items once, so pass a list, [*net.parameters()].")
    chosen = list({id(one): one for one in given if one.requires_grad}.values())
    if not chosen:
        raise ValueError("parameters has none that requires a gradient: pass those of the regularized network.")
    if not all(one.is_leaf for one in chosen):
        raise ValueError("parameters contains the result of a computation: pass parameters of the regularized network.")
    return chosen


def _weight(beta: object) -> float:
    """A weight as a number."""
    if isinstance(beta, Tensor) and beta.requires_grad:
        raise ValueError("beta requires a gradient, and clipped_backward has none for it: pass a number.")
    return check_number("beta", beta.item() if isinstance(beta, Tensor) and beta.numel() == 1 else beta)


def _check_terms(loss: Tensor, penalty: Tensor) -> None:
    """Both are scalars with a graph, which DistributedDataParallel need not record in one backward pass."""
    for name, term in (("loss", loss), ("penalty", penalty)):
        if not isinstance(term, Tensor):
            raise TypeError(f"{name} is a {type(term).__name__}: expected a scalar tensor that has a graph.")
        if term.dim() or not term.requires_grad:
            raise ValueError(
                f"{name} has shape {tuple(term.shape)} and {'a' if term.requires_grad else 'no'} graph: "
                "expected a scalar that depends on the parameters."
            )
    sinks = (node for node in graph_nodes([loss, penalty] if ranks() > 1 else []) if hasattr(node, "ddp_weakref"))
    if any(sink.ddp_weakref().static_graph for sink in sinks):
        raise ValueError(
            "The network is in DistributedDataParallel(static_graph=True), which would not average gradients that are "
            "computed term by term: leave static_graph out, or use a fixed weight, (loss - beta * penalty).backward()."
        )


def _check_not_sharded(leaves: Sequence[Tensor]) -> None:
    """Raise a ValueError for parameters that `fully_shard` holds together until a backward pass of its own: they would
    get the gradient of the step before."""
    states = sys.modules.get("torch.distributed._composable_state")
    modules = list(getattr(states, "_module_state_mapping", ())) if ranks() > 1 else []
    sharded = [one for one in modules if any(kind.__name__ == "FSDPModule" for kind in type(one).__mro__)]
    held = {id(parameter) for module in sharded for parameter in module.parameters()}
    if any(id(leaf) in held for leaf in leaves):
        raise ValueError(
            "The network is sharded (fully_shard), and its gradients are reduced in a backward pass of its own: use "
            "gradient_scale and (loss - beta * scale * penalty).backward(), or a fixed weight."
        )


def _gradients(
    name: str, term: Tensor, leaves: Sequence[Tensor], chosen: Sequence[Tensor], keep: bool = True
) -> Gradients:
    """The gradient of a term with respect to the leaves, of which the chosen ones come first."""
    try:
        with without_hooks(leaves):
            found = torch.autograd.grad(term, leaves, retain_graph=keep, allow_unused=True)
    except RuntimeError as error:
        if "use_reentrant" in str(error):
            raise ValueError(
                f"{name} passes through torch.utils.checkpoint with use_reentrant=True, which hides the parameters: "
                "pass use_reentrant=False there, or use a fixed weight without clipping."
            ) from error
        if "donated buffers" in str(error):
            raise ValueError(
                f"{name} passes through a compiled network, whose buffers a backward pass may overwrite: set "
                "torch._functorch.config.donated_buffer = False before it is compiled, or use a fixed weight without "
                "clipping."
            ) from error
        if "second time" not in str(error):
            raise
        raise ValueError(
            f"The graph of {name} was freed by an earlier backward pass: pass the sum of several terms in one call."
        ) from error
    dense = [one.to_dense() if one is not None and one.is_sparse else one for one in found[: len(chosen)]]
    found = (*dense, *found[len(chosen) :])
    if all(gradient is None for gradient in found[: len(chosen)]):
        raise ValueError(
            f"{name} depends on none of the parameters: pass those of the network whose output is regularized. "
            "(Reentrant checkpointing and FSDP hide them: use_reentrant=False, or a fixed weight without clipping.)"
        )
    return found


def _scale(parameters: Sequence[Tensor], of_loss: Gradients, of_penalty: Gradients) -> Tensor:
    """min(|g|, |m|) / |m|, and 0 where |m| is 0 or not finite."""
    if ranks() > 1:
        of_loss, of_penalty = _averaged(parameters, of_loss), _averaged(parameters, of_penalty)
    loss_norm, penalty_norm = _norm(of_loss), _norm(of_penalty)
    usable = (penalty_norm > 0) & penalty_norm.isfinite()  # both may be infinite, and their ratio is NaN
    return torch.where(usable, torch.minimum(loss_norm, penalty_norm) / penalty_norm, 0.0)


def _averaged(parameters: Sequence[Tensor], gradients: Gradients) -> list[Tensor]:
    """Means over the ranks; a parameter without a gradient on one rank may have one on another."""
    means = [
        torch.zeros_like(parameter) if gradient is None else gradient.clone()
        for parameter, gradient in zip(parameters, gradients, strict=True)
    ]
    average(means)
    return means


def _norm(gradients: Gradients) -> Tensor:
    """The norm of all gradients concatenated, in float32: half precision would overflow."""
    present = [gradient for gradient in gradients if gradient is not None]
    if not present:
        return torch.zeros(())
    if all(gradient.dtype == torch.float32 for gradient in present):
        norms: Sequence[Tensor] = torch._foreach_norm(present)  # one call instead of two for each parameter
    else:
        norms = [
            torch.linalg.vector_norm(gradient, dtype=torch.promote_types(gradient.dtype, torch.float32)).float()
            for gradient in present
        ]
    norm: Tensor = torch.linalg.vector_norm(torch.stack([*norms]))
    return norm


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    if first is None or second is None:
        return first if second is None else second
    return first + second
