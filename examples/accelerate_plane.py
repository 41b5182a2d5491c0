"""I(X;Z) and I(Z;Y) of named layers beside the loss of a Hugging Face Accelerate loop.

Scalars go to TensorBoard where it is installed, and to a file of JSON lines otherwise.

Example: python3 accelerate_plane.py --out logs      (needs: pip install accelerate scikit-learn)
Then: tensorboard --logdir logs
"""

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.tracking import GeneralTracker, on_main_process
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import mibounds as mi

HELD_OUT = 600


class JSONLines(GeneralTracker):
    """One line of JSON for every call of `accelerator.log`."""

    name = "jsonl"
    requires_logging_directory = False

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    @property
    def tracker(self) -> Path:
        """The file."""
        return self.path

    @on_main_process
    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """Begin the file with the settings."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(values) + "\n", encoding="utf-8")

    @on_main_process
    def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
        """Add a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")


def run(out: str | Path, epochs: int = 20) -> mi.InformationPlane:
    """Train on the digits, log to the folder `out`, and return the plane."""
    torch.manual_seed(0)
    out = Path(out)
    tracker = "tensorboard" if importlib.util.find_spec("tensorboard") else JSONLines(out / "plane.jsonl")
    accelerator = Accelerator(cpu=True, log_with=tracker, project_dir=out)
    accelerator.init_trackers("plane", config={"epochs": epochs})
    digits = load_digits()
    order = torch.randperm(len(digits.target))
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32)[order], torch.tensor(digits.target)[order]
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(x[HELD_OUT:], y[HELD_OUT:]), batch_size=64, shuffle=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    # Layers have the names that they had before `prepare`, and only one process measures them.
    plane = mi.InformationPlane(accelerator.unwrap_model(model), ["1", "3", "4"])

    def log(epoch: int, **values: float) -> None:
        if accelerator.is_main_process:
            accelerator.log({**values, **plane.measure(x[:HELD_OUT], y[:HELD_OUT], step=epoch)}, step=epoch)

    log(0)
    for epoch in range(1, epochs + 1):
        total = 0.0
        for images, labels in loader:
            loss = cross_entropy(model(images), labels)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            total += loss.item() / len(loader)
        log(epoch, loss=total)
    accelerator.end_training()
    return plane


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="plane_logs", help="a folder for the scalars (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=20, help="passes over the images (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="four epochs: some seconds")
    given = parser.parse_args()
    watched = run(given.out, 4 if given.quick else given.epochs)
    for point in watched.history[-3:]:
        print(f"layer {point.layer}: I(X;Z) {point.x_z:.2f} to {point.x_z_upper:.2f} nats, I(Z;Y) {point.z_y:.2f}")
