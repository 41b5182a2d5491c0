"""Options that several commands share are the same everywhere."""

import inspect
from typing import get_args

import pytest
import typer

from mibounds.cli import benchmark, demo, options, settings
from mibounds.cli.main import app

COMMANDS = [command.callback for group in (app, benchmark.app, demo.app) for command in group.registered_commands]
NAMES = {
    "as_json": options.AsJson, "categorical": options.Categorical, "level": options.Level, "plot": options.Plot,
    "quiet": options.Quiet, "report": options.Report, "unit": options.UnitName,
}  # fmt: skip


def flags(annotation):
    """The flags of an option, and its help."""
    (option,) = (one for one in get_args(annotation) if isinstance(one, typer.models.OptionInfo))
    first = () if option.default is ... else (option.default,)
    return (*first, *(option.param_decls or ())), option.help


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_a_shared_option_is_written_once(command):
    parameters = inspect.signature(command, eval_str=True).parameters
    for name in NAMES.keys() & parameters.keys():
        assert parameters[name].annotation == NAMES[name], name
    for name in {"seed", "device"} & parameters.keys():
        shared = {"seed": options.Seed, "device": options.Device}[name]
        found = flags(parameters[name].annotation)
        assert found in (flags(shared), ((f"--{name}",), settings.setting_help(name)))


@pytest.mark.parametrize("name", options.__all__)
def test_every_option_has_a_flag_and_a_help(name):
    (option,) = (one for one in get_args(getattr(options, name)) if isinstance(one, typer.models.ParameterInfo))
    assert option.help.endswith((".", "..."))
