"""Shared fixtures: a table of correlated columns, a runner of commands, and text without the frames of the help."""

import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from mibounds.cli.main import app
from mibounds.tasks import CorrelatedGaussian


@pytest.fixture
def table(tmp_path):
    """A file of 400 rows: a, b with c, d share 1.02 nats; city and same are constant."""
    x, y = CorrelatedGaussian(2, 0.8).sample(400, torch.Generator().manual_seed(0))
    path = tmp_path / "table.csv"
    columns = {"a": x[:, 0].numpy(), "b": x[:, 1].numpy(), "c": y[:, 0].numpy(), "d": y[:, 1].numpy()}
    pl.DataFrame({**columns, "city": ["Ulm"] * 400, "same": [1] * 400}).write_csv(path)
    return path


@pytest.fixture(autouse=True)
def quick(one_regularization):
    """Values are compared with those of functions, and not with the truth."""


@pytest.fixture
def call():
    """Runs a command in this process."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def unframed():
    """The words of a text without the frames around them."""
    return lambda text: " ".join(text.replace("│", " ").split())


@pytest.fixture
def is_refused():
    """Checks that a command ended with one sentence and exit code 2, before it printed anything."""

    def check(done, sentence):
        assert done.exit_code == 2, done.output
        assert done.stderr.startswith(f"Error: {sentence}")
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""

    return check
