"""The examples run, as their docstrings say."""

import ast
import csv
import importlib.util
import json
import os
import runpy
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


@pytest.mark.slow
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
    [
        ("correlated_gaussians", "demo_gaussian.py", CRITIC + RUN),
        ("gan", "demo_gan.py", CRITIC + RUN + GAN),
        ("gan", "demo_digits.py", ["regularizer", "beta", "critic_lr", "gen_lr", "disc_lr", "batch_size", "seed"]),
    ],
)
def test_help_lists_every_option(folder, name, options, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(EXAMPLES / folder / name), run_name="__main__")
    shown = capsys.readouterr().out
    for option in options:
        assert f"--{option}" in shown


def test_the_experiment_compares_weights_of_the_term(tmp_path, monkeypatch, capsys):
    options = ["--data", "spirals", "--beta", "0", "2", "--steps", "10", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["run_exp.py", *options])
    runpy.run_path(str(EXAMPLES / "gan/run_exp.py"), run_name="__main__")
    assert "modes of 250" in capsys.readouterr().out
    with (tmp_path / "spirals" / "metrics.csv").open() as file:
        assert {row["run"] for row in csv.DictReader(file)} == {"beta 0", "beta 2"}
    assert (tmp_path / "spirals" / "gan.png").stat().st_size > 10_000


def test_options_are_parsed_properly(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["demo_gan.py", "--epochs", "ten"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(EXAMPLES / "gan/demo_gan.py"), run_name="__main__")
    assert "invalid int value: 'ten'" in capsys.readouterr().err


def test_the_bottleneck_retains_the_label_and_little_else():
    bottleneck = load("information_bottleneck")
    free, tight = bottleneck.run(0.001, steps=350), bottleneck.run(0.1, steps=350)
    assert tight[0] < 0.6 * free[0]
    assert tight[1] > 1.9
    assert tight[2] > 0.9


def test_the_fair_code_is_less_informative_about_the_attribute():
    fair = load("fair_representation")
    plain, invariant = fair.run(0.0, steps=120), fair.run(1.0, steps=120)
    assert plain[0] > 0.9
    assert invariant[1] < plain[1] - 0.15


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, package", [("lightning_module", "lightning"), ("accelerate_loop", "accelerate")])
def test_inside_loops_of_other_libraries(name, package):
    pytest.importorskip(package)
    logged = load(name).run(epochs=6)
    assert logged["loss"] < 1.5
    assert logged["information"] > 0.3


def test_two_ranks_train_one_network(once_more_if_gloo_aborted):
    torchrun = "-m", "torch.distributed.run", "--nproc-per-node", "2"
    done = once_more_if_gloo_aborted(lambda: script(*torchrun, "distributed_loop.py", cwd="."))
    assert done.returncode == 0, done.stderr
    found = ast.literal_eval(done.stdout.strip().splitlines()[-1])
    assert found["difference"] == 0
    assert found["information"] > 0.5


LIGHTNING = """
import ast, sys
import lightning, torch
import torch.distributed as dist
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset
from lightning_module import InformedClassifier

if __name__ == "__main__":
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
    lightning.seed_everything(0, verbose=False)
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, **ast.literal_eval(sys.argv[1]),
    )
    module = InformedClassifier()
    trainer.fit(module, DataLoader(data, batch_size=64, shuffle=True))
    weights = torch.cat([p.detach().float().flatten() for p in module.parameters()])
    ends = torch.stack([weights, -weights])
    if dist.is_initialized():
        dist.all_reduce(ends, dist.ReduceOp.MAX)
    if trainer.is_global_zero:
        print({"difference": float((ends[0] + ends[1]).max()), "loss": float(trainer.logged_metrics["loss"])})
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"devices": 2, "strategy": "ddp"},
        {"devices": 2, "strategy": "ddp_find_unused_parameters_true"},
        {"precision": "bf16-true"},
        {"precision": "64-true"},
    ],
)
def test_the_lightning_example_with_two_ranks_and_in_other_precisions(options, tmp_path, once_more_if_gloo_aborted):
    pytest.importorskip("lightning")
    path = tmp_path / "run.py"
    path.write_text(f"import sys; sys.path.insert(0, {str(EXAMPLES)!r})\n" + LIGHTNING)
    done = once_more_if_gloo_aborted(lambda: script(str(path), repr(options), cwd="."))
    assert done.returncode == 0, done.stderr
    found = ast.literal_eval(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert found["difference"] == 0
    assert found["loss"] < 2.4


def check_plane(history, entropy):
    first, last = history[:3], history[-3:]
    assert all(after.z_y > before.z_y + 0.02 for before, after in zip(first[1:], last[1:], strict=True))
    assert all(point.z_y < entropy and point.x_z <= point.x_z_upper for point in history)
    assert last[2].x_z < last[1].x_z < last[0].x_z  # deeper layers have less information about the image


@pytest.mark.filterwarnings("ignore")
def test_the_plane_of_a_lightning_run(tmp_path):
    pytest.importorskip("lightning")
    monitor = load("information_plane").run(tmp_path / "plane.png", epochs=6, every=3)
    check_plane(monitor.history, monitor.plane.entropy)
    assert (tmp_path / "plane.png").stat().st_size > 10_000
    written = [path.name for path in (tmp_path / "plane_logs").rglob("*.*")]
    assert any(name == "metrics.csv" or "tfevents" in name for name in written)


@pytest.mark.filterwarnings("ignore")
def test_the_plane_of_an_accelerate_loop(tmp_path):
    pytest.importorskip("accelerate")
    plane = load("accelerate_plane").run(tmp_path, epochs=4)
    check_plane(plane.history, plane.entropy)
    if (tmp_path / "plane.jsonl").exists():  # no TensorBoard
        settings, *lines = map(json.loads, (tmp_path / "plane.jsonl").read_text("utf-8").splitlines())
        assert settings == {"epochs": 4}
        assert [line["step"] for line in lines] == [0, 1, 2, 3, 4]
        assert lines[-1]["I(Z;Y)/4"] == plane.history[-1].z_y
        assert lines[-1]["loss"] < lines[1]["loss"]
