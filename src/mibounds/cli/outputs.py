"""What a command prints and writes: paths are checked before the work, and results are printed before files are
written."""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import typer

from mibounds._extras import require
from mibounds._files import write_json
from mibounds.cli.errors import say_if_interrupted
from mibounds.cli.job import writes
from mibounds.cli.option_names import options_of, with_options
from mibounds.cli.options import AsJson, Out, Plot, Report
from mibounds.cli.typed import typed

if TYPE_CHECKING:
    from mibounds.results import Measurement

__all__ = ["Outputs", "check_file", "input_files", "output_options", "writing"]

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = {"plot": (Plot, None), "report": (Report, None), "out": (Out, None), "as_json": (AsJson, False)}
_ENDINGS = {
    "plot": (".png", ".svg", ".pdf"),
    "report": (".html",),
    "out": (".json",),
    "save": (".safetensors",),
}


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The outputs of a command.

    Attributes:
        plot: file of the figure.
        report: file of the page.
        out: file of the result.
        save: file of the trained critics.
        as_json: print JSON and not text.
    """

    plot: Path | None = None
    report: Path | None = None
    out: Path | None = None
    save: Path | None = None
    as_json: bool = False

    def check(self, inputs: Iterable[Path] = ()) -> None:
        """Check that all files can be written, before the work.

        Arguments:
            inputs: the files that the command reads.

        Raises:
            ValueError: if a file has another ending, is an input, or its folder does not exist.
            ImportError: if a package that writes it is not installed.
        """
        for name, endings in _ENDINGS.items():
            path: Path | None = getattr(self, name)
            if path is not None:
                check_file(f"--{name}", path, endings, inputs)
        if self.plot is not None or self.report is not None:
            require("matplotlib", extra="plots", purpose="A figure")
        if self.report is not None:
            require("jinja2", extra="report", purpose="A report")

    def finish(
        self,
        context: typer.Context,
        result: Measurement,
        *,
        parts: Mapping[str, Measurement | Mapping[str, Measurement]] | None = None,
        report: Callable[[Path, dict[str, str]], None] | None = None,
    ) -> None:
        """Print a result and write its files; in a job rank 0 writes them.

        Arguments:
            context: of the command.
            result: in the unit of the command.
            parts: further results to print, by their names in JSON.
            report: writes the page, given its path, and the command line and the name of the file as keywords; by
                default the report of the result.

        Raises:
            typer.Exit: with code 130 if the result was interrupted.
            ValueError: if a file cannot be written.
        """
        parts = {} if parts is None else parts
        record = result.to_dict() | {name: _record(part) for name, part in parts.items()}
        lines = [repr(result), *(line for part in parts.values() for line in _lines(part))]
        text = json.dumps(record, indent=2) if self.as_json else with_options("\n".join(lines), options_of(context))
        typer.echo(text)
        if writes():
            self._write(context, result, record, report)
        say_if_interrupted(result.warnings)

    def _write(
        self,
        context: typer.Context,
        result: Measurement,
        record: Mapping[str, Any],
        report: Callable[[Path, dict[str, str]], None] | None,
    ) -> None:
        if self.out is not None:
            with writing("--out", self.out):
                write_json(self.out, record)
        if self.save is not None:
            fitted = getattr(result, "fitted", None)
            if fitted is None:
                raise ValueError("--save: there are no critics to save, because a variable is constant.")
            with writing("--save", self.save):
                fitted.save(self.save)
        if self.plot is not None:
            from mibounds.plots import save_figure

            with writing("--plot", self.plot):
                save_figure(result.plot(), str(self.plot))
        if self.report is not None:
            described = {"command": typed(context)} | _source(context)
            with writing("--report", self.report):
                if report is None:
                    result.report(self.report, **described)
                else:
                    report(self.report, described)


def output_options(command: Command) -> Command:
    """Give a command with an argument `outputs` the options for what it prints and writes, in its place."""
    signature = inspect.signature(command, eval_str=True)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def run(**values: Any) -> Any:
        return command(outputs=Outputs(**{name: values.pop(name) for name in _OPTIONS}), **values)

    own = []
    for parameter in signature.parameters.values():
        keyword = parameter.kind is not parameter.VAR_KEYWORD
        named = parameter.replace(kind=parameter.KEYWORD_ONLY) if keyword else parameter
        own += added if parameter.name == "outputs" else [named]
    run.__signature__ = signature.replace(parameters=own)  # type: ignore[attr-defined]
    return cast(Command, run)


@contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """Say which file cannot be written, and not that beside it which is written first."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"{option} is {str(path)!r}, which cannot be written: {error.strerror or error}.") from error


def _source(context: typer.Context) -> dict[str, str]:
    """The name of the file that a command reads, as the keyword `source` of a report."""
    if "file" not in context.params:
        return {}
    text = str(context.params["file"])
    return {"source": "standard input" if text == "-" else Path(text).name}


def input_files(context: typer.Context) -> list[Path]:
    """The files that a command reads: its arguments."""
    names = [str(context.params[one.name]) for one in context.command.params if one.param_type_name == "argument"]
    return [Path("/dev/stdin" if name == "-" else name).expanduser() for name in names]


def check_file(
    option: str, path: Path, endings: tuple[str, ...], inputs: Iterable[Path] = (), *, makes_folder: bool = False
) -> None:
    """Check that a file can be written, before the work.

    Arguments:
        option: that names it.
        path: of the file.
        endings: that it may have.
        inputs: files that it must not replace, by whatever name or link.
        makes_folder: a folder that does not exist is made.

    Raises:
        ValueError: if it has another ending, if its folder does not exist, or if it is a folder, an input or
            write-protected.
    """
    *others, last = endings
    expected = f"{', '.join(others)} or {last}" if others else last
    if path.suffix.lower() not in endings:
        raise ValueError(f"{option} is {str(path)!r}: expected a file ending in {expected}.")
    if not path.parent.is_dir() and not makes_folder:
        raise ValueError(f"{option} is {str(path)!r}, and there is no folder {str(path.parent)!r}: create it first.")
    if path.is_dir():
        raise ValueError(f"{option} is {str(path)!r}, a folder: expected a file.")
    folder = next(folder for folder in path.parents if folder.exists())
    if folder.is_file():
        raise ValueError(f"{option} is {str(path)!r}, and a part of its path is a file: give another one.")
    protected = next((one for one in (folder, path) if one.exists() and not os.access(one, os.W_OK)), None)
    if protected is not None:
        raise ValueError(f"{option} is {str(path)!r}, and {str(protected)!r} is write-protected: give another file.")
    if any(path.exists() and one.exists() and path.samefile(one) for one in inputs):
        raise ValueError(f"{option} is {str(path)!r}, a file that the command reads: give another one.")


def _record(part: Measurement | Mapping[str, Measurement]) -> dict[str, Any]:
    if not isinstance(part, Mapping):
        return part.to_dict()
    return {name: one.to_dict() for name, one in part.items()}


def _lines(part: Measurement | Mapping[str, Measurement]) -> list[str]:
    if not isinstance(part, Mapping):
        return [repr(part)]
    return [f"{name}: {one!r}" for name, one in part.items()]
