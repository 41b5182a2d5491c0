"""A fit that was killed goes on to the same number, to the bit; what does not belong is refused."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from pickle import UnpicklingError

import pytest
import torch

import mibounds as mi
from mibounds.bounds import MINE, InfoNCE
from mibounds.critics import SeparableCritic
from mibounds.data import Standardize
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import Candidate, checkpoints
from mibounds.training.candidate_run import Run
from mibounds.training.checkpoints import FoldFile, describe_fit
from mibounds.warnings import CheckpointWarning

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")

TASK = CorrelatedGaussian(2, 0.8)
QUICK = {"steps": 30, "check_every": 5, "batch_size": 32, "folds": 2, "workers": 1, "lr": 5e-3}


def data(n=200):
    return TASK.sample(n, torch.Generator().manual_seed(0))


def estimator(bound=None, **options):
    torch.manual_seed(0)
    return mi.MIEstimator(SeparableCritic(2, 2, hidden=(8,)), bound or InfoNCE(), **options)


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def killed_after(monkeypatch):
    """Training ends after so many steps; files are written as often as they can be."""
    monkeypatch.setattr(checkpoints, "_SHARE", 1e9)
    step = Run._train_step

    def kill(after):
        made = itertools.count()

        def maybe(run):
            if next(made) == after:
                raise Killed
            step(run)

        monkeypatch.setattr(Run, "_train_step", step if after is None else maybe)

    return kill


def everything(result):
    return result.to_dict(), result.pointwise.tolist()


@pytest.mark.parametrize("after", [3, 17, 30, 45])
def test_a_killed_fit_goes_on_to_the_same_number(killed_after, tmp_path, after):
    mine = {"bound": MINE(), "negatives": 3}  # an average in the bound, and draws in every step
    whole = mi.Trainer(**QUICK).fit(estimator(**mine), *data())
    killed_after(after)
    with pytest.raises(Killed):
        mi.Trainer(**QUICK, checkpoint=tmp_path / "run").fit(estimator(**mine), *data())
    killed_after(None)
    options = {**QUICK, "workers": 2, "checkpoint": tmp_path / "run", "resume": True}
    assert everything(mi.Trainer(**options).fit(estimator(**mine), *data())) == everything(whole)
    killed_after(0)  # nothing is left to be trained, nor to be read
    assert everything(mi.Trainer(**options).fit(estimator(**mine), *data())) == everything(whole)


def several():
    blind = mi.MIEstimator(mi.critics.WithOffset(SeparableCritic(2, 2, hidden=(8,)), Noise()), InfoNCE())
    return [
        Candidate("blind", blind, Standardize()),
        Candidate("plain", estimator(symmetric=True), Standardize()),
        Candidate("raw", estimator(symmetric=True)),
    ]


class Noise(mi.critics.Critic):
    """Scores that hinder."""

    def combine(self, hx, hy):
        return 9 * (hx * 7 + hy * 3).sum(-1).sin()


@pytest.mark.parametrize("after", [15, 35, 52])
def test_candidates_that_were_dropped_stay_dropped(killed_after, tmp_path, after):
    def read(**options):
        return mi.Trainer(**QUICK, **options).read(several(), *data(), calibrate=True)

    whole = read()
    assert len({one.steps for one in whole.fitted} & {3 * 30}) == 0, "one candidate was dropped"
    killed_after(after)
    with pytest.raises(Killed):
        read(checkpoint=tmp_path)
    killed_after(None)
    again = read(checkpoint=tmp_path, resume=True)
    assert torch.equal(again.joint, whole.joint)
    assert [one.steps for one in again.fitted] == [one.steps for one in whole.fitted]


@pytest.mark.parametrize("array", [False, True], ids=["simulator", "array"])
def test_a_stream_goes_on_with_the_rows_that_it_had_left(killed_after, tmp_path, array):
    options = {"steps": 60, "check_every": 10, "batch_size": 256}

    def draw():
        return mi.sampler(*(side.numpy() for side in data(15_000))) if array else TASK.sample

    whole = mi.Trainer(**options).fit_stream(estimator(), draw(), test_rows=500)
    killed_after(41)  # in the second round of the array's rows
    with pytest.raises(Killed):
        mi.Trainer(**options, checkpoint=tmp_path).fit_stream(estimator(), draw(), test_rows=500)
    killed_after(None)
    again = mi.Trainer(**options, checkpoint=tmp_path, resume=True).fit_stream(estimator(), draw(), test_rows=500)
    assert everything(again) == everything(whole)


def test_nothing_is_read_or_written_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mi.Trainer(**QUICK).fit(estimator(), *data())
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="resume goes on with a checkpoint, and there is none: pass checkpoint="):
        mi.Trainer(resume=True)
    assert everything(mi.Trainer(**QUICK, checkpoint="new", resume=True).fit(estimator(), *data()))


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"seed": 1}, r"is the checkpoint of another fit, with .*seed 0 \(here 1\): resume with its data and settings"),
        ({"steps": 31}, r"with steps 30 \(here 31\)"),
        ({"folds": 3}, r"with folds 2 \(\w+\) \(here 3 \(\w+\)\)"),
        ({"test_negatives": 64}, r"with test_negatives all \(here 64\)"),
        ({"preprocessing": None}, r"with estimator InfoNCE \(\w+\) \(here InfoNCE \(\w+\)\)"),
        ({"resume": False}, "holds a checkpoint already: pass resume=True to go on with it, or delete it"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_fit_is_refused(tmp_path, change, sentence):
    given = {**QUICK, "checkpoint": tmp_path, "resume": True}
    mi.Trainer(**given).fit(estimator(), *data())
    with pytest.raises(ValueError, match=sentence):
        mi.Trainer(**{**given, **change}).fit(estimator(), *data())


def test_other_data_weights_and_bounds_are_refused(tmp_path):
    given = {**QUICK, "checkpoint": tmp_path, "resume": True}
    mi.Trainer(**given).fit(estimator(), *data())
    x, y = data()
    with pytest.raises(ValueError, match=r"with y 200 rows \(\w+\) \(here 200 rows"):
        mi.Trainer(**given).fit(estimator(), x, y + 1)
    with pytest.raises(ValueError, match="with first weights .* resume with its torch.manual_seed before the critic"):
        mi.Trainer(**given).fit(mi.MIEstimator(SeparableCritic(2, 2, hidden=(8,)), InfoNCE()), x, y)
    with pytest.raises(ValueError, match="with estimator"):
        mi.Trainer(**given).fit(estimator(symmetric=True), x, y)


def test_numbers_inside_a_module_tell_fits_apart():
    fold = mi.training.folds.split(20, 2, 0.2, torch.Generator())[0]
    x, y = data(20)
    plan = mi.training.candidates.Plan(1, 2, 0.1, 0, 1, 1, 1, 0, False)
    told = [
        describe_fit([Candidate("a", estimator(mi.bounds.SMILE(clip=c)))], x, y, [fold], plan)["estimator"]
        for c in (1, 1, 2)
    ]
    assert told[0] == told[1] != told[2]


def test_a_damaged_file_is_refused_before_any_training(tmp_path, killed_after):
    given = {**QUICK, "checkpoint": tmp_path, "resume": True}
    mi.Trainer(**given).fit(estimator(), *data())
    killed_after(0)
    path = tmp_path / "fold-2.checkpoint"
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
    for damaged in (content[:middle], b"", b"nonsense", flipped):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"fold-2.checkpoint' is damaged: delete it, and its fold starts anew"):
            mi.Trainer(**given).fit(estimator(), *data())
    FoldFile(path.with_name("other.checkpoint"), "of another fit").write(runs=[])
    path.with_name("other.checkpoint").replace(path)
    with pytest.raises(ValueError, match="fold-2.checkpoint' belongs to another fit than its folder"):
        mi.Trainer(**given).fit(estimator(), *data())
    (tmp_path / "fit.json").write_text("{")
    with pytest.raises(ValueError, match=r"fit.json' is damaged \(.*\): delete"):
        mi.Trainer(**given).fit(estimator(), *data())
    with pytest.raises(ValueError, match="which is a file: give a folder"):
        mi.Trainer(**{**given, "checkpoint": tmp_path / "fit.json"}).fit(estimator(), *data())


def test_no_code_is_read(tmp_path):
    class Code:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    torch.save({"fit": "", "runs": Code()}, tmp_path / "fold-1.checkpoint")
    content = (tmp_path / "fold-1.checkpoint").read_bytes()
    (tmp_path / "fold-1.checkpoint").write_bytes(checkpoints._digest(content) + content)
    with pytest.raises(UnpicklingError, match="Weights only load failed"):
        FoldFile(tmp_path / "fold-1.checkpoint", "")
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_is_one_warning_and_nothing_is_lost(tmp_path, monkeypatch):
    whole = mi.Trainer(**QUICK).fit(estimator(), *data())
    monkeypatch.setattr(checkpoints, "_SHARE", 1e9)

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_bytes", full)
    with pytest.warns(CheckpointWarning, match="could not be written .*No space left.* the fit goes on") as caught:
        result = mi.Trainer(**QUICK, checkpoint=tmp_path).fit(estimator(), *data())
    assert result.value == whole.value
    assert [warning.code for warning in result.warnings].count("checkpoint") == 1
    assert sum(one.category is CheckpointWarning for one in caught) == 1


def test_half_written_files_are_cleared_away(tmp_path):
    given = {**QUICK, "checkpoint": tmp_path, "resume": True}
    mi.Trainer(**given).fit(estimator(), *data())
    (tmp_path / ".fold-1.checkpoint.0123abcd").write_bytes(b"half")
    mi.Trainer(**given).fit(estimator(), *data())
    assert {path.name for path in tmp_path.iterdir()} == {"fit.json", "fold-1.checkpoint", "fold-2.checkpoint"}


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    clock = iter([0.0, 10.0, 209.0, 210.5, 211.0])  # the writing lasts from 0 to 10
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: next(clock))
    file = FoldFile(tmp_path / "fold-1.checkpoint")
    file.write(runs=[])
    assert [file.due(), file.due(), file.due(now=True)] == [False, True, True]


def test_each_of_several_fits_has_its_own_folder(tmp_path):
    x, y = data(100)
    options = {"steps": 4, "folds": 2, "hidden": (8,), "checkpoint": tmp_path}
    found = mi.lagged(x[:, 0], y[:, 0], (0, 1), **options)
    assert {path.name for path in tmp_path.iterdir()} == {"lag 0", "lag 1"}
    again = mi.lagged(x[:, 0], y[:, 0], (0, 1), **options, resume=True)
    assert again.to_dict() == found.to_dict()


LONG = {"steps": 200, "check_every": 5, "batch_size": 32, "folds": 2, "patience": 1000, "lr": 5e-3}

KILLED = """
import sys, warnings
import mibounds as mi
sys.path.insert(0, {tests!r})
warnings.simplefilter("ignore")
from test_checkpoints import LONG, data, estimator
mi.Trainer(**LONG, checkpoint={folder!r}).fit(estimator(), *data())
"""


def test_a_process_that_is_killed_goes_on_to_the_same_number(tmp_path):
    folder = tmp_path / "run"
    script = KILLED.format(tests=str(Path(__file__).parent), folder=str(folder))
    process = subprocess.Popen([sys.executable, "-c", script])
    while not list(folder.glob("fold-*")):
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.4 * random.random())
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    again = mi.Trainer(**LONG, checkpoint=folder, resume=True).fit(estimator(), *data())
    assert everything(again) == everything(mi.Trainer(**LONG).fit(estimator(), *data()))
