"""One fit of torch-mist's SMILE by its call `estimate_mi`; runs in its environment."""

import random
from collections.abc import Mapping
from itertools import product

import numpy as np
import torch
from torch_mist import estimate_mi

import report

HELD_OUT = 0.2
GRID = tuple(product((1e-3, 5e-4), ([64], [256, 128])))  # learning rate, hidden layers

Rows = tuple[np.ndarray, np.ndarray]


def seeded(seed: int) -> None:
    """Every generator that torch-mist may use."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _smile(train: Rows, test: Rows | None, seed: int, settings: Mapping[str, object] | None = None) -> float:
    seeded(seed)
    value, _log = estimate_mi(data=train, test_data=test, verbose=False, **(settings or {}))
    return float(value)


def _split(rows: Rows, seed: int) -> tuple[Rows, Rows]:
    """Four fifths and one fifth."""
    x, y = rows
    order = np.random.default_rng(seed).permutation(len(x))
    test, train = np.split(order, [round(HELD_OUT * len(x))])
    return (x[train], y[train]), (x[test], y[test])


def _defaults(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    return _smile((x, y), None, seed)  # without test rows it reads those that it was trained on


def _held_out(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    return _smile(*_split((x, y), seed), seed)


def _tuned(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """The setting that reads most on a fifth of the training rows, fitted again and read on the test rows."""
    train, test = _split((x, y), seed)
    inner = _split(train, seed + 1)
    grid = [{"optimizer_params": {"lr": rate}, "hidden_dims": hidden} for rate, hidden in GRID]
    best = max(grid, key=lambda settings: _smile(*inner, seed, settings))
    return _smile(train, test, seed, best)


if __name__ == "__main__":
    report.main({"defaults": _defaults, "held out": _held_out, "tuned": _tuned}, "torch-mist", "torch")
