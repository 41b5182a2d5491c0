"""The critic of contrastive learning: a cosine with a temperature, and the pairs of two views."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from mibounds._checks import check_number
from mibounds.critics.critic import Critic, inner_product

__all__ = ["CosineCritic", "two_views"]


class CosineCritic(Critic):
    r"""The cosine of two embeddings over a learned temperature, :math:`f(x,y) = \cos(x, y) / \tau`.

    The critic of SimCLR and CLIP for embeddings of the same width. Its scores lie between :math:`\pm 1/\tau`, so no
    bound exceeds :math:`2/\tau`. Inputs are not standardized.

    References:
        Chen et al., A simple framework for contrastive learning of visual representations, 2020, arXiv:2002.05709.
        Radford et al., Learning transferable visual models from natural language supervision, 2021, arXiv:2103.00020.

    Arguments:
        temperature: its initial value, above 0.
        learned: train its logarithm; the inverse is at most 100, as in CLIP.

    Example:
        >>> x = torch.tensor([[3.0, 0.0], [0.0, 2.0]])
        >>> CosineCritic(temperature=0.5).pairwise(x, x).detach()
        tensor([[2., 0.],
                [0., 2.]])
    """

    def __init__(self, *, temperature: float = 0.07, learned: bool = True):
        super().__init__()
        start = -math.log(check_number("temperature", temperature, above=0))
        self.log_scale = nn.Parameter(torch.tensor(start), requires_grad=learned)

    def encode_x(self, x: Tensor) -> Tensor:
        return normalize(x, dim=-1) * self.log_scale.clamp_max(math.log(100)).exp()

    def encode_y(self, y: Tensor) -> Tensor:
        return normalize(y, dim=-1)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return inner_product(hx, hy)


def two_views(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The pairs of NT-Xent: both views of every sample, with all other samples of both views as negatives.

    Arguments:
        a: (N, E) embeddings of one view.
        b: (N, E) embeddings of the other view of the same samples.

    Returns:
        x and y (2N, E), and the partners (2N, 2N - 2) for `MIEstimator.value` and `loss_and_value`. InfoNCE of them is
        ln(2N - 1) minus the loss of SimCLR.

    Example:
        >>> from mibounds.bounds import InfoNCE
        >>> from mibounds.critics import score
        >>> x, y, partners = two_views(torch.eye(4), torch.eye(4))
        >>> scores = score(CosineCritic(temperature=0.1), x, y, partners)
        >>> InfoNCE()(scores.joint, scores.product).detach()
        tensor(1.9456)
    """
    n = len(a)
    every = torch.arange(2 * n, device=a.device)
    # All indices but i and i + N (modulo 2N), which are the sample itself.
    steps = torch.cat([every[1:n], every[n + 1 :]])
    return torch.cat([a, b]), torch.cat([b, a]), (every[:, None] + steps) % (2 * n)
