r"""What the layers of a network in training know of its input and of the label: I(X;Z) and I(Z;Y).

A layer without noise is a function of its input, and of a continuous input it holds infinite information: whatever an
estimator then reads is how finely it looks. So noise is added to what a layer gives, and said:

.. math:: Z = h(X) + \sigma \varepsilon, \qquad \varepsilon \sim \mathcal N(0, 1), \qquad
          \sigma^2 = \mathrm{noise}^2 \sum_d \mathrm{Var}\, h_d(X)

The density p(z|x) is known, and nothing has to be trained. Over N rows InfoNCE reads a lower bound of I(X;Z) and
leave-one-out an upper one. The label's density p(z|y) is the mixture of the rows with that label, and a row is
classified by the others alone: a lower bound of I(Z;Y).

The noise is measured by the spread of the whole layer, so that only the distances between rows matter and neither the
units of a layer nor their number: a layer written down twice holds what it did. The signal has 1/noise^2 times the
power of the noise in one unit, and I(X;Z) never exceeds 1/(2 noise^2).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from torch import Tensor, nn

from mibounds._checks import check_at_least, check_paired
from mibounds._math import off_diagonal
from mibounds.bounds import BarberAgakov, InfoNCE, LeaveOneOut
from mibounds.classical import entropy
from mibounds.critics import Critic
from mibounds.critics.critic import inner_product
from mibounds.inference import read_grid
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["InformationPlane", "PlanePoint"]

_LEAST_ROWS = 50
_DRAWS = 4  # of the noise; the rows already average over it
_SHOWN = 40  # names in an error
_CONSTANT = 1e-6  # of the size of a layer's outputs: below, they differ by rounding


@dataclass(frozen=True)
class PlanePoint:
    """One layer at one step, in nats, of Z with noise.

    Attributes:
        step: of training, in the unit of whoever measured.
        layer: its name.
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
    r"""I(X;Z) and I(Z;Y) of named layers of a network, as often as you ask: no training, milliseconds a layer.

    .. math:: \hat I(X;Z) = \frac1N \sum_i \log \frac{p(z_i|x_i)}{\frac1N \sum_j p(z_i|x_j)}, \qquad
              \hat I(Z;Y) = H(Y) + \frac1N \sum_i \log
              \frac{\sum_{j \ne i,\, y_j = y_i} p(z_i|x_j)}{\sum_{j \ne i} p(z_i|x_j)}

    with :math:`z_i = h(x_i) + \sigma \varepsilon_i`; the upper bound of I(X;Z) leaves j = i out. The layers' outputs
    are caught by forward hooks in evaluation mode and without gradients. The modes of all modules and torch's random
    state (CPU and CUDA) are afterwards what they were, so that a training which is watched goes as one that is not. The
    noise is the same at every call.

    The numbers are of Z with its noise, and of a network that computes without noise they describe how its outputs lie
    apart: see `docs/information-plane.md` before you read a story out of a curve. They say nothing about differences
    finer than the noise, and saturate at ln N: where `x_z` and `x_z_upper` part, give more rows or more noise. A model
    that draws its code (a VAE) has noise of its own, which is not counted here.

    References:
        Shwartz-Ziv and Tishby, Opening the black box of deep neural networks via information, 2017, arXiv:1703.00810.
        Saxe et al., On the information bottleneck theory of deep learning, 2018. Goldfeld et al., Estimating
        information flow in deep neural networks, 2019, arXiv:1810.05728 (noise, and this estimate of I(X;Z)). Poole et
        al., 2019, arXiv:1905.06922 (its bounds).

    Arguments:
        model: any module; what DistributedDataParallel or torch.compile wrapped is unwrapped.
        layers: names as in `model.named_modules()`. Of a layer that gives a tuple the first tensor is taken, of one
            that is called several times the last call.
        noise: standard deviation of the noise in each unit, relative to that of the layer (the root of the sum of its
            units' variances).
        forward: how to call the model, `forward(model, x)`; by default `model(x)`, `model(*x)` for a tuple and
            `model(**x)` for a dictionary.
        estimate: reads I(Z;Y) in place of the known density: called with z (N, D) and y, returns a number or a
            `Result`. Needed where y is no label: `functools.partial(mi.estimate, folds=2, steps=60, hidden=(64, 64))`.
        names: what the two are called in what `measure` returns.
        batch_size: rows of one forward pass.
        seed: draws the noise.

    Raises:
        ValueError: if the model has no layer of that name (the sentence lists those there are), or an argument cannot
            be used.

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
        if not noise > 0:
            raise ValueError(f"noise is {noise!r}, and must be above 0: without it I(X;Z) of a layer is infinite.")
        check_at_least("batch_size", batch_size, 1)
        self.model = _bare(model)
        self.layers = (layers,) if isinstance(layers, str) else tuple(layers)
        self.noise, self.forward, self.estimate, self.names = noise, forward, estimate, names
        self.batch_size, self.seed = batch_size, seed
        self.history: list[PlanePoint] = []
        self.entropy: float | None = None  # H(Y) in nats of the last labels
        self._modules()

    def measure(self, x: Any, y: Any, *, step: int | None = None) -> dict[str, float]:
        """Read every layer now and add the points to `history`.

        Arguments:
            x: at least 50 rows that the model takes, the same every time and best held out: a tensor or an array (N,
                ...), or a tuple or a dictionary of these. Brought to the model's device and precision. Time and memory
                grow with N^2: some hundreds to 2,000 rows.
            y: (N,) labels, numbers or text; with `estimate` whatever that takes.
            step: of training; by default one more than the last.

        Returns:
            The numbers in nats by the names that a logger shows: `I(X;Z)/layer`, `I(X;Z) upper/layer`, `I(Z;Y)/layer`.

        Raises:
            ValueError: if rows and labels do not pair or are too few, y is no label, or a layer gives no finite tensor
                of one row for each of x.
        """
        rows = _row_count(x)
        check_at_least("the number of rows of x", rows, _LEAST_ROWS)
        check_paired(rows, len(y))
        labels = None if self.estimate else _labels(y)
        self.entropy = None if labels is None else entropy(labels)
        if step is None:
            step = self.history[-1].step + 1 if self.history else 0
        with _as_it_was(self.model):
            points = [PlanePoint(step, name, *self._read(z, y, labels)) for name, z in self._outputs(x, rows).items()]
        self.history += points
        x_z, z_y = self.names
        return {
            f"{name}/{point.layer}": value
            for point in points
            for name, value in ((x_z, point.x_z), (f"{x_z} upper", point.x_z_upper), (z_y, point.z_y))
        }

    def plot(self, *, step: str = "step") -> Figure:
        """The information plane: a line for each layer, colored by step; H(Y) is dashed, whiskers reach to the upper
        bounds.

        Arguments:
            step: what the steps are, beside the colors.

        Raises:
            ValueError: if nothing was measured.
        """
        from mibounds.plots import plot_plane

        if not self.history:
            raise ValueError("Nothing was measured: call measure(x, y) before plot().")
        series = {
            name: [(p.step, p.x_z, p.x_z_upper, p.z_y) for p in self.history if p.layer == name]
            for name in dict.fromkeys(point.layer for point in self.history)
        }
        return plot_plane(series, self.entropy, step)

    def _modules(self) -> dict[str, nn.Module]:
        there = {name: module for name, module in self.model.named_modules() if name}
        for name in self.layers:
            if name not in there:
                known = ", ".join(repr(one) for one in [*there][:_SHOWN]) + (", ..." if len(there) > _SHOWN else "")
                raise ValueError(
                    f"{type(self.model).__name__} has no layer {name!r}; its layers are {known or 'none at all'}."
                )
        if not self.layers:
            raise ValueError("layers is empty: name at least one of model.named_modules().")
        return {name: there[name] for name in self.layers}

    def _outputs(self, x: Any, rows: int) -> dict[str, Tensor]:
        """What each layer gives for all rows, flat and on the CPU: (N, D)."""
        parts: dict[str, list[Tensor]] = {name: [] for name in self.layers}
        latest: dict[str, Any] = {}

        def keep(name: str) -> Callable[..., None]:
            def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
                # A copy: the next layer may write into its input (ReLU(inplace=True)).
                latest[name] = _tensor(output, name).detach().to("cpu", torch.float32, copy=True)

            return hook

        hooks = [module.register_forward_hook(keep(name)) for name, module in self._modules().items()]
        try:
            for start in range(0, rows, self.batch_size):
                latest.clear()
                batch = _brought(x, slice(start, start + self.batch_size), self.model)
                self._call(batch)
                for name, found in parts.items():
                    found.append(_flat(latest.get(name), name, min(self.batch_size, rows - start)))
        finally:
            for hook in hooks:
                hook.remove()
        return {name: torch.cat(found) for name, found in parts.items()}

    def _call(self, batch: Any) -> None:
        try:
            if self.forward is not None:
                self.forward(self.model, batch)
            elif isinstance(batch, Mapping):
                self.model(**batch)
            elif isinstance(batch, tuple):
                self.model(*batch)
            else:
                self.model(batch)
        except NotImplementedError as error:
            if "forward" not in str(error):
                raise
            raise NotImplementedError(
                f"{type(self.model).__name__} has no forward: say how its layers are called, for example "
                "forward=lambda model, x: model.head(model.encoder(x))."
            ) from error

    def _read(self, h: Tensor, y: Any, labels: Tensor | None) -> tuple[float, float, float]:
        """I(X;Z) from below and from above, and I(Z;Y) from below, of one layer (N, D)."""
        h, sigma = _centered(h, self.noise)
        if sigma == 0:
            return 0.0, 0.0, 0.0
        generator = torch.Generator().manual_seed(self.seed)
        critic, bounds = _Channel(sigma), (InfoNCE(), LeaveOneOut())
        readings = []
        for draw in range(_DRAWS):
            z = h + sigma * torch.randn(h.shape, generator=generator, dtype=h.dtype)
            grid = critic.pairwise(h, z)
            # p(z|x) is exact in the direction in which a row keeps its z.
            rows = read_grid(grid, bounds, both=False)
            values = [float(bound.value(*both[0])) for bound, both in zip(bounds, rows, strict=True)]
            if labels is not None:
                values.append(float(_classified(grid, labels)))
            elif draw == 0:
                first = z.float()
            readings.append(values)
        x_z, x_z_upper, *others = np.mean(readings, 0).tolist()
        if self.estimate is None:
            return x_z, x_z_upper, others[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MIWarning)  # of every layer at every step they would drown the training
            return x_z, x_z_upper, float(self.estimate(first, y))


class _Channel(Critic):
    r"""The density of the noisy layer given its clean output, :math:`\log \mathcal N(z; h, \sigma^2)`, up to what a
    change of units adds: one matrix product for all pairs."""

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


def _classified(grid: Tensor, labels: Tensor) -> Tensor:
    """I(Z;Y) from below: every row is classified by the densities of the others, mixed with a constant 1/N of chance so
    that one outlier costs ln N at most."""
    rows = len(grid)
    others = off_diagonal(grid.mT)
    same = off_diagonal(labels[:, None] == labels)
    share = torch.logsumexp(others.masked_fill(~same, -math.inf), -1) - torch.logsumexp(others, -1)
    chance = share.new_tensor(-math.log(int(labels.max()) + 1) - math.log(rows))
    likelihood = torch.logaddexp(share + math.log1p(-1 / rows), chance)
    value: Tensor = BarberAgakov(entropy=entropy(labels))(likelihood, others)
    return value


def _centered(h: Tensor, noise: float) -> tuple[Tensor, float]:
    """A layer around its mean in at most N coordinates that keep all distances, and the noise; 0 if it is constant."""
    h = h.double()
    centered = h - h.mean(0)
    spread = float(centered.square().sum(1).mean().sqrt())
    if spread <= _CONSTANT * float(h.square().sum(1).mean().sqrt()):
        return centered, 0.0
    if h.shape[1] > len(h):
        # What noise does outside the span of the rows is the same in every density, and cancels.
        values, vectors = torch.linalg.eigh(centered @ centered.T)
        centered = vectors * values.clamp_min(0).sqrt()
    return centered, noise * spread


def _labels(y: Any) -> Tensor:
    """Labels numbered from 0: (N,)."""
    values = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
    values = values.reshape(len(values), -1)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("y has missing or infinite values: every row needs a label.")
    if values.dtype.kind == "O":
        values = values.astype(str)
    found, numbered = np.unique(values, axis=0, return_inverse=True)
    if 2 * len(found) > len(values):
        raise ValueError(
            f"y has {len(found)} values in {len(values)} rows, which are no labels: give classes, or for numbers "
            "estimate=functools.partial(mi.estimate, folds=2, steps=60, hidden=(64, 64))."
        )
    return torch.from_numpy(numbered.reshape(-1))


def _tensor(output: Any, name: str) -> Tensor:
    """The tensor of what a layer gives, the first of several."""
    while isinstance(output, tuple | list | Mapping) and len(output):
        output = next(iter(output.values() if isinstance(output, Mapping) else output))
    if not isinstance(output, Tensor):
        raise ValueError(f"layer {name!r} gives a {type(output).__name__}: name a layer that gives a tensor.")
    return output


def _flat(output: Tensor | None, name: str, rows: int) -> Tensor:
    if output is None:
        raise ValueError(f"layer {name!r} was not called: name layers that the forward pass goes through.")
    if output.dim() == 0 or len(output) != rows:
        raise ValueError(
            f"layer {name!r} gives shape {tuple(output.shape)} for {rows} rows of x: name a layer with a row for each."
        )
    if not output.isfinite().all():
        raise ValueError(f"layer {name!r} gives missing or infinite values: the model has diverged, or x holds some.")
    return output.flatten(1) if output.dim() > 1 else output[:, None]


def _row_count(x: Any) -> int:
    while isinstance(x, tuple | Mapping) and len(x):
        x = next(iter(x.values() if isinstance(x, Mapping) else x))
    return len(x)


def _brought(x: Any, rows: slice, model: nn.Module) -> Any:
    """Rows of x on the model's device, floating numbers in its precision."""
    if isinstance(x, Mapping):
        return {name: _brought(part, rows, model) for name, part in x.items()}
    if isinstance(x, tuple):
        return tuple(_brought(part, rows, model) for part in x)
    batch = torch.as_tensor(x[rows])
    first = next((p for p in model.parameters() if p.is_floating_point()), None)
    if first is None:
        return batch
    return batch.to(first.device, first.dtype if batch.is_floating_point() else None)


def _bare(model: nn.Module) -> nn.Module:
    """The module whose layers have the names that its author gave them."""
    while True:
        if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            model = model.module
        elif isinstance(compiled := getattr(model, "_orig_mod", None), nn.Module):
            model = compiled
        else:
            return model


@contextmanager
def _as_it_was(model: nn.Module) -> Iterator[None]:
    """Evaluation without gradients; every module's mode and torch's random state are given back."""
    modes = {module: module.training for module in model.modules()}
    devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
    try:
        model.eval()
        with torch.random.fork_rng(devices=sorted(devices)), torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
