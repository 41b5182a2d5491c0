"""`mibounds consistency`: self-consistency of estimates on images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mibounds._checks import nearest, no_such_file
from mibounds.cli.number_lists import parse_numbers
from mibounds.cli.options import Level, Quiet, UnitName
from mibounds.cli.outputs import Outputs, output_options
from mibounds.cli.session import session
from mibounds.cli.settings import TRAINING, recipe_options

if TYPE_CHECKING:
    import numpy as np

__all__ = ["consistency"]


@recipe_options(*TRAINING)
@output_options
def consistency(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(help="Images (N, height, width) or (N, channels, height, width) in a .npy or .npz file."),
    ],
    array: Annotated[
        str | None, typer.Option("--array", help="Name of the array of a .npz file that has several.")
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(
            "--rows", help="Numbers of upper pixel rows, like 2,4,8; by default up to four parts of the height."
        ),
    ] = None,
    unit: UnitName = "nats",
    level: Level = 0.95,
    *,
    outputs: Outputs,
    quiet: Quiet = False,
    **settings: Any,
) -> None:
    """Test the self-consistency of estimates on images: independence, data processing, additivity.

    Example: **mibounds consistency digits.npy --rows 2,4,8**
    """
    with session(context, settings, outputs, quiet=quiet) as recipe_of_options:
        wanted = None if rows is None else parse_numbers(rows, "--rows", "2,4,8")
        images = _images(file, array)
        recipe = recipe_of_options()
        from mibounds import estimation  # torch: after all that can be refused without it

        result = estimation.consistency(images, rows=wanted, recipe=recipe, unit=unit, level=level)
        outputs.finish(context, result)


def _images(path: Path, array: str | None) -> np.ndarray[Any, Any]:
    """The array of a file."""
    if not path.is_file():
        raise ValueError(no_such_file(path, (".npy", ".npz")))
    if path.suffix.lower() not in (".npy", ".npz"):
        raise ValueError(f"{path.name} has an unknown format: expected images in a file ending in .npy or .npz.")
    from mibounds.data.array_files import array_names, read_array, read_arrays

    if path.suffix.lower() == ".npy":
        return read_array(path)
    names = array_names(path)
    name = array if array is not None else _only(names)
    if name not in names:
        raise ValueError(f"--array: there is no array {name!r}. {nearest(name, names)}")
    return read_arrays(path, [name])[name]


def _only(names: list[str]) -> str:
    if len(names) != 1:
        raise ValueError(f"The file has {len(names)} arrays: choose one by --array. {nearest('', names)}")
    return names[0]
