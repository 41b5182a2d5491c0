"""Checkpoints of a fit: a folder with a page that identifies the fit, and a file for each fold with its state.

A file is replaced as a whole, so a process that is killed leaves the last one that was complete. Reading a file runs no
code from it: it holds numbers, text and tensors.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mibounds._buffers import module_tensors
from mibounds._distributed import on_rank_zero, rank
from mibounds._files import write_bytes, write_json
from mibounds._variables import Tensors, flat, row_count
from mibounds._version import versions
from mibounds.warnings import CheckpointWarning

if TYPE_CHECKING:
    from mibounds.training.candidates import Candidate
    from mibounds.training.folds import Fold
    from mibounds.training.recipe import FilledRecipe

__all__ = ["FORMAT", "Checkpoint", "FoldFile", "FoldState", "describe_fit"]

FORMAT = 4
"""Of a checkpoint; others are refused."""

_PAGE = "fit.json"
_SHARE = 0.05  # of a fold's time that writing may take
_DIGEST = 16  # bytes
_DESCRIBED = (
    "steps", "batch_size", "lr", "weight_decay", "clip", "check_every", "patience", "tolerance", "precision", "seed",
    "test_negatives", "learners",
)  # fmt: skip


@dataclass(frozen=True)
class FoldState:
    """How far a fold is.

    Attributes:
        runs: the state of each candidate's training.
        evaluation: the statistics of the test samples, once they are evaluated.
    """

    runs: list[dict[str, Any]] = field(default_factory=list)
    evaluation: dict[str, Any] | None = None


def describe_fit(
    candidates: Sequence[Candidate],
    x: Tensors,
    y: Tensors,
    folds: Sequence[Fold],
    recipe: FilledRecipe,
    calibrate: bool,
) -> dict[str, str]:
    """Everything that the numbers of a fit depend on, by name: settings as they are, data and weights as checksums."""
    modules = [(c.name, c.instead_of, _settings(c.estimator), *map(_settings, c.maps)) for c in candidates]
    return {
        "format": str(FORMAT),
        "mibounds": versions()["mibounds"],
        "torch": versions()["torch"],
        "x": f"{row_count(x):,} samples ({_checksum([x])})",
        "y": f"{row_count(y):,} samples ({_checksum([y])})",
        "folds": f"{len(folds)} ({_checksum([tuple(vars(fold).values()) for fold in folds])})",
        "estimator": f"{', '.join(c.name for c in candidates)} ({_hash(repr(modules).encode())})",
        "first weights": _checksum([tuple(module_tensors(c.estimator)) for c in candidates]),
        "calibrate": str(calibrate),
        "device": recipe.torch_device.type,
        **{name: str(getattr(recipe, name)) for name in _DESCRIBED},
    }


class Checkpoint:
    """The folder of a fit; without one, nothing is read or written.

    Arguments:
        folder: made if it is not there; None keeps nothing.
        resume: go on with what the folder holds. A folder that holds a fit is refused otherwise.
        describe: gives what `describe_fit` does, and is called only if there is a folder.

    Raises:
        ValueError: if the folder holds a fit that is not to be resumed, or another one, or is damaged or no folder.
        OSError: if nothing can be written there.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None, resume: bool, describe: Callable[[], Mapping[str, str]]
    ) -> None:
        self.folder: Path | None = None
        self.lock = threading.Lock()
        self.warnings: list[CheckpointWarning] = []
        self.fit = ""
        if folder is None:
            return
        if Path(folder).exists() and not Path(folder).is_dir():
            raise ValueError(f"checkpoint is {str(folder)!r}, which is a file: give a folder, it is made if need be.")
        here = dict(describe())
        self.fit = _hash(json.dumps(here, sort_keys=True).encode())
        self.folder = Path(folder)
        on_rank_zero(lambda: self._open(Path(folder), resume, here))  # the other ranks of a job read and write nothing

    def fold(self, number: int) -> FoldFile:
        """The file of a fold, read if it is there; folds count from 1."""
        if self.folder is None:
            return FoldFile()
        path = self.folder / f"fold-{number}.checkpoint"
        first = on_rank_zero(lambda: _read(path, self.fit) if path.exists() else None)
        return FoldFile(path if rank() == 0 else None, self.fit, self._failed, first)

    def _open(self, folder: Path, resume: bool, here: Mapping[str, str]) -> None:
        """Make the folder, or check that it holds this fit and that it is to be continued."""
        page = folder / _PAGE
        if page.exists():
            self._compare(page, resume, here)
            for left in folder.glob(".fold-*"):  # half-written by a run that was killed
                left.unlink(missing_ok=True)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            write_json(page, here)

    def _compare(self, page: Path, resume: bool, here: Mapping[str, str]) -> None:
        folder = str(page.parent)
        if not resume:
            raise ValueError(
                f"{folder!r} holds a checkpoint already: pass resume=True to continue it, or delete it to start anew."
            )
        try:
            there = json.loads(page.read_text(encoding="utf-8"))
            written = there.get("format", "1")
            others = [name for name in {**there, **here} if there.get(name) != here.get(name)]
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{str(page)!r} is damaged ({error}): delete {folder!r} to start anew.") from error
        if written != str(FORMAT):
            raise ValueError(
                f"{folder!r} is a checkpoint in format {written}, and this version of mibounds continues format "
                f"{FORMAT}: delete the folder, or give another, to start anew."
            )
        if others:
            differences = ", ".join(f"{name} {there.get(name)} (here {here.get(name)})" for name in others[:4])
            advice = "its data and settings"
            if others == ["first weights"]:
                advice = "its torch.manual_seed before the critic is built"
            raise ValueError(
                f"{folder!r} is the checkpoint of another fit, with {differences}: resume with {advice}, or give "
                "another folder."
            )

    def _failed(self, error: OSError) -> None:
        """Keep one warning: the fit continues."""
        with self.lock:
            if not self.warnings:
                self.warnings.append(
                    CheckpointWarning(
                        f"A checkpoint could not be written ({error}). The fit continued, and tried again; had the "
                        "run been killed, it would have resumed from an older checkpoint."
                    )
                )


