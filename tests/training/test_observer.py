"""The observer: progress, checkpoints and Ctrl-C of a fit, in one object for each fold."""

import signal
import threading

import pytest

from mibounds.training import checkpoints
from mibounds.training.checkpoints import FORMAT, FoldFile, FoldState
from mibounds.training.observer import FoldObserver, Observer
from mibounds.training.recipe import Recipe


def recipe(**settings):
    return Recipe(steps=10, **settings).filled(100, 50)


def observer(folds=2, describe=lambda: {"format": str(FORMAT)}, **settings):
    return Observer(recipe(**settings), folds, 10 * folds, describe)


# A fold


def test_by_itself_a_fold_is_observed_by_nobody():
    fold = FoldObserver()
    fold.advance(3, "training")
    fold.save(lambda: pytest.fail("there is no file to write a state to"), now=True)
    fold.evaluated({})
    fold.forget()
    assert (fold.state, fold.stopped) == (None, False)


def test_a_state_is_made_only_if_it_is_time_to_write_it(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "_SHARE", 1e-9)  # after the first writing, it is not time for years
    fold = FoldObserver(FoldFile(tmp_path / "fold-1.checkpoint"))
    fold.save(lambda: FoldState([{"step": 0}]))
    assert fold.state == FoldState([{"step": 0}])
    fold.save(lambda: pytest.fail("it is not time to write"))
    fold.save(lambda: FoldState([{"step": 1}]), now=True)
    assert fold.state == FoldState([{"step": 1}])


def test_the_evaluation_is_written_beside_the_last_state(tmp_path):
    fold = FoldObserver(FoldFile(tmp_path / "fold-1.checkpoint"))
    fold.evaluated({"negatives": 3})
    assert fold.state == FoldState(evaluation={"negatives": 3})
    fold = FoldObserver(FoldFile(tmp_path / "fold-1.checkpoint", state=FoldState([{"step": 5}])))
    fold.evaluated({"negatives": 3})
    assert fold.state == FoldState([{"step": 5}], {"negatives": 3})
    fold.forget()
    assert fold.state is None
    assert (tmp_path / "fold-1.checkpoint").exists()


def test_a_fold_is_stopped_by_the_event_that_all_folds_share():
    stop = threading.Event()
    folds = [FoldObserver(stop=stop) for _ in range(2)]
    stop.set()
    assert [fold.stopped for fold in folds] == [True, True]


# All folds


def test_a_description_is_made_only_for_a_checkpoint(tmp_path):
    observer(describe=lambda: pytest.fail("there is no checkpoint"))
    assert observer(checkpoint=tmp_path).checkpoint.folder == tmp_path
    assert (tmp_path / "fit.json").exists()


def test_each_fold_has_its_own_file(tmp_path):
    whole = observer(3, checkpoint=tmp_path)
    assert [whole.fold(i).file.path.name for i in range(3)] == [f"fold-{i}.checkpoint" for i in (1, 2, 3)]
    whole.fold(1).save(FoldState, now=True)
    again = observer(3, checkpoint=tmp_path, resume=True)
    assert [again.fold(i).state for i in range(3)] == [None, FoldState(), None]


def test_a_damaged_file_is_refused_before_any_training(tmp_path):
    observer(3, checkpoint=tmp_path)
    (tmp_path / "fold-3.checkpoint").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"fold-3.checkpoint' is damaged: delete it, and its fold starts anew"):
        observer(3, checkpoint=tmp_path, resume=True)


def test_the_bar_counts_the_steps_of_all_folds_and_the_folds_that_are_finished():
    whole = observer(3)
    calls = []
    whole.progress.advance = lambda steps, doing: calls.append((steps, doing))
    for i in range(3):
        whole.fold(i).advance(5, "a candidate whose name is long")
        whole.finish_fold(0.5)
    whole.fold(2).advance(0, "evaluating")
    assert calls == [(5, "fold 1 of 3"), (5, "fold 2 of 3"), (5, "fold 3 of 3"), (0, "fold 3 of 3")]


def test_a_fit_without_folds_is_a_training():
    whole = observer(1)
    calls = []
    whole.progress.advance = lambda steps, doing: calls.append((steps, doing))
    whole.fold(0).advance(5, "a")
    assert calls == [(5, "training")]


def test_the_bar_is_shown_as_long_as_it_is_watched(capsys):
    whole = observer(2, progress=True)
    assert whole.progress.bar.total == 20
    with whole.watching():
        whole.fold(0).advance(5, "ranks")
        whole.progress.bar.refresh()
    assert whole.progress.bar.disable
    assert "fold 1 of 2" in capsys.readouterr().err


def test_ctrl_c_stops_all_folds_that_are_watched():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with observer(2).watching() as whole:
            folds = [whole.fold(0), whole.fold(1)]
            signal.raise_signal(signal.SIGINT)
            assert [fold.stopped for fold in folds] == [True, True]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_warnings_are_those_of_the_checkpoint(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    whole = observer(2, checkpoint=tmp_path)
    assert whole.warnings == []
    monkeypatch.setattr(checkpoints, "write_bytes", full)
    for i in range(2):
        whole.fold(i).save(FoldState, now=True)
    assert [warning.code for warning in whole.warnings] == ["checkpoint"]
