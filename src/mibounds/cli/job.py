"""A command on the ranks of a job that torchrun started: who speaks, and what is said when one fails or is lost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from datetime import timedelta
from pathlib import Path

import typer

__all__ = ["SPOKEN", "TIMEOUT", "before_error", "job", "job_size", "writes"]

SPOKEN = (ValueError, TypeError, OSError)  # what a command says in one sentence
TIMEOUT = timedelta(seconds=60)  # that ranks wait for each other
_GRACE = 3.0  # seconds in which a rank that failed can say so, and torchrun can see a rank that died


def job_size() -> int:
    """How many ranks torchrun started; 1 without it."""
    import torch.distributed as dist

    launched = dist.is_available() and dist.is_torchelastic_launched()
    return int(os.environ["WORLD_SIZE"]) if launched else 1


def before_error() -> str:
    """What stands before an error: which rank it is of, where there are several."""
    size = job_size()
    return "" if size == 1 else f"rank {os.environ['RANK']} of {size}: "


def writes() -> bool:
    """Does this rank write files? Rank 0 does, and what is no job."""
    return job_size() == 1 or os.environ["RANK"] == "0"


@contextmanager
def job(device: str) -> Iterator[str]:
    """Share what is done inside with the other ranks of the job, on this device; without torchrun, nothing happens.

    Only rank 0 prints. Ranks speak by nccl on GPUs, each on its own, and by gloo on the CPU.

    Yields:
        The device of this rank.
    """
    size = job_size()
    if size == 1:
        yield device
        return
    import torch
    import torch.distributed as dist
    from torch.distributed.elastic.multiprocessing.errors import get_error_handler

    gpu = device.startswith("cuda")
    if gpu:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if gpu else "gloo", timeout=TIMEOUT)
    notes = _Notes(size)
    try:
        with ExitStack() as stack:
            if not writes():
                stack.enter_context(redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))))
            yield device
    except Exception as error:
        if not _of_another(error):
            reason = f"{type(error).__name__}: {error}"
            notes.write(reason)
            get_error_handler().record_exception(error)  # for the summary of torchrun
            if not isinstance(error, SPOKEN):
                typer.echo(f"{before_error()}{reason}", err=True)
            raise
        notes.write("")
        time.sleep(_GRACE)  # torchrun ends this rank meanwhile if the other one died, and names that one
        sentence = f"{before_error()}{notes.why(error)}"
        try:
            raise RuntimeError(sentence) from error
        except RuntimeError as told:
            get_error_handler().record_exception(told)
        typer.echo(sentence, err=True)
        raise typer.Exit(1) from error
    finally:
        dist.destroy_process_group()


def _of_another(error: Exception) -> bool:
    """Does a rank fail only because another one does not answer?"""
    import torch.distributed as dist

    said = str(error)
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and any(word in said for word in ("gloo", "Gloo", "NCCL", "Connection closed"))
    )


class _Notes:
    """What ranks leave behind when they end early: the reason of one that failed, nothing of one that lost another."""

    def __init__(self, size: int):
        import torch.distributed as dist

        self.size, self.run = size, f"mibounds/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"
        host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        wait = timedelta(seconds=5)
        self.store = dist.TCPStore(host, port, is_master=False, timeout=wait)  # type: ignore[attr-defined]

    def write(self, reason: str) -> None:
        """Leave a note of this rank."""
        with suppress(RuntimeError):  # it may have gone with another machine
            self.store.set(f"{self.run}/{os.environ['RANK']}", reason)

    def why(self, error: Exception) -> str:
        """The sentence of a rank that lost another one."""
        keys = {number: f"{self.run}/{number}" for number in range(self.size)}
        try:
            there = {number: self.store.get(key).decode() for number, key in keys.items() if self.store.check([key])}
        except RuntimeError:
            return f"another rank was lost, rank 0 among them. ({error})"
        failed = [f"rank {number} failed ({reason})" for number, reason in there.items() if reason]
        lost = [f"rank {number}" for number in range(self.size) if number not in there]
        if failed:
            return f"this rank ends, as {', '.join(failed)}."
        waited = f"died, or did not answer for {TIMEOUT.seconds} seconds"
        return f"{', '.join(lost) or 'another rank'} {waited}. ({error})"
