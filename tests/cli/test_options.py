"""Options that several commands share are the same everywhere."""

import inspect
from typing import get_args

import typer

from mibounds.cli import benchmark, demo, options
from mibounds.cli.main import app


def commands():
    for group in (app, benchmark.app, demo.app):
        yield from (command.callback for command in group.registered_commands)


def test_a_shared_option_is_not_written_twice():
    shared = {name: getattr(options, name) for name in options.__all__}
    by_flag = {flag: kind for kind in shared.values() for flag in get_args(kind)[1].param_decls or ()}
    assert {"--seed", "--json", "--quiet", "--device"} <= by_flag.keys()
    for command in commands():
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            arguments = get_args(parameter.annotation)
            if len(arguments) > 1 and isinstance(arguments[1], typer.models.OptionInfo):
                flags = set(arguments[1].param_decls or ()) & {"--json", "--seed", "--device"}
                for flag in flags:
                    assert arguments[1] is get_args(by_flag[flag])[1], f"{command.__name__} has its own {flag}"
