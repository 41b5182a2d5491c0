"""A fit that was killed continues to the same number, to the bit; what does not belong to it is refused."""

import io
import itertools
import json
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
from mibounds.learners import SupervisedFeatures
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import checkpoints
from mibounds.training.candidate_run import Run
from mibounds.training.candidates import Candidate
from mibounds.training.checkpoints import FORMAT, Checkpoint, FoldFile, FoldState, describe_fit
from mibounds.training.cross_fitting import cross_fit
from mibounds.training.recipe import Recipe
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
def test_a_killed_fit_continues_to_the_same_number(killed_after, tmp_path, after):
    mine = {"bound": MINE(), "negatives": 3}  # an average in the bound, and draws in every step
    whole = mi.Trainer(**QUICK).fit(estimator(**mine), *data())
    killed_after(after)
    with pytest.raises(Killed):
        mi.Trainer(**QUICK, checkpoint=tmp_path / "run").fit(estimator(**mine), *data())
    killed_after(None)
    options = {**QUICK, "workers": 2, "checkpoint": tmp_path / "run", "resume": True}
    assert everything(mi.Trainer(**options).fit(estimator(**mine), *data())) == everything(whole)
    killed_after(0)  # nothing is left to be trained or evaluated
    assert everything(mi.Trainer(**options).fit(estimator(**mine), *data())) == everything(whole)


@pytest.mark.parametrize("after", [8, 13, 17, 21])
def test_a_killed_fit_continues_to_the_same_end_of_its_patience(killed_after, tmp_path, after):
    """Of independent samples the validation loss does not improve: each fold ends with its patience, before its
    steps."""
    x, y = data()[0], data()[1].flip(0)
    options = {**QUICK, "steps": 1000, "patience": 3}
    whole = mi.Trainer(**options).fit(estimator(), x, y)
    ends = [fold.steps for fold in whole.fitted]
    assert max(ends) < 60
    killed_after(after)
    with pytest.raises(Killed):
        mi.Trainer(**options, checkpoint=tmp_path).fit(estimator(), x, y)
    killed_after(None)
    again = mi.Trainer(**options, checkpoint=tmp_path, resume=True).fit(estimator(), x, y)
    assert [fold.steps for fold in again.fitted] == ends
    assert everything(again) == everything(whole)


def several():
    blind = mi.MIEstimator(mi.critics.WithOffset(SeparableCritic(2, 2, hidden=(8,)), Noise()), InfoNCE())
    return [
        Candidate("blind", blind, Standardize()),
        Candidate("plain", estimator(symmetric=True), Standardize()),
        Candidate("raw", estimator(symmetric=True)),
    ]


@pytest.mark.supervised
@pytest.mark.parametrize("after", [pytest.param(4, marks=pytest.mark.slow), 15])
def test_a_killed_estimate_with_supervised_features_continues_to_the_same_number(killed_after, tmp_path, after):
    x = torch.randn(120, 2, generator=torch.Generator().manual_seed(0))
    y = (x[:, :1] * x[:, 1:]).sign() + 0.3 * torch.randn(120, 1, generator=torch.Generator().manual_seed(1))
    options = {**QUICK, "hidden": (8,)}
    whole = mi.estimate(x, y, **options)
    assert isinstance(whole.fitted[0].critic.encoder_x, SupervisedFeatures)
    killed_after(after)
    with pytest.raises(Killed):
        mi.estimate(x, y, **options, checkpoint=tmp_path)
    killed_after(None)
    again = mi.estimate(x, y, **{**options, "workers": 2}, checkpoint=tmp_path, resume=True)
    assert everything(again) == everything(whole)
    assert torch.equal(again.fitted.score_pairs(x, y), whole.fitted.score_pairs(x, y))


class Noise(mi.critics.Critic):
    """Scores that hinder."""

    def combine(self, hx, hy):
        return 9 * (hx * 7 + hy * 3).sum(-1).sin()


@pytest.mark.parametrize("after", [15, 35, 52])
def test_candidates_that_were_dropped_stay_dropped(killed_after, tmp_path, after):
    def evaluate(**options):
        return cross_fit(several(), *data(), Recipe(**QUICK, **options), calibrate=True)

    whole = evaluate()
    assert len({one.steps for one in whole.fitted} & {3 * 30}) == 0, "one candidate was dropped"
    killed_after(after)
    with pytest.raises(Killed):
        evaluate(checkpoint=tmp_path)
    killed_after(None)
    again = evaluate(checkpoint=tmp_path, resume=True)
    assert torch.equal(again.scores, whole.scores)
    assert [one.steps for one in again.fitted] == [one.steps for one in whole.fitted]


@pytest.mark.parametrize("array", [False, True], ids=["simulator", "array"])
def test_a_stream_continues_with_the_rows_that_it_had_left(killed_after, tmp_path, array):
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
    assert everything(mi.Trainer(**QUICK, checkpoint="new", resume=True).fit(estimator(), *data()))


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"seed": 1}, r"is the checkpoint of another fit, with .*seed 0 \(here 1\): resume with its data and settings"),
        ({"steps": 31}, r"with steps 30 \(here 31\)"),
        ({"folds": 3}, r"with folds 2 \(\w+\) \(here 3 \(\w+\)\)"),
        ({"test_negatives": 64}, r"with test_negatives all \(here 64\)"),
        ({"patience": 3}, r"with patience 4 \(here 3\)"),
        ({"preprocessing": None}, r"with estimator InfoNCE \(\w+\) \(here InfoNCE \(\w+\)\)"),
        ({"resume": False}, "holds a checkpoint already: pass resume=True to continue it, or delete it"),
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
    with pytest.raises(ValueError, match=r"with y 200 samples \(\w+\) \(here 200 samples"):
        mi.Trainer(**given).fit(estimator(), x, y + 1)
    with pytest.raises(ValueError, match="with first weights .* resume with its torch.manual_seed before the critic"):
        mi.Trainer(**given).fit(mi.MIEstimator(SeparableCritic(2, 2, hidden=(8,)), InfoNCE()), x, y)
    with pytest.raises(ValueError, match="with estimator"):
        mi.Trainer(**given).fit(estimator(symmetric=True), x, y)


