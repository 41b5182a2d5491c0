import threading

import torch

from mibounds.training.workers import Progress, fast_arithmetic


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
