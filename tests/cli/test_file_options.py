"""Options for how a file is read reach the reader in every command that has a file."""

import inspect

import numpy as np
import pytest
from typer.testing import CliRunner

from mibounds.cli.file_options import Source, file_options
from mibounds.cli.main import app

FAST = ["--steps", "2", "--folds", "2", "--hidden", "8", "-q"]


def run(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    lines = [
        f"{f'{a:.3f}'.replace('.', ',')}|{'miss' if i % 9 == 0 else i % 4 * 1.5}|k\xe4se"
        for i, a in enumerate(rng.normal(size=90))
    ]
    path = tmp_path / "table.csv"
    path.write_bytes("\n".join(["a|b|c", *lines]).replace("1.5", "1,5").replace("4.5", "4,5").encode("latin-1"))
    return path


def test_a_command_receives_the_file_with_its_options():
    @file_options
    def command(file: Source, y: str) -> Source:
        return file

    assert list(inspect.signature(command).parameters) == ["file", "y", "sep", "decimal", "encoding", "null"]
    found = command(file=Source("t.csv"), y="y", sep=";", decimal=",", encoding="utf-8", null=["miss"])
    assert found == Source("t.csv", ";", ",", "utf-8", ("miss",))
    assert found.reading == {"sep": ";", "decimal": ",", "encoding": "utf-8", "null": ["miss"]}
    assert (str(found), Source("t.csv").reading["null"]) == ("t.csv", None)


@pytest.mark.parametrize(
    "command", [["estimate", "--y", "b"], ["lagged", "--y", "b", "--lags", "0:2"], ["bracket", "--y", "b"]]
)
def test_the_options_reach_the_reader(command, table):
    name, *options = command
    reading = ["--sep", "|", "--decimal", ",", "--encoding", "latin-1", "--null", "miss", "--nan", "drop"]
    code, said = run(name, table, "--x", "a", *options, *reading, *FAST)
    assert code == 0, said
    assert "n = 80" in said or "n = 79" in said, said


def test_a_wrong_separator_is_one_sentence(table):
    code, said = run("estimate", table, "--x", "a", "--y", "b", "--sep", ";", *FAST)
    assert code == 2
    assert said.startswith("Error: ")
