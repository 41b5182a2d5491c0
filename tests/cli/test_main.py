"""The commands as a whole: their order and their help."""

import io
import subprocess
import sys

import pytest

import mibounds
from mibounds.cli.main import app

COMMANDS = [
    "estimate", "conditional", "bracket", "independence", "matrix", "lagged", "learning-curve", "consistency", "score",
    "benchmark", "demo",
]  # fmt: skip


def test_the_order_of_the_commands(call):
    done = call("--help")
    assert done.exit_code == 0
    listed = done.output.split("Commands")[1].splitlines()
    names = [line.split()[1] for line in listed if len(line.split()) > 1 and line.split()[1] in COMMANDS]
    assert names == COMMANDS


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "demo"])
def test_help_shows_an_example(call, unframed, command):
    done = call(command, "--help")
    assert done.exit_code == 0
    assert f"Example: mibounds {command}" in unframed(done.output)


def test_commands_are_named_as_their_functions():
    assert [one.callback.__name__.replace("_", "-") for one in app.registered_commands] == COMMANDS[:-2]


def test_an_unknown_command_is_refused(call):
    assert call("estimat").exit_code == 2


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_python_dash_m(option):
    done = subprocess.run([sys.executable, "-m", "mibounds", option], capture_output=True, text=True, check=True)
    assert "estimate" in done.stdout


def test_version(call):
    assert call("--version").output == f"mibounds {mibounds.__version__}\n"


def test_completion_can_be_installed(call):
    assert "--install-completion" in call("--help").output


def test_no_help_waits_for_heavy_packages():
    """It is there in half a second; torch alone takes several."""
    source = f"""
import sys
from typer.testing import CliRunner
from mibounds.cli.main import app

for command in [[], *([name] for name in {COMMANDS}), ["benchmark", "page"], ["demo", "gan"], ["demo", "gaussians"]]:
    assert CliRunner().invoke(app, [*command, "-h"]).exit_code == 0, command
assert CliRunner().invoke(app, ["--version"]).exit_code == 0
print({{"torch", "numpy", "scipy", "polars", "matplotlib"}} & {{*sys.modules}})
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_wrong_input_is_refused_without_torch(tmp_path):
    """Its import takes seconds of the processor."""
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 90)
    lines = [
        "estimate no.csv --y b", "bracket no.csv --y b", "independence no.csv --y b", "learning-curve no.csv --y b",
        "conditional no.csv --x a --y b --z c", "lagged no.csv --x a --y b", "matrix no.csv", "consistency no.npy",
        "score m.safetensors t.csv --y b",
        "estimate t.csv --y c", "estimate t.csv --y b --steps 0", "lagged t.csv --x a --y b --lags a",
        "estimate t.csv --y b --out x.txt", "benchmark --out x.csv", "benchmark page no.jsonl",
        "demo gan --data foo", "demo gan --out x.bmp", "demo gaussians --quick --full",
    ]  # fmt: skip
    source = f"""
import sys
from typer.testing import CliRunner
from mibounds.cli.main import app

for line in {lines}:
    done = CliRunner().invoke(app, line.split())
    print(line, done.exit_code, done.stderr.count(chr(10)), "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", source], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{line} 2 1 False" for line in lines]


def test_a_name_that_the_terminal_cannot_show_does_not_cost_the_result(tmp_path, monkeypatch):
    rows = "\n".join(f"{i % 7},{(3 * i) % 11}" for i in range(60))
    (tmp_path / "t.csv").write_text(f"年齢,b\n{rows}\n", encoding="utf-8")
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", write_through=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.chdir(tmp_path)
    app(["matrix", "t.csv", "--quiet", "--out", "t.json"], standalone_mode=False)
    assert rb"\u5e74\u9f62" in terminal.buffer.getvalue()
    assert (tmp_path / "t.json").exists()


def test_a_question_ends_without_a_full_stop(call):
    done = call("estimat")
    assert "Did you mean 'estimate'? Try '" in done.stderr
