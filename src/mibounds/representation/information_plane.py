r"""The information plane: I(X;Z) and I(Z;Y) of the layers of a network during its training.

A layer without noise is a function of its input, and I(X;Z) is infinite if the input is continuous: an estimate then
shows the resolution of the estimator. So the estimates are those of the layer's output with added noise,

.. math:: Z = h(X) + \sigma \varepsilon, \qquad \varepsilon \sim \mathcal N(0, 1), \qquad
          \sigma^2 = \mathrm{noise}^2 \sum_d \mathrm{Var}\, h_d(X)

The density p(z|x) is known, and no critic is trained. Over N samples InfoNCE gives a lower bound of I(X;Z) and
leave-one-out an upper bound. The density p(z|y) is estimated by the mixture of the samples with that label, and each
sample is classified by the others: a lower bound of I(Z;Y).

The noise is relative to the standard deviation of the whole layer. The estimates therefore depend on the distances
between samples and neither on the scale of a layer nor on its width: duplicating all units changes nothing. The signal
has 1/noise^2 times the power of the noise in one unit, and I(X;Z) is at most 1/(2 noise^2).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mibounds._checks import check_at_least, check_integer, check_number, check_paired, check_seed
from mibounds._math import off_diagonal
from mibounds._random import noise_seed
from mibounds.bounds import BarberAgakov, InfoNCE, LeaveOneOut
from mibounds.classical import entropy
from mibounds.critics import Critic
from mibounds.critics.critic import inner_product
from mibounds.data.sources import columns_of
from mibounds.data.tensors import as_tensors
from mibounds.data.values import is_missing
from mibounds.inference import evaluate_grid
from mibounds.representation.layer_outputs import count_rows, evaluation_mode, layer_outputs, named_layers, unwrap
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["InformationPlane", "PlanePoint"]

_FEWEST = 50  # rows
_DRAWS = 4  # of the noise, which the samples average over, too
_CONSTANT = 1e-6  # of the size of a layer's outputs: smaller differences are rounding errors


@dataclass(frozen=True)
class PlanePoint:
    """The estimates of one layer at one step, in nats, for Z with added noise.

    Attributes:
        step: of the training, in the unit of the caller of `measure`.
        layer: name of the layer.
        x_z: a lower bound of I(X;Z), at most ln N.
        x_z_upper: an upper bound of I(X;Z).
        z_y: a lower bound of I(Z;Y), at most H(Y).
    """

    step: int
    layer: str
    x_z: float
    x_z_upper: float
    z_y: float


@final
class InformationPlane:
    r"""I(X;Z) and I(Z;Y) of named layers of a network, without training a critic: milliseconds a layer.

    .. math:: \hat I(X;Z) = \frac1N \sum_i \log \frac{p(z_i|x_i)}{\frac1N \sum_j p(z_i|x_j)}, \qquad
              \hat I(Z;Y) = H(Y) + \frac1N \sum_i \log
              \frac{\sum_{j \ne i,\, y_j = y_i} p(z_i|x_j)}{\sum_{j \ne i} p(z_i|x_j)}

    with :math:`z_i = h(x_i) + \sigma \varepsilon_i`; the upper bound of I(X;Z) leaves j = i out. Forward hooks record
    the outputs of the layers in evaluation mode and without gradients. The modes of all modules and torch's random
    state (CPU and CUDA) are then restored, so `measure` does not change the training. The noise is the same at every
    call.

    The estimates refer to Z with added noise. For a deterministic network they measure the distances between its
    outputs: see `docs/information-plane.md` before you interpret a curve. Differences smaller than the noise have no
    effect. The estimates saturate at ln N: where `x_z` and `x_z_upper` differ, use more rows or more noise. The noise
    of a stochastic code (a VAE) is not taken into account.

    References:
        Shwartz-Ziv and Tishby, Opening the black box of deep neural networks via information, 2017, arXiv:1703.00810.
        Saxe et al., On the information bottleneck theory of deep learning, 2018. Goldfeld et al., Estimating
        information flow in deep neural networks, 2019, arXiv:1810.05728 (noise, and this estimate of I(X;Z)). Poole et
        al., 2019, arXiv:1905.06922 (its bounds).

    Arguments:
        model: any module; what DistributedDataParallel or torch.compile wrapped is unwrapped.
        layers: names as in `model.named_modules()`. Of a layer that returns a tuple the first tensor is taken, of one
            that is called several times the last call.
        noise: standard deviation of the noise in each unit, relative to that of the layer (the root of the sum of the
            variances of its units).
        forward: how to call the model, `forward(model, x)`; by default `model(x)`, `model(*x)` for a tuple and
            `model(**x)` for a dictionary.
        estimate: an estimator of I(Z;Y) in place of the density above: a function of z (N, D) and y that returns a
            number or a `Result`. Needed where y is not a label:
            `functools.partial(mi.estimate, folds=2, steps=60, hidden=(64, 64))`.
        names: names of the two quantities in the dictionary that `measure` returns.
        batch_size: rows of one forward pass.
        seed: draws the noise, which is independent of data drawn from the same seed.

    Raises:
        TypeError, ValueError: if the model is no module or has no layer of that name (the message lists its layers), or
            an argument is out of range.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
        >>> plane = InformationPlane(model, ["1", "2"])
        >>> x, y = torch.randn(100, 4), torch.arange(100) % 3
        >>> list(plane.measure(x, y, step=0))[:3]
        ['I(X;Z)/1', 'I(X;Z) upper/1', 'I(Z;Y)/1']
        >>> plane.history[0].x_z <= plane.history[0].x_z_upper
        True
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Sequence[str],
        *,
        noise: float = 0.2,
        forward: Callable[[Any, Any], Any] | None = None,
        estimate: Callable[..., Any] | None = None,
        names: tuple[str, str] = ("I(X;Z)", "I(Z;Y)"),
        batch_size: int = 512,
        seed: int = 0,
    ):
        if check_number("noise", noise) <= 0:
            raise ValueError(f"noise is {noise!r}, and must be above 0: without noise I(X;Z) is infinite.")
        check_integer("batch_size", batch_size, 1)
        if not isinstance(model, nn.Module):
            raise TypeError(f"model is a {type(model).__name__}: expected a torch.nn.Module, whose layers have names.")
        self.layers = (layers,) if isinstance(layers, str) or not isinstance(layers, Iterable) else tuple(layers)
        if not all(isinstance(layer, str) for layer in self.layers):
            raise TypeError(
                f"layers is {layers!r}: expected names as in model.named_modules(), for example ['encoder.1']."
            )
        if isinstance(names, str) or len(names) != 2 or not all(isinstance(name, str) for name in names):
            raise ValueError(f"names is {names!r}: expected the names of both quantities, such as ('I_XZ', 'I_ZY').")
        self.model = unwrap(model)
        self.noise, self.forward, self.estimate, self.names = noise, forward, estimate, names
        self.batch_size, self.seed = batch_size, check_seed(seed)
        self.history: list[PlanePoint] = []
        self.entropy: float | None = None  # H(Y) in nats of the last labels
        named_layers(self.model, self.layers)

    def measure(self, x: Any, y: Any, *, step: int | None = None) -> dict[str, float]:
        """Estimate both quantities for each layer and append the points to `history`.

        Arguments:
            x: at least 50 rows of input, the same at every call and preferably held out: a tensor, an array (N, ...) or
                a table of numbers, or a tuple or a dictionary of these; moved to the model's device and precision. Time
                and memory grow with N^2: use some hundreds to 2,000 rows.
            y: (N,) labels, numbers or text; with `estimate` any argument that it accepts.
            step: of the training; by default one more than the last.

        Returns:
            The estimates in nats, by the names `I(X;Z)/layer`, `I(X;Z) upper/layer` and `I(Z;Y)/layer`, for a logger.

        Raises:
            TypeError: if x holds no numbers, or is a `Dataset` or a `DataLoader`.
            ValueError: if x and y differ in length or are too short, the model cannot take x, y is not a label or has
                missing values, or the output of a layer is not a finite tensor with one row for each row of x.
        """
        if not hasattr(y, "__len__"):
            raise TypeError(f"y is {'None' if y is None else f'a {type(y).__name__}'}: pass the labels of x, (N,).")
        if step is not None:
            check_integer("step", step)
        x = _tensors(x)
        rows = count_rows(x)
        check_at_least("the number of rows of x", rows, _FEWEST)
        check_paired(rows, len(y))
        labels = None if self.estimate else _labels(y)
        self.entropy = None if labels is None else entropy(labels)
        if step is None:
            step = self.history[-1].step + 1 if self.history else 0
        with evaluation_mode(self.model):
            outputs = layer_outputs(self.model, self.layers, x, batch_size=self.batch_size, forward=self.forward)
            points = [PlanePoint(step, name, *self._estimates(h, y, labels)) for name, h in outputs.items()]
        self.history += points
        return self.latest()

    def latest(self) -> dict[str, float]:
        """What `measure` returned last; empty before."""
        x_z, z_y = self.names
        return {
            f"{name}/{point.layer}": value
            for point in self.history[-len(self.layers) :]
            for name, value in ((x_z, point.x_z), (f"{x_z} upper", point.x_z_upper), (z_y, point.z_y))
        }

    def plot(self, *, step: str = "step") -> Figure:
        """The information plane: a line for each layer, colored by step, with H(Y) dashed and the upper bounds of
        I(X;Z) as error bars.

        Arguments:
            step: label of the color bar.

        Raises:
            ValueError: if `measure` was not called.
        """
        from mibounds.plots import plot_plane

        if not self.history:
            raise ValueError("Nothing was measured: call measure(x, y) before plot().")
        series = {
            name: [(p.step, p.x_z, p.x_z_upper, p.z_y) for p in self.history if p.layer == name]
            for name in dict.fromkeys(point.layer for point in self.history)
        }
        return plot_plane(series, self.entropy, step)

    def _estimates(self, h: Tensor, y: Any, labels: Tensor | None) -> tuple[float, float, float]:
        """A lower and an upper bound of I(X;Z), and the estimate of I(Z;Y), of a layer with outputs h (N, D)."""
        h, sigma = _centered(h, self.noise)
        if sigma == 0:
            return 0.0, 0.0, 0.0
        generator = torch.Generator().manual_seed(noise_seed(self.seed))
        critic, bounds = _Channel(sigma), (InfoNCE(), LeaveOneOut())
        draws = []
        for draw in range(_DRAWS):
            z = h + sigma * torch.randn(h.shape, generator=generator, dtype=h.dtype)
            grid = critic.pairwise(h, z)
            # p(z|x) is exact in the direction in which a sample keeps its z.
            evaluated = evaluate_grid(grid, bounds, both=False)
            values = [float(bound.value(*statistics)) for bound, (statistics,) in zip(bounds, evaluated, strict=True)]
            if labels is not None:
                values.append(float(_label_information(grid, labels)))
            elif draw == 0:
                first = z.float()
            draws.append(values)
        x_z, x_z_upper, *z_y = np.mean(draws, 0).tolist()
        if self.estimate is None:
            return x_z, x_z_upper, z_y[0]
        with warnings.catch_warnings(), torch.inference_mode(False), torch.enable_grad():
            warnings.simplefilter("ignore", MIWarning)  # there would be some for each layer at each step
            if isinstance(y, Tensor) and y.is_inference():  # no gradient passes through it
                y = y.clone()
            return x_z, x_z_upper, float(self.estimate(first.clone(), y))


