"""The interface of the TensorFlow project that mibounds grew from, on PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mibounds._checks import check_at_least, nearest
from mibounds._variables import take_rows
from mibounds.bounds import MINE, NWJ, Bound, InfoNCE
from mibounds.choices import build_critic
from mibounds.critics.critic import pairwise_chunks
from mibounds.data import intake_pair
from mibounds.inference import Reading, pool, read_grid
from mibounds.representation.regularizer import MIRegularizer

__all__ = ["Mi_estimator"]

_HELD_OUT = 4096
_BLOCK = 1024


class Mi_estimator:
    r"""Mutual information by MINE, NWJ or InfoNCE with the original project's signature.

    What differs is what was wrong: MINE's moving average moves, the separable critic can be built, `fit` reads rows
    that it did not train on, and sums hold no padding. New code is better served by `mi.estimate` and `MIRegularizer`.

    Arguments:
        regu_name: "mine", "nwj" or "nce".
        dim_x: columns of x.
        dim_z: columns of z.
        batch_size: rows of a training batch; with "nce" the whole batch is negatives, so it reads at most
            ln(batch_size).
        critic_layers: widths of the critic's hidden layers.
        critic_lr: learning rate of the critic's Adam.
        critic_activation: a torch name.
        critic_type: "joint", or "separable" (also "separate").
        ema_decay: share of MINE's moving average that is kept at every step.
        negative_samples: mismatched pairs per row for "mine" and "nwj".

    Raises:
        ValueError: for unknown names and sizes that do not fit.

    Example:
        >>> x = torch.randn(2000, 1)
        >>> estimator = Mi_estimator("nce", 1, 1, 64, critic_layers=[32], critic_lr=1e-2, critic_type="separable")
        >>> 0.2 < estimator.fit(x, x + torch.randn(2000, 1), epochs=5) < 0.5  # truth .35
        True
    """

    def __init__(
        self,
        regu_name: str,
        dim_x: int,
        dim_z: int,
        batch_size: int,
        critic_layers: Sequence[int] = (256, 256, 256),
        critic_lr: float = 1e-4,
        critic_activation: str = "relu",
        critic_type: str = "joint",
        ema_decay: float = 0.99,
        negative_samples: int = 1,
    ):
        bounds: dict[str, Callable[[], Bound]] = {"mine": lambda: MINE(decay=ema_decay), "nwj": NWJ, "nce": InfoNCE}
        if regu_name not in bounds:
            advice = nearest(regu_name, bounds)
            raise ValueError(f"regu_name is {regu_name!r}, and must be 'mine', 'nwj' or 'nce'. {advice}")
        check_at_least("batch_size", batch_size, 2)
        kinds = {"joint": "joint", "separate": "separable", "separable": "separable"}
        if critic_type not in kinds:
            raise ValueError(f"critic_type is {critic_type!r}. {nearest(critic_type, kinds)}")
        if not 1 <= negative_samples < batch_size:
            raise ValueError(
                f"negative_samples is {negative_samples}, and a batch of {batch_size} rows has {batch_size - 1} others."
            )
        self.regu_name, self.batch_size = regu_name, batch_size
        self.regularizer = MIRegularizer(
            dim_x,
            dim_z,
            bound=bounds[regu_name](),
            critic=build_critic(
                kinds[critic_type], dim_x, dim_z, hidden=tuple(critic_layers), activation=critic_activation
            ),
            lr=critic_lr,
            negatives="all" if regu_name == "nce" else negative_samples,
            clip=float("inf"),  # the original's steps are not clipped
        )

    def __call__(self, x: Tensor, z: Tensor) -> tuple[Callable[[], None], dict[str, Tensor]]:
        """One batch: what trains the critic on it, and the quantities to add to a loss.

        Arguments:
            x: (N, dim_x).
            z: (N, dim_z).

        Returns:
            `train_op()` takes one step of the critic. `quantities["mi_for_grads"]` is differentiable in x and z
            (for MINE with the bias-corrected gradient), `quantities["mi"]` its number to log, both in nats.
        """
        penalty = self.regularizer(x, z)
        return lambda: self.regularizer.update(x, z), {"mi": penalty.detach(), "mi_for_grads": penalty}

    def fit(self, x_data: Any, z_data: Any, epochs: int = 10) -> float:
        """Train on four fifths of the rows and return the estimate in nats on the rest.

        Arguments:
            x_data: (N, dim_x) numbers.
            z_data: (N, dim_z) numbers, paired with x_data.
            epochs: passes over the training rows.
        """
        check_at_least("epochs", epochs, 1)
        table_x, table_z, _ = intake_pair(x_data, z_data, drop_constant=False, kinds=("continuous", "continuous"))
        x, z = table_x.values, table_z.values
        generator = torch.Generator().manual_seed(0)
        order = torch.randperm(len(x), generator=generator)
        held_out, rows = order[: min(len(x) // 5, _HELD_OUT)], order[len(x) // 5 :]
        if len(rows) < self.batch_size:
            raise ValueError(
                f"batch_size is {self.batch_size}, and {len(rows)} rows are left to train on: "
                "give a smaller batch_size."
            )
        for _ in range(epochs):
            shuffled = rows[torch.randperm(len(rows), generator=generator)]
            for start in range(0, len(rows) - self.batch_size + 1, self.batch_size):
                batch = shuffled[start : start + self.batch_size]
                self.regularizer.update(x[batch], z[batch])
        return self._read(x[held_out], z[held_out])

    def _read(self, x: Tensor, z: Tensor) -> float:
        """The bound over all pairs of blocks: `batch_size` rows for InfoNCE, as in the original, else 1,024."""
        estimator = self.regularizer.estimator
        block = min(self.batch_size if self.regu_name == "nce" else _BLOCK, len(x))
        parts = []
        for start in range(0, len(x) - block + 1, block):
            kept = slice(start, start + block)
            grid = pairwise_chunks(estimator.critic, take_rows(x, kept), take_rows(z, kept))
            parts += read_grid(grid, [estimator.bound], both=False)
        rows = pool(parts)
        return Reading(estimator.bound, rows, torch.zeros(len(rows[0][0])), estimator.bound.ceiling(block - 1)).value()
