import threading

import pytest
import torch

from mibounds.training.workers import Progress, fast_arithmetic, progress_bar, trim_memory


def test_threads_and_denormals_are_restored():
    before = torch.get_num_threads()
    with fast_arithmetic(torch.device("cpu")):
        assert torch.get_num_threads() == 1
        assert float(torch.tensor(1e-40) * 1) == 0
    assert torch.get_num_threads() == before
    assert float(torch.tensor(1e-40) * 1) > 0


def test_a_bar_counts_what_many_threads_advance():
    with Progress(False, 100) as progress:
        threads = [threading.Thread(target=progress.advance, args=(25, "fold")) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_a_bar_says_what_it_is_doing(capsys):
    with Progress(True, 10) as progress:
        progress.advance(5, "fold 1 of 2, ranks")
        progress.bar.refresh()
    assert "fold 1 of 2, ranks" in capsys.readouterr().err


def test_a_bar_over_items_gives_the_items(capsys):
    assert list(progress_bar(False, range(3), unit="lag")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    assert list(progress_bar(True, range(3), unit="lag")) == [0, 1, 2]
    assert "lag" in capsys.readouterr().err


def test_settings_of_torch_are_restored_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), fast_arithmetic(torch.device("cpu")):
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
    assert float(torch.tensor(1e-40) * 1) > 0


def test_memory_may_be_trimmed_at_any_time():
    trim_memory()
