"""The information plane of a small network while it learns scikit-learn's digits with Lightning.

A callback logs I(X;Z) and I(Z;Y) of three layers on held-out images, to TensorBoard where it is installed and to a
CSV file otherwise, and the plane is drawn: where each layer stands after every epoch.

Example: python3 information_plane.py --out plane.png      (needs: pip install lightning scikit-learn)
Then: tensorboard --logdir plane_logs
"""

import argparse
import importlib.util
from pathlib import Path

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from mibounds.integrations import InformationPlaneMonitor

HELD_OUT = 600
LAYERS = ["encoder.1", "encoder.3", "head"]


class Classifier(lightning.LightningModule):
    """Two hidden layers and a head."""

    def __init__(self, rate: float = 5e-4) -> None:
        super().__init__()
        self.rate = rate
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 32), nn.Tanh())
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 64) -> (N, 10)."""
        return self.head(self.encoder(x))

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Cross-entropy."""
        x, y = batch
        loss = cross_entropy(self(x), y)
        self.log("loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=self.rate)


def run(out: str | Path, epochs: int = 30, every: int = 1, noise: float = 0.2) -> InformationPlaneMonitor:
    """Train, write the figure to `out` and the scalars to a folder beside it, and return the callback."""
    out = Path(out)
    lightning.seed_everything(0, verbose=False)
    digits = load_digits()
    order = torch.randperm(len(digits.target))
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32)[order], torch.tensor(digits.target)[order]
    monitor = InformationPlaneMonitor(LAYERS, x[:HELD_OUT], y[:HELD_OUT], every=every, noise=noise)
    writer = TensorBoardLogger if importlib.util.find_spec("tensorboard") else CSVLogger
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=writer(out.parent, name=f"{out.stem}_logs"), callbacks=[monitor],
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1,
    )  # fmt: skip
    trainer.fit(Classifier(), DataLoader(TensorDataset(x[HELD_OUT:], y[HELD_OUT:]), batch_size=64, shuffle=True))
    monitor.plot().savefig(out, dpi=110)
    return monitor


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="plane.png", help="the figure (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training images (default: %(default)s)")
    parser.add_argument("--every", type=int, default=1, help="epochs between measurements (default: %(default)s)")
    parser.add_argument("--noise", type=float, default=0.2, help="relative to a layer's spread (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="six epochs: some seconds")
    given = parser.parse_args()
    watched = run(given.out, 6 if given.quick else given.epochs, given.every, given.noise)
    print("epoch  layer        I(X;Z) nats       I(Z;Y) nats")
    for point in watched.history:
        between = f"{point.x_z:.2f} to {point.x_z_upper:.2f}"
        print(f"{point.step:5d}  {point.layer:11s}  {between:16s}  {point.z_y:.2f} of {watched.plane.entropy:.2f}")