def described(candidate=None, calibrate=False, **settings):
    fold = mi.training.folds.split(20, 2, 0.2, torch.Generator())[0]
    recipe = Recipe(**{"steps": 1, "batch_size": 2, **settings}).filled(20, 8)
    return describe_fit([candidate or Candidate("a", estimator())], *data(20), [fold], recipe, calibrate)


def test_numbers_inside_a_module_distinguish_fits():
    found = [described(Candidate("a", estimator(mi.bounds.SMILE(clip=c))))["estimator"] for c in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_everything_that_the_numbers_of_a_fit_depend_on_is_described():
    same = {"workers": 3, "progress": True, "checkpoint": "run", "bootstrap": 9}
    assert described(**same) == described()
    changes = {
        "steps": 2, "batch_size": 3, "lr": 0.1, "weight_decay": 0.1, "clip": 2.0, "check_every": 2, "patience": 2,
        "tolerance": 0.1, "precision": "bf16", "seed": 1, "test_negatives": 5,
    }  # fmt: skip
    for name, value in changes.items():
        new, old = described(**{name: value}), described()
        assert [key for key in new if new[key] != old[key]] == [name]
        assert new[name] == str(value)
    assert described(calibrate=True)["calibrate"] == "True" != described()["calibrate"]
    assert described()["format"] == str(FORMAT) == "4"


def test_a_checkpoint_of_an_older_format_is_refused_with_one_sentence(tmp_path):
    """Format 1 has no number of a format."""
    given = {**QUICK, "checkpoint": tmp_path, "resume": True}
    mi.Trainer(**given).fit(estimator(), *data())
    page = json.loads((tmp_path / "fit.json").read_text())
    for number, written in ((None, "1"), ("3", "3"), ("5", "5")):
        record = {name: value for name, value in page.items() if name != "format"}
        (tmp_path / "fit.json").write_text(json.dumps(record if number is None else {**record, "format": number}))
        with pytest.raises(ValueError) as caught:
            mi.Trainer(**given).fit(estimator(), *data())
        assert str(caught.value) == (
            f"{str(tmp_path)!r} is a checkpoint in format {written}, and this version of mibounds continues format 4: "
            "delete the folder, or give another, to start anew."
        )


def test_the_file_of_a_fold_in_an_older_format_is_refused(tmp_path):
    (tmp_path / "fit.json").write_text(json.dumps({"format": str(FORMAT)}))
    checkpoint = Checkpoint(tmp_path, True, lambda: {"format": str(FORMAT)})
    content = io.BytesIO()
    torch.save({"fit": checkpoint.fit, "runs": [], "hopeful": None}, content)
    (tmp_path / "fold-1.checkpoint").write_bytes(checkpoints._digest(content.getbuffer()) + content.getbuffer())
    with pytest.raises(ValueError, match="fold-1.checkpoint' belongs to another fit than its folder: delete it"):
        checkpoint.fold(1)


def test_a_state_comes_back_as_it_was_written(tmp_path):
    checkpoint = Checkpoint(tmp_path / "new", False, lambda: {"format": str(FORMAT)})
    state = FoldState([{"step": 5, "order": torch.arange(3)}], {"negatives": 3})
    checkpoint.fold(2).write(state)
    back = checkpoint.fold(2).state
    assert torch.equal(back.runs[0].pop("order"), state.runs[0].pop("order"))
    assert back == state
    assert checkpoint.fold(1).state is None
    assert Checkpoint(None, False, lambda: {}).fold(1).state is None


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
    FoldFile(path.with_name("other.checkpoint"), "of another fit").write(FoldState())
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

    checkpoint = Checkpoint(tmp_path, False, lambda: {"format": str(FORMAT)})
    torch.save({"fit": checkpoint.fit, "format": FORMAT, "runs": Code()}, tmp_path / "fold-1.checkpoint")
    content = (tmp_path / "fold-1.checkpoint").read_bytes()
    (tmp_path / "fold-1.checkpoint").write_bytes(checkpoints._digest(content) + content)
    with pytest.raises(UnpicklingError, match="Weights only load failed"):
        checkpoint.fold(1)
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_is_one_warning_and_nothing_is_lost(tmp_path, monkeypatch):
    whole = mi.Trainer(**QUICK).fit(estimator(), *data())
    monkeypatch.setattr(checkpoints, "_SHARE", 1e9)

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_bytes", full)
    with pytest.warns(CheckpointWarning, match="could not be written .*No space left.*The fit continued") as caught:
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


def test_writing_takes_at_most_a_twentieth_of_the_time(tmp_path, monkeypatch):
    clock = iter([0.0, 10.0, 209.5, 210.0])  # the writing lasts from 0 to 10
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: next(clock))
    file = FoldFile(tmp_path / "fold-1.checkpoint")
    file.write(FoldState())
    assert [file.due(), file.due(), file.due(now=True)] == [False, True, True]
    assert not FoldFile().due(now=True), "nothing is kept without a file"


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


def test_a_process_that_is_killed_continues_to_the_same_number(tmp_path):
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
