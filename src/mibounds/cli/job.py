"""Commands on the ranks of a torchrun job: output of one rank, and messages when a rank fails or is lost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from datetime import timedelta
from pathlib import Path

import typer

from mibounds._extras import MissingExtraError

__all__ = ["INPUT_ERRORS", "TIMEOUT", "before_error", "job", "job_size", "writes"]

INPUT_ERRORS = (ValueError, TypeError, OSError, MissingExtraError)  # reported in one sentence
TIMEOUT = timedelta(seconds=60)  # for ranks that wait for each other
_GRACE = 3.0  # seconds for a failed rank to report, and for torchrun to notice a dead one


def job_size() -> int:
    """Number of ranks that torchrun started; 1 without it."""
    return int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def before_error() -> str:
    """The prefix of an error message: the rank, if there are several."""
    size = job_size()
    return "" if size == 1 else f"rank {os.environ['RANK']} of {size}: "


def writes() -> bool:
    """Does this rank write files? Rank 0 does, and a process without torchrun."""
    return job_size() == 1 or os.environ["RANK"] == "0"


@contextmanager
def job(device: str) -> Iterator[str]:
    """Run the body on all ranks of the job, with this kind of device; without torchrun it has no effect.

    Only rank 0 prints. Ranks communicate by nccl on GPUs, one for each rank, and by gloo on the CPU.

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
        if not _caused_by_another_rank(error):
            reason = f"{type(error).__name__}: {error}"
            notes.write(reason)
            get_error_handler().record_exception(error)  # for the summary of torchrun
            if not isinstance(error, INPUT_ERRORS):
                typer.echo(f"{before_error()}{reason}", err=True)
            raise
        notes.write("")
        time.sleep(_GRACE)  # if the other rank died, torchrun ends this one meanwhile and names the other
        sentence = f"{before_error()}{notes.why(error)}"
        try:
            raise RuntimeError(sentence) from error
        except RuntimeError as summary:
            get_error_handler().record_exception(summary)
        typer.echo(sentence, err=True)
        raise typer.Exit(1) from error
    finally:
        dist.destroy_process_group()


def _caused_by_another_rank(error: Exception) -> bool:
    """Does this rank fail only because another one does not answer?"""
    import torch.distributed as dist

    message = str(error)
    words = ("gloo", "Gloo", "NCCL", "Connection closed")
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and any(word in message for word in words)
    )


class _Notes:
    """Notes of ranks that end early: the reason of a failure, or an empty text of a rank that lost another one."""

    def __init__(self, size: int):
        import torch.distributed as dist

        self.size, self.run = size, f"mibounds/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"
        host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        wait = timedelta(seconds=5)
        self.store = dist.TCPStore(host, port, is_master=False, timeout=wait)  # type: ignore[attr-defined]

    def write(self, reason: str) -> None:
        """Write the note of this rank."""
        with suppress(RuntimeError):  # the store may be lost with another machine
            self.store.set(f"{self.run}/{os.environ['RANK']}", reason)

    def why(self, error: Exception) -> str:
        """The message of a rank that lost another one."""
        keys = {number: f"{self.run}/{number}" for number in range(self.size)}
        try:
            notes = {number: self.store.get(key).decode() for number, key in keys.items() if self.store.check([key])}
        except RuntimeError:
            return f"another rank was lost, possibly rank 0. ({error})"
        failed = [f"rank {number} failed ({reason})" for number, reason in notes.items() if reason]
        lost = [f"rank {number}" for number in range(self.size) if number not in notes]
        if failed:
            return f"this rank ends because {', '.join(failed)}."
        waited = f"died, or did not answer for {TIMEOUT.seconds} seconds"
        return f"{', '.join(lost) or 'another rank'} {waited}. ({error})"
