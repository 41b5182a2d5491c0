"""Options that take one value are given once; click would silently keep the last."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer
from typer.core import TyperOption

from mibounds.cli.metavars import Command, metavar

__all__ = ["SingleCommand", "UsageError"]

UsageError: Any = typer.BadParameter.__base__  # of click, which newer versions of typer contain


class SingleCommand(Command):
    """A command that refuses an option of one value that is given twice."""

    def parse_args(self, context: Any, args: list[str]) -> list[str]:
        """Parse the command line."""
        _, _, given = self.make_parser(context).parse_args(args=list(args))
        for option, times in Counter(given).items():
            once = isinstance(option, TyperOption) and not (option.multiple or option.count or option.is_flag)
            if times > 1 and once and not context.resilient_parsing:
                several = metavar(option, context) in ("NAMES", "NUMBERS")
                advice = "give it once, with its values separated by commas" if several else "give it once"
                raise UsageError(f"{max(option.opts, key=len)} is given {times} times: {advice}", context)
        rest: list[str] = super().parse_args(context, args)
        return rest
