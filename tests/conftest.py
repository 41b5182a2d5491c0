"""Shared fixtures: seeded generators, the exact critic of a Gaussian task, two ranks, and a benchmark of seconds."""

import gc
import multiprocessing
import socket
from functools import partial

import pytest
import torch
import torch.distributed as dist

from mibounds.benchmark import PRESETS
from mibounds.critics import canonical, gaussian
from mibounds.estimation import _estimate, estimate
from mibounds.estimation.candidates import supervision_of
from mibounds.tasks import CorrelatedGaussian, suites
from mibounds.training import recipe

torch.set_num_threads(1)  # the tests' networks are too small for two, and two wait for each other on a busy machine


def pytest_addoption(parser):
    parser.addoption("--device", default="cuda", help="where the tests of tests/test_device.py run, if it is there")


def pytest_collection_finish():
    """What was imported and collected stays: searches for garbage leave it out."""
    gc.freeze()


@pytest.fixture
def device(request):
    """The device to test; skips where this machine has none."""
    chosen = torch.device(request.config.getoption("--device"))
    if chosen.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("this machine has no GPU that torch can use (--device cpu runs these tests on the processor)")
    return chosen


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def two_folds(monkeypatch):
    """Two folds in place of five for few samples, for tests that cannot pass `folds` and do not check the value."""
    monkeypatch.setattr(recipe, "automatic_folds", lambda *_: 2)


@pytest.fixture
def one_regularization(monkeypatch):
    """One closed form in place of sixteen (regularizations, radial products), for tests that do not check the value."""
    monkeypatch.setattr(canonical, "REGULARIZATIONS", ((0.1, 0.0),))
    monkeypatch.setattr(gaussian, "_MOST_RADIAL", 0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """No learners and no critics that rest on them, which take seconds: most tests are of what surrounds them. Those of
    the default estimate as it is are marked `supervised`. Fixtures of a module are made as its first test is marked."""
    supervised = item.get_closest_marker("supervised") is not None
    _estimate.supervision_of = supervision_of if supervised else lambda *_: None


@pytest.fixture
def exact_grid():
    """Scores of all pairs of n draws by the exact log-ratio critic of a d-dimensional Gaussian with that
    information, by one matrix product."""

    def grid(information, n, seed, dim=20):
        task = CorrelatedGaussian.with_information(dim, information)
        x, y = task.sample(n, torch.Generator().manual_seed(seed))
        square = task.rho**2
        of_x, of_y = (side.square().sum(1) * square for side in (x, y))
        scores = information - (of_x[:, None] + of_y - 2 * task.rho * (x @ y.T)) / (2 * (1 - square))
        assert torch.allclose(scores.diagonal(), task.log_ratio(x, y), atol=1e-3)
        return scores

    return grid


RANK = """
import os, sys
os.dup2(os.open(f"{folder}/{rank}.stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
sys.argv = ["-c", rank, port, folder]
exec(script, {"__name__": "__main__"})
"""


@pytest.fixture(scope="session")
def run_ranks():
    """Runs a script as both ranks of a job, with its rank, a free port and a folder as arguments, and gives what each
    saved there as RANK.pt. The ranks are copies of a server that has imported torch, which takes seconds."""
    if not dist.is_available():
        pytest.skip("torch was built without torch.distributed")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "torch.distributed", "sklearn", "mibounds._public"])

    def run(script, folder):
        done = once(script, folder)
        done = once(script, folder) if gloo_aborted("".join(errors for _, errors in done)) else done
        assert [code for code, _ in done] == [0, 0], done
        return [torch.load(folder / f"{i}.pt", weights_only=True) for i in range(2)]

    def once(script, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        shared = {"script": script, "port": str(port), "folder": str(folder)}
        ranks = [context.Process(target=exec, args=(RANK, {**shared, "rank": str(i)})) for i in range(2)]
        for process in ranks:
            process.start()
        for process in ranks:
            process.join(timeout=240)
            process.kill()  # if it has not ended
        return [(process.exitcode, (folder / f"{i}.stderr").read_text()) for i, process in enumerate(ranks)]

    return run


def gloo_aborted(stderr):
    """Did a thread of gloo end the process, at its exit? DistributedDataParallel keeps the process group alive beyond
    `destroy_process_group`, and a thread that frees a tensor while the interpreter ends aborts it, once in some hundred
    runs on a busy machine: https://github.com/pytorch/pytorch/pull/179291."""
    return "terminate called without an active exception" in stderr


@pytest.fixture
def once_more_if_gloo_aborted():
    """Calls a function that gives a completed process, a second time if a thread of gloo aborted the first."""

    def call(run):
        done = run()
        return run() if gloo_aborted(done.stderr) else done

    return call


@pytest.fixture
def tiny_benchmark(monkeypatch):
    """A suite "quick" of two tasks, and an estimator "tiny" that takes a tenth of a second."""
    monkeypatch.setattr(suites, "QUICK", (CorrelatedGaussian(1, 0.0), CorrelatedGaussian(1, 0.9)))
    monkeypatch.setitem(PRESETS, "tiny", partial(estimate, folds=2, steps=20, hidden=(8,), learners=False))
