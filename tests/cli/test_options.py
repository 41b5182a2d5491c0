"""Options that several commands share are the same everywhere."""

import inspect

import pytest

from mibounds.cli import benchmark, demo, options
from mibounds.cli.main import app

COMMANDS = [command.callback for group in (app, benchmark.app, demo.app) for command in group.registered_commands]
SHARED = {"as_json": options.AsJson, "device": options.Device, "seed": options.Seed, "unit": options.UnitName}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_a_shared_option_is_written_once(command):
    parameters = inspect.signature(command, eval_str=True).parameters
    for name in SHARED.keys() & parameters.keys():
        assert parameters[name].annotation == SHARED[name], name
