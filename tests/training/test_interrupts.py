"""Ctrl-C ends a fit with the best result so far; a second one ends at once."""

import itertools
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import mibounds as mi
from mibounds.bounds import InfoNCE
from mibounds.cli.main import app
from mibounds.critics import SeparableCritic
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.candidate_run import Run
from mibounds.training.interrupts import interruptible, no_partial_results
from mibounds.warnings import InterruptedWarning

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")

TASK = CorrelatedGaussian(2, 0.8)
QUICK = {"steps": 60, "check_every": 10, "folds": 3, "workers": 1, "lr": 1e-2}


@pytest.fixture(autouse=True)
def ctrl_c_is_a_keyboard_interrupt():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "a fit leaves the handler as it was"
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def ctrl_c_at(monkeypatch):
    """Ctrl-C is pressed during these steps, counted over all folds."""
    step = Run._train_step

    def press(*moments):
        made = itertools.count(1)

        def pressed(run):
            if next(made) in moments:
                os.kill(os.getpid(), signal.SIGINT)
            step(run)

        monkeypatch.setattr(Run, "_train_step", pressed)

    return press


def data(n=300):
    return TASK.sample(n, torch.Generator().manual_seed(0))


def estimator():
    torch.manual_seed(0)
    return mi.MIEstimator(SeparableCritic(2, 2, hidden=(16,)), InfoNCE(), symmetric=True)


def test_folds_that_finished_are_evaluated_and_one_in_progress_ends_early(ctrl_c_at):
    ctrl_c_at(115)
    with pytest.warns(InterruptedWarning, match="after 115 steps: of 3 folds 1 had finished, 1 are .* 1 are left"):
        result = mi.Trainer(**QUICK).fit(estimator(), *data())
    assert 0.3 < result.value < 1.2
    assert result.n == 200
    assert [fold.steps for fold in result.fitted] == [60, 55]
    assert result.curves[1].steps[-1] == 55  # weights between two checks have their own
    assert int(result.pointwise.isnan().sum()) == 100
    assert result.interval[0] < result.value < result.interval[1]
    assert json.loads(json.dumps(result.to_dict()))["warnings"][0]["code"] == "interrupted"


def test_a_fold_that_had_hardly_begun_is_left_out(ctrl_c_at):
    ctrl_c_at(62)
    with pytest.warns(InterruptedWarning, match="of 3 folds 1 had finished, 0 are evaluated .* 2 are left out"):
        assert mi.Trainer(**QUICK).fit(estimator(), *data()).n == 100


def test_it_is_the_fold_of_the_whole_fit(ctrl_c_at):
    whole = mi.Trainer(**QUICK).fit(estimator(), *data())
    ctrl_c_at(62)
    cut = mi.Trainer(**QUICK).fit(estimator(), *data())
    assert cut.value == pytest.approx(whole.fold_values[0])


def test_folds_in_threads_end_too(ctrl_c_at):
    ctrl_c_at(70)
    result = mi.Trainer(**{**QUICK, "workers": 3}).fit(estimator(), *data())
    assert "interrupted" in [warning.code for warning in result.warnings]
    assert sum(fold.steps for fold in result.fitted) < 120
    assert threading.active_count() < 20


def test_before_the_first_step_there_is_no_result(monkeypatch):
    check = Run._check

    def press(run):
        os.kill(os.getpid(), signal.SIGINT)
        check(run)

    monkeypatch.setattr(Run, "_check", press)
    with pytest.raises(KeyboardInterrupt):
        mi.Trainer(**QUICK).fit(estimator(), *data())
    with pytest.raises(KeyboardInterrupt):
        mi.Trainer(**QUICK).fit_stream(estimator(), TASK.sample, test_rows=100)


def test_a_second_ctrl_c_ends_at_once(ctrl_c_at, monkeypatch):
    ctrl_c_at(30)

    def evaluate(*_, **__):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
        pytest.fail("it continued")

    monkeypatch.setattr("mibounds.training.cross_fitting.evaluate_fold", evaluate)
    with pytest.raises(KeyboardInterrupt):
        mi.Trainer(**QUICK).fit(estimator(), *data())


def test_a_stream_ends_early_too(ctrl_c_at):
    ctrl_c_at(33)
    with pytest.warns(InterruptedWarning, match="after 33 steps: of 1 folds 0 had finished, 1 are evaluated"):
        result = mi.Trainer(**QUICK).fit_stream(estimator(), TASK.sample, test_rows=500)
    assert result.value > 0.3
    assert result.n == 500


def test_an_interrupted_fit_continues_from_its_checkpoint(ctrl_c_at, tmp_path):
    whole = mi.Trainer(**QUICK).fit(estimator(), *data())
    ctrl_c_at(95)
    cut = mi.Trainer(**QUICK, checkpoint=tmp_path).fit(estimator(), *data())
    assert cut.n < 300
    ctrl_c_at()
    assert mi.Trainer(**QUICK, checkpoint=tmp_path, resume=True).fit(estimator(), *data()).to_dict() == whole.to_dict()


def test_several_fits_all_end(ctrl_c_at):
    x, y = data(400)
    ctrl_c_at(30)
    with pytest.raises(KeyboardInterrupt):
        mi.lagged(x[:, 0], y[:, 0], (0, 1), steps=40, folds=2, hidden=(8,), workers=1)


def test_ctrl_c_is_left_as_it_is_where_it_is_not_a_keyboard_interrupt_or_several_fits_make_one_result():
    def other(*_):
        return None

    signal.signal(signal.SIGINT, other)
    with interruptible() as stop:
        assert signal.getsignal(signal.SIGINT) is other
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with no_partial_results(), interruptible() as stop, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with interruptible() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_an_error_ends_the_other_folds():
    with pytest.raises(RuntimeError), interruptible() as stop:
        raise RuntimeError
    assert stop.is_set()


def test_on_the_command_line(ctrl_c_at, tmp_path):
    path = tmp_path / "xy.npz"
    np.savez(path, **{name: side.numpy() for name, side in zip("xy", data(100), strict=True)})
    ctrl_c_at(40)
    done = CliRunner().invoke(app, ["estimate", str(path), "--x", "x", "--y", "y", "--steps", "100", "--json", "-q"])
    assert done.exit_code == 130
    record = json.loads(done.stdout)
    assert "interrupted" in [warning["code"] for warning in record["warnings"]]
    assert math.isfinite(record["value"])


ALONE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background may start without
sys.path.insert(0, {tests!r})
import mibounds as mi
from test_interrupts import data, estimator
result = mi.Trainer(steps=20_000, folds=2, patience=1000, checkpoint={folder!r}).fit(estimator(), *data())
print("value", result.value)
"""


def test_in_a_process_of_its_own(tmp_path):
    script = ALONE.format(tests=str(Path(__file__).parent), folder=str(tmp_path / "run"))
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list(tmp_path.glob("run/fold-*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 0
    assert math.isfinite(float(out.removeprefix("value")))
    assert "InterruptedWarning: Training was interrupted after" in err
