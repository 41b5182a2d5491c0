import pytest
import torch

from mibounds.training.workers import fast_arithmetic, trim_memory


def test_threads_and_denormals_are_restored():
    before = torch.get_num_threads()
    with fast_arithmetic(torch.device("cpu")):
        assert torch.get_num_threads() == 1
        assert float(torch.tensor(1e-40) * 1) == 0
    assert torch.get_num_threads() == before
    assert float(torch.tensor(1e-40) * 1) > 0


def test_settings_of_torch_are_restored_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), fast_arithmetic(torch.device("cpu")):
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
    assert float(torch.tensor(1e-40) * 1) > 0


def test_memory_may_be_trimmed_at_any_time():
    trim_memory()
