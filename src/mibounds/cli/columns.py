"""The variables of a command, from the columns of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mibounds.cli.files import named_columns, read_variables

__all__ = ["read_arguments"]


def read_arguments(
    file: Path, x: str | None, y: str, z: str | None = None, categorical: str | None = None
) -> dict[str, Any]:
    """The variables of a file as keyword arguments of `mibounds.estimate` and the like: x, y, x_type, y_type; with z
    also z and z_type.

    Arguments:
        file: a table or arrays.
        x: columns, or None for all others.
        y: columns.
        z: columns, or None for no third variable.
        categorical: columns whose numbers are codes of categories.

    Raises:
        ValueError, ImportError: as `read_variables` does.
    """
    variables = read_variables(file, x, y, z)
    arguments = dict(zip("xyz", variables, strict=False))
    if categorical is not None:
        kinds = named_columns(variables, categorical, "--categorical")
        arguments |= {f"{name}_type": kind or None for name, kind in zip("xyz", kinds, strict=False)}
    return arguments
