"""Commands under torchrun, as a person types them."""

import json
import os
import subprocess
import sys
import time

import polars as pl
import pytest
import torch
import torch.distributed as dist
from typer.testing import CliRunner

from mibounds.cli.job import TIMEOUT, before_error, job, job_size, writes
from mibounds.cli.main import app
from mibounds.tasks import CorrelatedGaussian

OPTIONS = ["--x", "a", "--y", "b", "--steps", "10", "--batch-size", "16", "--folds", "2", "--hidden", "8"]
QUICK = ["--preset", "quick", *OPTIONS]
needs_ranks = pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")

# Rank 1 fails in the middle of the work: by an error, or without a chance to say one.
FAILING = """
import os, signal
import torch
from mibounds._distributed import average, rank
from mibounds.cli.job import job

def step(number):
    if rank() == 1 and number == 2:  # critics far from the best stop after few steps
        if os.environ["HOW"] == "error":
            raise ZeroDivisionError("the disk is on fire")
        os.kill(os.getpid(), signal.SIGKILL)

"""
BARE = """
with job("cpu"):
    for number in range(1_000_000):
        average([torch.ones(3)])
        step(number)
"""
COMMAND = """
from mibounds.cli import run
from mibounds.training.candidate_run import Run

train = Run._train_step

def failing(self):
    train(self)
    step(self.step)

Run._train_step = failing
run()
"""


@pytest.fixture
def quick():
    """The ranks of a job are processes of their own, in which no constant is replaced."""


@pytest.fixture
def table(tmp_path):
    x, y = CorrelatedGaussian(1, 0.8).sample(80, torch.Generator().manual_seed(0))
    columns = {"a": x[:, 0].numpy(), "b": y[:, 0].numpy(), "c": [float(i % 7) for i in range(80)]}
    pl.DataFrame(columns).write_csv(tmp_path / "table.csv")
    return tmp_path / "table.csv"


def torchrun(*arguments, folder, **environment):
    call = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_without_torchrun_nothing_changes():
    assert (job_size(), before_error(), writes()) == (1, "", True)
    with job("cuda") as device:
        assert device == "cuda"
    assert not dist.is_available() or not dist.is_initialized()


@needs_ranks
@pytest.mark.parametrize(
    "command, options",
    [
        ("estimate", QUICK),
        pytest.param("conditional", [*QUICK, "--z", "c"], marks=pytest.mark.slow),  # of two estimates
        pytest.param("estimate", OPTIONS, marks=[pytest.mark.slow, pytest.mark.supervised]),
        pytest.param("bracket", OPTIONS, marks=[pytest.mark.slow, pytest.mark.supervised]),
    ],
)
def test_two_ranks_print_one_result_and_write_one_file(table, command, options):
    # One process with the same file and options comes to the same number.
    options = [*options, "--json"]
    alone = json.loads(CliRunner().invoke(app, [command, str(table), *options, "--quiet"]).stdout)
    done = torchrun("-m", "mibounds", command, table, *options, "--out", "result.json", folder=table.parent)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)  # one, and nothing else
    assert record["interval"] == pytest.approx(alone["interval"], abs=0.01)
    for part, expected in alone.get("parts", {}).items():
        assert record["parts"][part]["estimates"] == pytest.approx(expected["estimates"], abs=0.002)
    assert json.loads((table.parent / "result.json").read_text()) == record
    assert sorted(path.name for path in table.parent.iterdir()) == ["result.json", "table.csv"]


@needs_ranks
@pytest.mark.parametrize("how", ["error", "kill"])
@pytest.mark.parametrize("work", [BARE, pytest.param(COMMAND, marks=pytest.mark.slow)], ids=["bare", "estimate"])
def test_a_rank_that_fails_or_is_killed_ends_the_job_and_is_named(table, work, how):
    script = table.parent / "failing.py"
    script.write_text(FAILING + work)
    start = time.monotonic()
    longer = ["40" if one == "10" else one for one in OPTIONS]  # steps
    done = torchrun(script, "estimate", table, *longer, folder=table.parent, HOW=how)
    assert done.returncode != 0
    assert time.monotonic() - start < TIMEOUT.seconds
    assert done.stdout == ""
    cause = done.stderr[done.stderr.index("Root Cause") :]
    assert "rank      : 1 (local_rank: 1)" in cause
    if how == "kill":
        assert "Signal 9 (SIGKILL)" in cause
    else:
        assert "rank 1 of 2: ZeroDivisionError: the disk is on fire" in done.stderr
        assert "ZeroDivisionError: the disk is on fire" in cause


@needs_ranks
def test_a_command_for_one_process_is_refused_in_a_job(monkeypatch, table):
    for name, value in {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2", "RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["matrix", str(table)])
    assert done.exit_code == 2
    assert done.stderr == ("rank 1 of 2: Error: this command runs in one process: start it without torchrun.\n")
    assert not writes()