def _tensors(x: Any) -> Any:
    """The same with tensors in the place of arrays and tables."""
    if isinstance(x, Mapping):
        return {name: _tensors(part) for name, part in x.items()}
    if isinstance(x, DataLoader | Dataset):
        raise TypeError(
            f"x is a {type(x).__name__}: pass its rows as a tensor, for example of the first batch of a DataLoader, "
            "x, y = next(iter(loader))."
        )
    return as_tensors(x, "x")


class _Channel(Critic):
    r"""The log-density of the noisy output given the output, :math:`\log \mathcal N(z; h, \sigma^2)`, up to a constant;
    one matrix product for all pairs."""

    is_conditional_density = True

    def __init__(self, sigma: float):
        super().__init__()
        self.sigma = sigma

    def encode_x(self, x: Tensor) -> Tensor:
        x = x / self.sigma
        return torch.cat([x, -x.square().sum(-1, keepdim=True) / 2, torch.ones_like(x[..., :1])], -1)

    def encode_y(self, y: Tensor) -> Tensor:
        y = y / self.sigma
        return torch.cat([y, torch.ones_like(y[..., :1]), -y.square().sum(-1, keepdim=True) / 2], -1)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return inner_product(hx, hy)


def _label_information(grid: Tensor, labels: Tensor) -> Tensor:
    """A lower bound of I(Z;Y), from the log-densities (N, N) of z_j given x_i: each sample is classified by the
    densities of the others. The classifier is mixed with 1/N of chance, so that an outlier costs about ln N at most."""
    n = len(grid)
    others = off_diagonal(grid.mT)
    same = off_diagonal(labels[:, None] == labels)
    posterior = torch.logsumexp(others.masked_fill(~same, -math.inf), -1) - torch.logsumexp(others, -1)
    chance = posterior.new_tensor(-math.log(int(labels.max()) + 1) - math.log(n))
    likelihood = torch.logaddexp(posterior + math.log1p(-1 / n), chance)
    value: Tensor = BarberAgakov(entropy=entropy(labels))(likelihood, others)
    return value


