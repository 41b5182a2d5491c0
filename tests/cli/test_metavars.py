"""The help shows words for values, and no types of Python."""

import re
from types import SimpleNamespace

import pytest

from mibounds.cli.metavars import metavar

COMMANDS = [
    "", "estimate", "conditional", "bracket", "independence", "matrix", "lagged", "learning-curve", "consistency",
    "score", "benchmark", "benchmark page", "demo", "demo gaussians", "demo gan",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_no_type_of_python_is_in_the_help(command, call):
    done = call(*command.split(), "--help")
    assert done.exit_code == 0
    assert not re.search(r"<\w|str\b|\bint\b|list\[", done.output), done.output


@pytest.mark.parametrize(
    "command, option, word",
    [
        ("estimate", "--y", "NAMES"),
        ("estimate", "--null", "WORD"),
        ("estimate", "--unit", "nats|bits"),
        ("estimate", "--hidden", "NUMBERS"),
        ("estimate", "--steps", "N"),
        ("estimate", "--lr", "NUMBER"),
        ("estimate", "--plot", "FILE"),
        ("estimate", "--checkpoint", "FOLDER"),
        ("benchmark", "--n", "N"),
        ("benchmark", "--estimator", "NAME"),
        ("demo gan", "--data", "gaussians|spirals"),
    ],
)
def test_the_word_of_an_option(command, option, word, call):
    rows = [line.strip("│ *").split() for line in call(*command.split(), "--help").output.splitlines()]
    row = next(row for row in rows if row[:1] == [option])
    assert word in row[1:3]


def test_a_flag_has_no_word(call):
    line = next(line for line in call("estimate", "--help").output.splitlines() if "--json" in line)
    assert line.split() == ["│", "--json", "Print", "JSON.", "│"]


def test_by_name_before_type():
    def option(name, shown):
        return SimpleNamespace(name=name, display_type=lambda context: shown)

    assert metavar(option("y", "<str>"), None) == "NAMES"
    assert metavar(option("other", "<list[str]>"), None) == "NAME"
    assert metavar(option("other", "<a|b>"), None) == "a|b"
    assert metavar(SimpleNamespace(name="other", type=SimpleNamespace(name="integer")), None) == "N"
