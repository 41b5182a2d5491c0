"""MIRegularizer inside a Lightning module: a classifier whose code retains information about its input.

Example: python3 lightning_module.py      (needs: pip install lightning scikit-learn)
"""

import lightning
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import mibounds as mi


class InformedClassifier(lightning.LightningModule):
    """Manual optimization, because the regularizer has an optimizer of its own."""

    def __init__(self, beta: float = 0.1) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.beta = beta
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 8))
        self.head = nn.Linear(8, 10)
        self.regularizer = mi.MIRegularizer(64, 8, bound="infonce", critic="separable", hidden=(64,), lr=1e-3)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """For the parameters of the classifier; the regularizer optimizes those of the critic."""
        return torch.optim.Adam([*self.encoder.parameters(), *self.head.parameters()], lr=1e-3)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """One step of the classifier, then one of the critic."""
        x, y = batch
        z = self.encoder(x)
        loss = cross_entropy(self.head(z), y)
        penalty = self.regularizer(x, z)
        scale = mi.gradient_scale(loss, penalty, self.encoder.parameters())
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss - self.beta * scale * penalty)
        optimizer.step()
        self.regularizer.update(x, z)
        self.log_dict({"loss": loss, "information": self.regularizer.value()}, prog_bar=True)


def run(epochs: int = 5) -> dict[str, float]:
    """Train on the digits and return what was logged last."""
    lightning.seed_everything(0, verbose=False)
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(InformedClassifier(), DataLoader(data, batch_size=128, shuffle=True))
    return {name: float(value) for name, value in trainer.logged_metrics.items()}


if __name__ == "__main__":
    print(run())
