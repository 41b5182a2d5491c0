"""The demonstrations as a person types them."""

import json
import sys

import joblib
import pytest
from typer.testing import CliRunner

from mibounds.cli.main import app
from mibounds.demos import gaussians

pytestmark = pytest.mark.usefixtures("two_folds")


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_demo_draws_its_table(tmp_path, monkeypatch):
    monkeypatch.setattr(gaussians, "QUICK", gaussians.Scale((0.5,), rows=300, epochs=1, steps=20))
    with joblib.parallel_config(backend="threading"):  # processes take seconds to start
        done = call("demo", "gaussians", "--out", tmp_path / "curve.png", "--quiet")
    assert done.exit_code == 0, done.output
    assert "+0.50    2.877" in done.output
    assert (tmp_path / "curve.png").exists()
    again = call("demo", "gaussians", "--out", tmp_path / "curve.png", "--quiet", "--json")
    (point,) = json.loads(again.stdout)
    assert point["rho"] == 0.5
    monkeypatch.setattr(gaussians, "GLANCE", gaussians.QUICK)  # measured already: its points are read again
    monkeypatch.setattr(gaussians, "QUICK", gaussians.Scale((), rows=1, epochs=1))
    assert "+0.50    2.877" in call("demo", "gaussians", "--quick", "--out", tmp_path / "curve.png").stdout
    assert "two sizes of one run" in call("demo", "gaussians", "--quick", "--full").stderr


def test_the_gan_demo_counts_modes(tmp_path):
    done = call("demo", "gan", "--steps", "10", "--out", tmp_path / "gan.png", "--quiet")
    assert done.exit_code == 0, done.output
    assert "modes of 25" in done.output
    assert (tmp_path / "metrics.csv").exists()


@pytest.mark.parametrize(
    "option, value, sentence",
    [
        ("--data", "rings", "Invalid value for '--data': 'rings' is not one of 'gaussians', 'spirals'."),
        ("--steps", "0", "--steps is 0, and must be at least 1."),
        ("--beta", "nan", "--beta is nan: expected a finite number."),
    ],
)
def test_wrong_options_of_the_gan_are_named(option, value, sentence):
    wrong = call("demo", "gan", option, value)
    assert wrong.exit_code == 2
    assert sentence in wrong.stderr


@pytest.mark.parametrize("name", ["gaussians", "gan"])
def test_matplotlib_is_required_before_the_work(name, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = call("demo", name, "--out", tmp_path / "figure.png")
    assert done.exit_code == 2
    assert done.stderr == 'Error: The figure of a demonstration needs matplotlib: pip install "mibounds[plots]".\n'
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["gaussians", "gan"])
def test_help_shows_an_example(name):
    done = call("demo", name, "--help")
    assert done.exit_code == 0
    assert "Example:" in done.output
