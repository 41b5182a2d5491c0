"""Bars: where they appear, what they say, and the time that is left."""

import re
import sys
import threading
import types
import warnings

import pytest
import torch

import mibounds as mi
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import progress_bars
from mibounds.training.progress_bars import Progress, progress_bar


@pytest.fixture
def clock(monkeypatch):
    """The seconds that have passed, which a test sets."""
    now = [100.0]
    monkeypatch.setattr(progress_bars.time, "monotonic", lambda: now[0])
    return now


def notebook(monkeypatch, widgets):
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(progress_bars, "find_spec", lambda name: object() if widgets else None)


def test_many_threads_advance_it():
    with Progress(True, 100) as progress:
        threads = [threading.Thread(target=progress.advance, args=(25, "fold")) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert progress.bar.n == 100


def test_it_has_fixed_words_and_the_value_so_far(capsys):
    with Progress(True, 20, folds=2) as progress:
        progress.advance(10, "fold 1 of 2")
        assert progress.bar.postfix == ""  # nothing is known yet
        progress.finish_fold(0.5)
        progress.finish_fold(float("nan"))
        progress.advance(5, "fold 2 of 2")
        progress.bar.refresh()
    shown = capsys.readouterr().err
    assert re.search(r"fold 2 of 2 \|.*\|  75% 00:00, 00:00 left, so far 0.5 nats", shown)
    assert shown.endswith("\r"), "it is gone when the work is done"


def test_the_time_that_is_left_falls_second_by_second(clock):
    progress = Progress(True, 300, folds=3)
    progress.advance(10, "fold 1 of 3")
    assert progress.bar.postfix == ""
    clock[0] += 60
    progress.finish_fold(1.0)
    seen = []
    for _ in range(60):
        clock[0] += 1
        progress.advance(3, "fold 2 of 3")  # a candidate that is dropped does not matter
        seen.append(progress.remaining(progress.bar.n))
    assert seen == [120.0 - second for second in range(1, 61)]
    progress.finish_fold(1.0)
    assert progress.remaining(0) == 60
    clock[0] += 100
    assert progress.remaining(0) == 0, "a slow fold is not a negative time"
    progress.bar.close()


def test_without_folds_all_steps_take_equally_long(clock):
    progress = Progress(True, 100)
    clock[0] += 10
    assert progress.remaining(25) == 30
    progress.bar.close()


def test_automatic_bars_are_silent_outside_of_terminals_and_notebooks(capsys):
    assert Progress("auto", 10).bar is None
    assert list(progress_bar("auto", range(3), unit="lag")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_in_terminals_they_appear_after_some_seconds(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("auto", 10) as progress:
        assert progress.bar.delay == 3
        progress.advance(5, "fold 1 of 2")
    assert capsys.readouterr().err == ""
    assert Progress(False, 10).bar is None


def test_a_notebook_without_ipywidgets_has_a_bar_of_text_and_no_red_box(monkeypatch, capsys, recwarn):
    notebook(monkeypatch, widgets=False)
    with Progress("auto", 10) as progress:
        progress.bar.delay = 0
        progress.advance(5, "fold 1 of 2")
        progress.bar.refresh()
    out, err = capsys.readouterr()
    assert "fold 1 of 2" in out
    assert err == ""
    assert not recwarn.list


def test_a_bar_over_items_gives_the_items(capsys):
    assert list(progress_bar(False, range(3), unit="lag")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    assert list(progress_bar(True, range(3), unit="lag")) == [0, 1, 2]
    assert "lag 0 of 3" in capsys.readouterr().err


@pytest.mark.usefixtures("two_folds", "one_regularization")
def test_an_estimate_with_a_bar(capsys):
    x, y = CorrelatedGaussian(1, 0.8).sample(200, torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = mi.estimate(x, y, steps=200, hidden=(4,), progress=True)
    shown = capsys.readouterr().err
    assert "fold 1 of 2" in shown
    assert "so far" in shown
    assert isinstance(result.value, float)
