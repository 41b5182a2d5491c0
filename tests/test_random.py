from concurrent.futures import ThreadPoolExecutor

import torch

from mibounds._random import seeded


def draw(seed):
    with seeded(seed):
        return [float(torch.rand(())) for _ in range(200)]


def test_threads_do_not_disturb_each_other():
    expected = {seed: draw(seed) for seed in range(4)}
    with ThreadPoolExecutor(4) as pool:
        for seed, drawn in zip(list(range(4)) * 20, pool.map(draw, list(range(4)) * 20), strict=True):
            assert drawn == expected[seed]


def test_the_global_state_goes_on_as_before():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    draw(1)
    assert torch.equal(torch.get_rng_state(), before)
