r"""Adaptive gradient clipping: the gradient of an information term is at most as long as that of the loss.

With :math:`g` the gradient of the user's loss and :math:`m` that of the information term, over all parameters
concatenated,

.. math:: g_{applied} = g - \beta \, \min(\lVert g \rVert, \lVert m \rVert) \, \frac{m}{\lVert m \rVert} .

References:
    Belghazi et al., Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section 5.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["clipped_backward", "gradient_scale"]


def gradient_scale(loss: Tensor, penalty: Tensor, parameters: Iterable[Tensor]) -> Tensor:
    r"""The factor that makes the gradient of an information term at most as long as that of the loss.

    .. math:: c = \min(\lVert \nabla loss \rVert, \lVert \nabla penalty \rVert) / \lVert \nabla penalty \rVert

    `(loss - beta * c * penalty).backward()` is then the published formula. This function differentiates both terms once
    and retains their graph for that `backward`; `clipped_backward` needs one pass through each graph only.

    Arguments:
        loss: scalar, the user's loss.
        penalty: scalar in nats, `MIRegularizer`'s value.
        parameters: parameters of the regularized network; norms are over the gradients of all of them, concatenated.

    Returns:
        A detached scalar between 0 and 1; 0 if the penalty has no gradient, or one that is not finite.

    Raises:
        ValueError: if no parameter requires a gradient, or one of the terms is not a scalar with a graph.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
        >>> gradient_scale(weight[0] * 3, weight[1] * 6, [weight])
        tensor(0.5000)
    """
    with _measurement():
        return _scale(*_both_gradients(loss, penalty, parameters)[1:])


def clipped_backward(loss: Tensor, penalty: Tensor, parameters: Iterable[Tensor], beta: float = 1.0) -> Tensor:
    r"""`(loss - beta * gradient_scale(loss, penalty, parameters) * penalty).backward()` without the third pass.

    The gradients that `gradient_scale` computes are combined and added to `.grad`, and the graph is freed. Only
    `parameters` receive gradients. With `beta=0` the result equals that of `loss.backward()` exactly.

    Arguments:
        loss: scalar, the user's loss.
        penalty: scalar in nats, to be maximized with a positive `beta` and minimized with a negative one.
        parameters: parameters of the regularized network, which receive gradients.
        beta: weight of the information term; up to an absolute value of 1 its gradient is at most as long as that of
            the loss.

    Returns:
        The scale, a detached scalar; 0 for `beta=0`.

    Raises:
        ValueError: as `gradient_scale`.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
        >>> scale = clipped_backward(weight[0] * 3, weight[1] * 6, [weight])
        >>> weight.grad
        tensor([ 3., -3.])
    """
    if beta == 0:
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.new_zeros(())
    # Differentiate -penalty or +penalty, as it is added: `MIRegularizer` checks the sign of the gradient it receives.
    term = -penalty if beta > 0 else +penalty
    chosen, of_loss, of_term = _both_gradients(loss, term, parameters, keep=False)
    scale = _scale(of_loss, of_term)
    for parameter, first, second in zip(chosen, of_loss, of_term, strict=True):
        # If the scale is 0 the gradient may be infinite, and 0 times infinity is NaN.
        added = None if second is None else torch.where(scale > 0, abs(beta) * scale * second, 0.0)
        applied = _sum(first, added)
        if applied is not None:
            parameter.grad = applied if parameter.grad is None else parameter.grad + applied
    return scale


def measures_gradient() -> bool:
    """Whether `gradient_scale` differentiates a penalty now: its sign is then not the direction of the optimization."""
    return _running > 0


_running = 0


@contextmanager
def _measurement() -> Iterator[None]:
    global _running  # noqa: PLW0603  (hooks run in threads of the autograd engine, which have other context variables)
    _running += 1
    try:
        yield
    finally:
        _running -= 1


Gradients = Sequence[Tensor | None]


def _both_gradients(
    loss: Tensor, penalty: Tensor, parameters: Iterable[Tensor], keep: bool = True
) -> tuple[list[Tensor], Gradients, Gradients]:
    chosen = [parameter for parameter in parameters if parameter.requires_grad]
    if not chosen:
        raise ValueError("parameters has none that requires a gradient: pass those of the regularized network.")
    for name, term in (("loss", loss), ("penalty", penalty)):
        if term.dim() or not term.requires_grad:
            raise ValueError(
                f"{name} has shape {tuple(term.shape)} and {'a' if term.requires_grad else 'no'} graph: "
                "expected a scalar that depends on the parameters."
            )
    of_loss = torch.autograd.grad(loss, chosen, retain_graph=True, allow_unused=True)
    of_penalty = torch.autograd.grad(penalty, chosen, retain_graph=keep, allow_unused=True)
    return chosen, of_loss, of_penalty


def _scale(of_loss: Gradients, of_penalty: Gradients) -> Tensor:
    """min(|g|, |m|) / |m|, and 0 where |m| is 0 or not finite."""
    loss_norm, penalty_norm = _norm(of_loss), _norm(of_penalty)
    usable = (penalty_norm > 0) & penalty_norm.isfinite()  # both may be infinite, and their ratio is NaN
    return torch.where(usable, torch.minimum(loss_norm, penalty_norm) / penalty_norm, 0.0)


def _norm(gradients: Gradients) -> Tensor:
    """The norm of all gradients concatenated, in float32."""
    norms = [torch.linalg.vector_norm(gradient, dtype=torch.float32) for gradient in gradients if gradient is not None]
    return torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    if first is None or second is None:
        return first if second is None else second
    return first + second
