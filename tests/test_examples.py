"""The examples run, as a person would run them."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def script(*arguments, cwd):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=EXAMPLES / cwd, env=environment, capture_output=True, text=True, check=False
    )


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("folder", ["correlated_gaussians", "gan"])
def test_the_short_runs_check_themselves(folder):
    done = script("run_test.py", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


CRITIC = [
    "regularizer",
    "critic_type",
    "critic_layers",
    "critic_activation",
    "critic_lr",
    "negative_samples",
    "ema_decay",
]
RUN = ["epochs", "batch_size", "data_size", "seed"]
GAN = ["beta", "unroll_critic", "scheduling", "gen_lr", "disc_lr", "batch_norm", "data_noise", "paper"]


@pytest.mark.parametrize(
    "folder, name, options",
    [("correlated_gaussians", "demo_gaussian.py", CRITIC + RUN), ("gan", "demo_gan.py", CRITIC + RUN + GAN)],
)
def test_help_lists_every_option_of_the_original(folder, name, options):
    done = script(name, "--help", cwd=folder)
    assert done.returncode == 0
    for option in options:
        assert f"--{option}" in done.stdout


def test_options_are_parsed_properly():
    done = script("demo_gan.py", "--epochs", "ten", cwd="gan")
    assert done.returncode == 2
    assert "invalid int value: 'ten'" in done.stderr


def test_the_bottleneck_forgets_the_image_and_keeps_the_label():
    bottleneck = load("information_bottleneck")
    free, tight = bottleneck.run(0.001, steps=500), bottleneck.run(0.1, steps=500)
    assert tight[0] < 0.6 * free[0]
    assert tight[1] > 1.9
    assert tight[2] > 0.9


def test_the_fair_code_forgets_the_secret():
    fair = load("fair_representation")
    plain, forgetful = fair.run(0.0, steps=300), fair.run(1.0, steps=300)
    assert plain[0] > 0.9
    assert forgetful[1] < plain[1] - 0.15


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, package", [("lightning_module", "lightning"), ("accelerate_loop", "accelerate")])
def test_inside_other_peoples_loops(name, package):
    pytest.importorskip(package)
    logged = load(name).run(epochs=6)
    assert logged["loss"] < 1.5
    assert logged["information"] > 0.3