class FoldFile:
    """The file of a fold: its `state` as it was found, and as it is written.

    Arguments:
        path: of the file; None keeps nothing.
        fit: which one it belongs to.
        failed: called with the error when a file could not be written.
        state: what the file held, if it was there.
    """

    def __init__(
        self,
        path: Path | None = None,
        fit: str = "",
        failed: Callable[[OSError], None] = lambda _: None,
        state: FoldState | None = None,
    ):
        self.path, self.fit, self.failed, self.state = path, fit, failed, state
        self.next = 0.0

    def due(self, now: bool = False) -> bool:
        """Is it time to write: at once if asked to, else when so much time has passed since the last writing that it
        costs no more than a twentieth?"""
        return self.path is not None and (now or time.monotonic() >= self.next)

    def write(self, state: FoldState) -> None:
        """Replace the file by one with this state."""
        if self.path is None:
            return
        self.state = state
        start = time.monotonic()
        content = io.BytesIO()
        record = {one.name: getattr(state, one.name) for one in fields(state)}
        torch.save({"format": FORMAT, "fit": self.fit, **record}, content)
        try:
            write_bytes(self.path, _digest(content.getbuffer()) + content.getbuffer())
        except OSError as error:
            self.failed(error)
        now = time.monotonic()
        self.next = now + (now - start) / _SHARE


def _read(path: Path, fit: str) -> FoldState:
    content = path.read_bytes()
    if content[:_DIGEST] != _digest(content[_DIGEST:]):
        raise ValueError(f"{str(path)!r} is damaged: delete it, and its fold starts anew.")
    record: dict[str, Any] = torch.load(io.BytesIO(content[_DIGEST:]), map_location="cpu", weights_only=True)
    if record.pop("format", 1) != FORMAT or record.pop("fit") != fit:
        raise ValueError(f"{str(path)!r} belongs to another fit than its folder: delete it, and its fold starts anew.")
    return FoldState(**record)


def _digest(content: bytes | memoryview) -> bytes:
    """What a file starts with: torch does not notice a bit that changed."""
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()


def _settings(module: nn.Module | None) -> list[tuple[Any, ...]]:
    """The classes of a module's parts and their numbers and text; what else they hold, functions say, is not seen."""
    if module is None:
        return []
    return [(name, type(one).__qualname__, _numbers(one)) for name, one in module.named_modules()]


def _numbers(module: nn.Module) -> list[tuple[str, str]]:
    return sorted((key, repr(value)) for key, value in vars(module).items() if key != "training" and _plain(value))


def _plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _checksum(variables: Sequence[Tensors]) -> str:
    found = hashlib.blake2b(digest_size=6)
    for tensor in flat(tuple(variables)):
        found.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=6).hexdigest()
