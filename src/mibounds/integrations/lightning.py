"""The information plane of a Lightning module while it trains."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from mibounds._checks import check_integer, unknown_keyword
from mibounds.representation.information_plane import InformationPlane, PlanePoint

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError as error:
    raise ImportError("InformationPlaneMonitor is a callback of Lightning: pip install lightning.") from error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["InformationPlaneMonitor"]

_OPTIONS = {
    name: one for name, one in inspect.signature(InformationPlane).parameters.items() if one.kind is one.KEYWORD_ONLY
}


class InformationPlaneMonitor(Callback):
    """Log I(X;Z) and I(Z;Y) of named layers while a Lightning module trains.

    The layers are measured by `mi.InformationPlane` before the first epoch, after every `every`-th and after the last:
    on the same rows, in evaluation mode, without gradients and without a change of torch's random state. The estimates
    are logged as `I(X;Z)/layer`, `I(X;Z) upper/layer` and `I(Z;Y)/layer`, in nats: every logger records them, and
    checkpoints and early stopping can monitor them at the end of each training epoch (`check_on_train_epoch_end=True`,
    `save_on_train_epoch_end=True`); between two measurements they find the last. `step` of a point counts finished
    epochs. The points are saved and restored with a checkpoint; another module begins with none.

    In a distributed job every rank measures the same rows.

    Arguments:
        layers: names as in `module.named_modules()`.
        x: rows that the module takes, preferably held out: (N, ...), or a tuple or a dictionary of such.
        y: (N,) their labels.
        every: epochs from one measurement to the next.
        options: further arguments of `mi.InformationPlane`: `noise`, `forward` (for a module without `forward` of its
            own), `estimate`, `names` (MLflow allows no brackets: `names=("I_XZ", "I_ZY")`), `batch_size`, `seed`.

    Raises:
        TypeError: for an unknown option, or if `every` is no whole number.
        ValueError: if `every` is below 1; when training starts, if an option is out of range or the module has no layer
            of that name (the sentence lists its layers).

    Example:
        >>> monitor = InformationPlaneMonitor(["encoder.1"], x=None, y=None, every=5)
        >>> monitor.history  # filled by Trainer(callbacks=[monitor]).fit(module)
        []
    """

    def __init__(self, layers: Sequence[str], x: Any, y: Any, *, every: int = 1, **options: Any):
        for name in options:
            if name not in _OPTIONS:
                raise TypeError(unknown_keyword("InformationPlaneMonitor", name, ["every", *_OPTIONS]))
        self.layers, self.x, self.y, self.every = layers, x, y, check_integer("every", every, 1)
        self.options = options
        self.plane: InformationPlane | None = None
        self._restored: list[PlanePoint] = []

    @property
    def history(self) -> list[PlanePoint]:
        """The points so far; `step` counts finished epochs."""
        return self._restored if self.plane is None else self.plane.history

    def plot(self) -> Figure:
        """The information plane so far (`mi.InformationPlane.plot`)."""
        if self.plane is None:
            raise ValueError("Nothing was measured: train with this callback before plot().")
        return self.plane.plot(step="finished epochs")

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find the layers before anything is trained."""
        plane = InformationPlane(pl_module, self.layers, **self.options)
        same = self.plane is not None and self.plane.model is plane.model
        plane.history, self._restored = self.history if same else self._restored, []
        self.plane = plane

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure the untrained module; one that continues from a checkpoint has been measured."""
        epoch = trainer.current_epoch
        if not any(point.step == epoch for point in self.history):
            values = self._measure(epoch)
            for logger in trainer.loggers:  # Lightning's own log belongs to the end of the first epoch
                logger.log_metrics(values, step=trainer.global_step)
        assert self.plane is not None
        latest = {name: torch.tensor(value) for name, value in self.plane.latest().items()}
        trainer.callback_metrics.update(latest)  # until the first measurement, early stopping finds these

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure and log after every `every`-th epoch and the last."""
        epoch = trainer.current_epoch + 1
        steps = trainer.max_steps
        last = epoch == trainer.max_epochs or trainer.should_stop or 0 <= steps <= trainer.global_step
        if epoch % self.every == 0 or last:
            pl_module.log_dict(self._measure(epoch), on_step=False, on_epoch=True, sync_dist=True)

    def state_dict(self) -> dict[str, Any]:
        """The history, as numbers and text."""
        return {"history": [asdict(point) for point in self.history]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The history that a checkpoint holds."""
        self._restored = [PlanePoint(**point) for point in state_dict["history"]]
        if self.plane is not None:  # some strategies restore after `on_fit_start`
            self.plane.history = self._restored

    def _measure(self, epoch: int) -> dict[str, float]:
        assert self.plane is not None
        return self.plane.measure(self.x, self.y, step=epoch)
