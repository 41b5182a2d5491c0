"""The interface of the TensorFlow project that mibounds grew from, on PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mibounds._checks import check_choice, check_integer, check_number, check_seed, check_widths
from mibounds._variables import check_finite
from mibounds.bounds import MINE, NWJ, Bound, InfoNCE
from mibounds.choices import Shape, build_critic
from mibounds.critics.critic import pairwise_chunks
from mibounds.data import Sample
from mibounds.data.pairing import index_warnings
from mibounds.data.variable import Variable
from mibounds.inference import BoundEvaluation, evaluate_grid, pool
from mibounds.networks import activation_module
from mibounds.representation.regularizer import MIRegularizer

__all__ = ["Mi_estimator"]

_HELD_OUT = 4096
_BLOCK = 1024


class Mi_estimator:
    r"""Mutual information by MINE, NWJ or InfoNCE with the original project's signature.

    It differs in what was wrong in the original: MINE's moving average is updated, the separable critic can be built,
    `fit` evaluates on rows that it did not train on, and sums contain no padding. For new code `mibounds.estimate` and
    `MIRegularizer` are the better choice.

    Arguments:
        regu_name: "mine", "nwj" or "nce".
        dim_x: number of columns of x, or the shape of a sample, (C, H, W) for images.
        dim_z: the same for z.
        batch_size: rows of a training batch; with "nce" all other rows of a batch are negatives, so the estimate is at
            most ln(batch_size).
        critic_layers: widths of the critic's hidden layers.
        critic_lr: learning rate of the critic's Adam.
        critic_activation: a torch name, or "swish".
        critic_type: "joint", or "separable" (also "separate").
        ema_decay: decay of MINE's moving average at every step.
        negative_samples: mismatched pairs per row for "mine" and "nwj".
        seed: of the critic's initial weights, its mismatched pairs and the rows that `fit` holds out; new.

    Raises:
        TypeError, ValueError: for unknown names, and numbers of the wrong type or out of range.

    Example:
        >>> x = torch.randn(2000, 1)
        >>> estimator = Mi_estimator("nce", 1, 1, 64, critic_layers=[32], critic_lr=1e-2, critic_type="separable")
        >>> 0.2 < estimator.fit(x, x + torch.randn(2000, 1), epochs=5) < 0.5  # truth 0.35
        True
    """

    def __init__(
        self,
        regu_name: str,
        dim_x: Shape,
        dim_z: Shape,
        batch_size: int,
        critic_layers: Sequence[int] = (256, 256, 256),
        critic_lr: float = 1e-4,
        critic_activation: str = "relu",
        critic_type: str = "joint",
        ema_decay: float = 0.99,
        negative_samples: int = 1,
        *,
        seed: int = 0,
    ):
        check_number("ema_decay", ema_decay, above=0, below=1)
        layers = check_widths("critic_layers", critic_layers)
        if not layers:
            raise ValueError("critic_layers is empty: give the width of at least one layer, for example (256,).")
        try:
            activation_module(critic_activation)
        except ValueError as error:
            raise ValueError(f"critic_{error}") from None
        bounds: dict[str, Callable[[], Bound]] = {"mine": lambda: MINE(decay=ema_decay), "nwj": NWJ, "nce": InfoNCE}
        self.regu_name = check_choice("regu_name", regu_name, bounds)
        self.batch_size = check_integer("batch_size", batch_size, 2)
        kind = check_choice("critic_type", critic_type, ("joint", "separable", "separate"))
        if check_integer("negative_samples", negative_samples, 1) >= batch_size:
            raise ValueError(
                f"negative_samples is {negative_samples}, and a batch of {batch_size} rows has {batch_size - 1} others."
            )
        self.dims = _sizes("dim_x", dim_x), _sizes("dim_z", dim_z)
        self.seed = check_seed(seed)
        self.regularizer = MIRegularizer(
            *self.dims,
            bound=bounds[regu_name](),
            critic=build_critic(
                "joint" if kind == "joint" else "separable",
                *self.dims,
                seed,
                hidden=layers,
                activation=critic_activation,
            ),
            lr=check_number("critic_lr", critic_lr, above=0),
            negatives="all" if regu_name == "nce" else negative_samples,
            clip=float("inf"),  # the original's steps are not clipped
            standardize=True,
            seed=seed,
        )

    def __call__(self, x: Tensor, z: Tensor) -> tuple[Callable[[], None], dict[str, Tensor]]:
        """One batch: what trains the critic on it, and the quantities to add to a loss.

        Arguments:
            x: (N, dim_x).
            z: (N, dim_z).

        Returns:
            `train_op()` takes one step of the critic; call it after `backward`. `quantities["mi_for_grads"]` is
            differentiable in x and z (for MINE with the bias-corrected gradient), `quantities["mi"]` its number to
            log, both in nats.
        """
        penalty = self.regularizer(x, z)
        return lambda: self.regularizer.update(x, z), {"mi": penalty.detach(), "mi_for_grads": penalty}

    def fit(self, x_data: Any, z_data: Any, epochs: int = 10) -> float:
        """Train on four fifths of the rows and return the estimate in nats from the rest.

        Arguments:
            x_data: (N, dim_x) numbers.
            z_data: (N, dim_z) numbers, paired with x_data.
            epochs: passes over the training rows.

        Raises:
            TypeError, ValueError: if the data cannot be used, or have other numbers of columns.
        """
        check_integer("epochs", epochs, 1)
        x, z = self._taken(x_data, z_data)
        generator = torch.Generator().manual_seed(self.seed)
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
        return self._estimate(x[held_out], z[held_out])

    def _taken(self, x_data: Any, z_data: Any) -> tuple[Tensor, Tensor]:
        """Both variables as float32 rows of the announced shapes."""
        data = {"x_data": x_data, "z_data": z_data}
        index_warnings(data)  # an error if both have the same index in another order
        taken = []
        for (name, values), argument, sizes in zip(data.items(), ("dim_x", "dim_z"), self.dims, strict=True):
            variable = _table(name, values) if len(sizes) == 1 else None
            rows = _images(name, values) if variable is None else variable.table
            came = () if rows is None else tuple(rows.shape[1:])
            if rows is None or came != sizes:
                shown = f"{variable.width} columns" if variable else f"samples of shape {came}"
                wanted = sizes[0] if len(sizes) == 1 else sizes
                raise ValueError(f"{name} has {shown}, and {argument} is {wanted}: they must agree.")
            if variable is None:
                check_finite(name, rows)
            taken.append(rows)
        x, z = taken
        if len(x) != len(z):
            raise ValueError(
                f"x_data has {len(x)} rows and z_data has {len(z)}: rows are paired samples, pass as many of each."
            )
        return x, z

    def _estimate(self, x: Tensor, z: Tensor) -> float:
        """The bound over all pairs of blocks: `batch_size` rows for InfoNCE, as in the original, else 1,024."""
        estimator = self.regularizer.estimator
        block = min(self.batch_size if self.regu_name == "nce" else _BLOCK, len(x))
        parts = []
        for start in range(0, len(x) - block + 1, block):
            rows = slice(start, start + block)
            grid = pairwise_chunks(estimator.critic, x[rows], z[rows])
            parts += evaluate_grid(grid, [estimator.bound], both=False)
        statistics = pool(parts)
        fold = torch.zeros(len(statistics[0][0]))
        return BoundEvaluation(estimator.bound, statistics, fold, estimator.bound.ceiling(block - 1)).value()


def _table(name: str, values: Any) -> Variable:
    """A table of numbers; alone, because a sample of both would name neither by its argument here."""
    kinds = {name: "continuous"}
    sample = Sample.of(**{name: values}, types=kinds, drop_constant=False)
    sample.check_tables(kinds)
    return sample.variables[name]


def _images(name: str, values: Any) -> Tensor:
    """Samples of a shape (N, ...) in float32."""
    try:
        images = torch.as_tensor(values).detach()
        if images.is_complex():
            raise TypeError("complex")
        return images.float()
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} is no array (N, ...) of real numbers: pass an array, a tensor or lists.") from error


def _sizes(name: str, dim: Any) -> tuple[int, ...]:
    """A number of columns, or a shape, as a tuple."""
    if isinstance(dim, tuple | list) and dim:
        return tuple(check_integer(name, size, 1) for size in dim)
    return (check_integer(name, dim, 1),)
