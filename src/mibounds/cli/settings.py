"""Options for the settings of `Recipe`: their names, types, defaults and help are those of its fields."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from types import NoneType, SimpleNamespace
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

import typer

from mibounds.cli.number_lists import parse_numbers
from mibounds.training.recipe import Recipe

__all__ = ["BLOCKS", "TRAINING", "recipe_from", "recipe_options", "setting_help"]

Command = TypeVar("Command", bound=Callable[..., Any])
Preset = Literal["quick", "default", "thorough"]

TRAINING = (
    "bound", "critic", "hidden", "steps", "batch_size", "lr", "folds", "precision", "seed", "device", "workers",
    "checkpoint", "resume",
)  # fmt: skip
"""The settings of every command that trains critics."""
BLOCKS = ("split", "gap")
"""The settings of commands for samples that may be in the order of time."""

_PANEL = "Training"  # of the help
_FIELDS: dict[str, Field[Any]] = {one.name: one for one in fields(Recipe)}
_OF_TORCH = {"Bound": object, "Critic": object, "torch": SimpleNamespace(device=object)}  # not imported for the help
_TYPES = get_type_hints(Recipe, localns=_OF_TORCH)


def setting_help(name: str) -> str:
    """The help of a setting, with its default unless it depends on the data.

    Example:
        >>> setting_help("lr")
        'Peak learning rate; by default 0.002.'
    """
    text: str = _FIELDS[name].metadata["help"]
    standard = _FIELDS[name].default
    if standard is None or isinstance(standard, bool):
        return text
    text = text.rstrip(".")
    shown = ",".join(map(str, standard)) if isinstance(standard, tuple) else standard
    return f"{text}; by default {shown}."


def recipe_options(*names: str, preset: bool = True) -> Callable[[Command], Command]:
    """Give a command that ends in `**settings` an option for each of these settings of `Recipe`, and `--preset`.

    The command receives the options that were given; `recipe_from` makes a recipe of them.

    Arguments:
        names: of the settings.
        preset: whether there is an option `--preset`.
    """

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        added = [*([_preset()] if preset else []), *map(_option, names)]

        @functools.wraps(command)
        def run(**values: Any) -> None:
            absent = [one.name for one in added if values[one.name] is None or values[one.name] is False]
            command(**{name: value for name, value in values.items() if name not in absent})

        run.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
        return cast(Command, run)

    return decorate


def recipe_from(settings: Mapping[str, Any], **fixed: Any) -> Recipe:
    """The recipe of the options that a command received.

    Arguments:
        settings: a preset and settings, as `recipe_options` passes them.
        fixed: settings that are no options.

    Raises:
        TypeError, ValueError: if a setting is out of range; the sentence names the setting.
    """
    given = {name: _value(name, value) for name, value in settings.items() if name != "preset"}
    return Recipe.of(settings.get("preset"), {**given, **fixed})


def _preset() -> inspect.Parameter:
    text = "The settings to start from; single settings take precedence."
    option = typer.Option("--preset", help=text, rich_help_panel=_PANEL)
    annotation = Annotated[Preset | None, option]
    return inspect.Parameter("preset", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _option(name: str) -> inspect.Parameter:
    """The parameter of a command for a setting; None, or False, unless the option is given."""
    kind = _kind(name)
    option = typer.Option(f"--{name.replace('_', '-')}", help=setting_help(name), rich_help_panel=_PANEL)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False if kind is bool else None,
        annotation=Annotated[kind if kind is bool else kind | None, option],
    )


def _kind(name: str) -> Any:
    """The type that an option has for a setting: a folder, text, a number or a flag."""
    hint = _TYPES[name]
    members = {get_origin(one) or one for one in get_args(hint) or (hint,)} - {NoneType}
    if get_origin(hint) is Literal:
        return hint
    if os.PathLike in members:
        return Path
    if str in members or get_origin(hint) is Sequence:
        return str
    (only,) = members
    if only not in (bool, int, float):
        raise TypeError(f"{name} is a setting that no option can have: its type is {hint}.")
    return only


def _value(name: str, value: Any) -> Any:
    """The value of a setting from that of its option: widths and numbers that are given as text."""
    hint = _TYPES[name]
    if get_origin(hint) is Sequence:
        return tuple(parse_numbers(value, f"--{name}", "128,128"))
    if int in get_args(hint) and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value