def _centered(h: Tensor, noise: float) -> tuple[Tensor, float]:
    """The outputs h (N, D) less their mean, in at most N coordinates of equal distances, and the standard deviation of
    the noise, 0 if h is constant."""
    h = h.double()
    centered = h - h.mean(0)
    spread = float(centered.square().sum(1).mean().sqrt())
    if spread <= _CONSTANT * float(h.square().sum(1).mean().sqrt()):
        return centered, 0.0
    if h.shape[1] > len(h):
        # The noise outside of the span of the outputs adds the same to all log-densities, and cancels.
        values, vectors = torch.linalg.eigh(centered @ centered.T)
        centered = vectors * values.clamp_min(0).sqrt()
    return centered, noise * spread


def _labels(y: Any) -> Tensor:
    """Classes numbered from 0: (N,)."""
    numbers = []
    for column in columns_of(y, "y")[0].values():
        missing = ~np.isfinite(column) if column.dtype.kind == "f" else np.array([is_missing(one) for one in column])
        if missing.any():
            raise ValueError("y has missing or infinite values: every row needs a label.")
        numbers.append(np.unique(column.astype(str) if column.dtype.kind == "O" else column, return_inverse=True)[1])
    classes, numbered = np.unique(np.stack(numbers, 1), axis=0, return_inverse=True)
    values = numbered.reshape(-1)
    if 2 * len(classes) > len(values):
        raise ValueError(
            f"y has {len(classes)} values in {len(values)} rows, which are no labels: give classes, or for numbers "
            "estimate=functools.partial(mi.estimate, folds=2, steps=60, hidden=(64, 64))."
        )
    return torch.from_numpy(numbered.reshape(-1))
