"""The variables of a command, from the columns of a file."""

from __future__ import annotations

from typing import Any

from mibounds.cli.file_options import Source
from mibounds.cli.files import named_columns, read_variables

__all__ = ["read_arguments"]


def read_arguments(
    file: Source,
    x: str | None,
    y: str,
    z: str | None = None,
    categorical: str | None = None,
    *,
    shared: bool = False,
) -> dict[str, Any]:
    """The variables of a file as keyword arguments of `mibounds.estimate` and the like: x, y, x_type, y_type; with z
    also z and z_type.

    Arguments:
        file: a table or arrays.
        x: columns, or None for all others.
        y: columns.
        z: columns, or None for no third variable.
        categorical: columns whose numbers are codes of categories.
        shared: may x and y have columns in common?

    Raises:
        ValueError, ImportError: as `read_variables` does.
    """
    variables = read_variables(file.path, x, y, z, categorical=categorical, shared=shared, **file.reading)
    arguments = dict(zip("xyz", variables, strict=False))
    if categorical is not None:
        kinds = named_columns(variables, categorical, "--categorical")
        arguments |= {f"{name}_type": kind or None for name, kind in zip("xyz", kinds, strict=False)}
    return arguments
