"""The base of all results: units, levels, files, text, HTML, comparison, figures and reports."""

from __future__ import annotations

import json
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import numpy as np

from mibounds import inference
from mibounds._checks import check_file, check_fraction, nearest
from mibounds._files import write_json, write_text
from mibounds.results.printing import Content, html, percent, text_lines
from mibounds.results.records import decode_fields, encode, subclasses
from mibounds.results.units import Unit, nats_in
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["INFORMATION", "TRANSIENT", "Measurement"]

INFORMATION = MappingProxyType({"information": True})
"""Metadata of a field that holds information, in the unit of its result: `Measurement.to` converts it."""

TRANSIENT = MappingProxyType({"transient": True})
"""Metadata of a field that is neither written to disk nor compared."""

M = TypeVar("M", bound="Measurement")


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Measurement(ABC):
    """Base class of all results.

    A subclass is a dataclass with the options `frozen=True, kw_only=True, repr=False, eq=False`. It declares its
    fields, those that hold information with the metadata `INFORMATION`, and defines what is printed (`_content`) and
    drawn (`plot`). It has the attributes `n`, `unit`, `level`, `warnings`, `seed` and `versions`, as fields or as
    properties.

    A result converts to a number: `float(result)`, `f"{result:.3f}"`, `round(result, 2)`, `result > 0.3`,
    `result == 0.5`, `sorted(results)`. Results are compared with each other in the same unit; two results are equal
    if they are of the same class and all their fields are equal, except transient ones. A class without a single
    value, such as `BracketResult`, raises a TypeError instead.

    Example:
        >>> from mibounds.results import Result
        >>> r = Result(value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=1000)
        >>> float(r), f"{r:.3f}", r > 0.3, round(r.to("bits"), 3)
        (0.5, '0.500', True, 0.721)
        >>> Measurement.from_dict(r.to_dict()) == r
        True
    """

    if TYPE_CHECKING:  # for type checkers only: at run time a property would become the default of a subclass's field

        @property
        def n(self) -> int:
            """Number of samples."""

        @property
        def unit(self) -> Unit:
            """Nats or bits."""

        @property
        def level(self) -> float:
            """The confidence level of `interval`."""

        @property
        def warnings(self) -> tuple[MIWarning, ...]:
            """Diagnostics, each with a stable `code`."""

        @property
        def seed(self) -> int | None:
            """Of the random numbers."""

        @property
        def versions(self) -> Mapping[str, str]:
            """Of mibounds, torch and Python."""

    _derived: ClassVar[tuple[str, ...]] = ()  # properties that `to_dict` writes beside the fields
    _instead: ClassVar[str] = ""  # what to use where the result is not a single number

    @abstractmethod
    def _content(self) -> Content:
        """What is shown of the result, as text and as HTML."""

    @abstractmethod
    def plot(self, ax: Axes | None = None) -> Figure:
        """A figure of the result; with `ax`, drawn there."""

    # Numbers

    def _number(self) -> float | None:
        """The single number that the result stands for, in `unit`; None where there is none."""
        return float(self.value)  # type: ignore[attr-defined]

    @property
    def interval(self) -> tuple[float, float]:
        r"""The confidence interval (low, high) at `level`, in `unit`.

        .. math:: \big[\,v - b_1 - z s,\; \max(v + b_2, 0) + z s\,\big]

        with the value v, its standard error s and the bias :math:`(b_1, b_2)` that `interval_bias` allows for. The
        upper end is never below 0, and where the information has an upper limit, that of the entropy of a label,
        neither end is above it.
        """
        if self._number() is None or not hasattr(self, "stderr"):
            raise AttributeError(f"{type(self).__name__} has no interval: it is not one value with a standard error.")
        bias = getattr(self, "interval_bias", (0.0, 0.0))
        return self._capped(*inference.interval(float(self), self.stderr, self.level, *bias))

    def _capped(self, low: float, high: float) -> tuple[float, float]:
        """An interval that ends at the largest value that the information can take, if there is one."""
        limit = getattr(self, "entropy_limit", None)
        return (low, high) if limit is None else (min(low, limit), min(high, limit))

    def _interval_text(self) -> str:
        low, high = self.interval
        return f"{percent(self.level)} interval [{low:.4g}, {high:.4g}]"

    def to(self: M, unit: Unit | None = None, *, level: float | None = None) -> M:
        """The same result in another unit or at another confidence level.

        Arguments:
            unit: "nats" or "bits"; by default it stays.
            level: of intervals and bounds, in (0, 1); by default it stays.

        Raises:
            ValueError: if the unit is unknown or the level not strictly between 0 and 1.
        """
        unit = self.unit if unit is None else unit
        factor = nats_in(self.unit) / nats_in(unit)
        if level is not None:
            check_fraction("level", level)
        changes: dict[str, Any] = {}
        for one in fields(self):
            entry = getattr(self, one.name)
            if one.metadata.get("information"):
                changes[one.name] = _scaled(entry, factor)
            elif one.name == "unit":
                changes["unit"] = unit
            elif one.name == "level" and level is not None:
                changes["level"] = float(level)
            elif next(_parts(entry), None) is not None:
                changes[one.name] = _converted(entry, unit, level)
        return replace(self, **changes)

    def __float__(self) -> float:
        number = self._number()
        if number is None:
            raise TypeError(f"A {type(self).__name__} is not a single number: use {self._instead}.")
        return number

    def __round__(self, ndigits: int | None = None) -> float:
        return round(float(self), ndigits)

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else str(self)

    # Comparison

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Real):
            return bool(self._number() == other)
        if type(self) is not type(other):
            return NotImplemented
        return all(
            _equal(getattr(self, one.name), getattr(other, one.name))
            for one in fields(self)
            if not one.metadata.get("transient")
        )

    def __hash__(self) -> int:
        number = self._number()
        if number is None:
            return hash((type(self).__name__, self.n, self.unit))
        return hash(0.0 if math.isnan(number) else number)  # that of the number, which the result may be equal to

    def __lt__(self, other: object) -> bool:
        return NotImplemented if (number := self._comparable(other)) is None else float(self) < number

    def __le__(self, other: object) -> bool:
        return NotImplemented if (number := self._comparable(other)) is None else float(self) <= number

    def __gt__(self, other: object) -> bool:
        return NotImplemented if (number := self._comparable(other)) is None else float(self) > number

    def __ge__(self, other: object) -> bool:
        return NotImplemented if (number := self._comparable(other)) is None else float(self) >= number

    def _comparable(self, other: object) -> float | None:
        """The number that a result is compared with, in the unit of this one."""
        if isinstance(other, Real):
            return float(other)
        if not isinstance(other, Measurement):
            return None
        return float(other) if other.unit == self.unit else float(other) * nats_in(other.unit) / nats_in(self.unit)

    # Files

    def to_dict(self) -> dict[str, Any]:
        """The result as numbers, text, lists and dictionaries that JSON can hold, without transient fields.

        "type" is the name of the class. NaN becomes None, and an infinity "inf" or "-inf". Derived numbers such as the
        interval are included.
        """
        return self._record(strict=True)

    def _record(self, *, strict: bool) -> dict[str, Any]:
        names = [one.name for one in fields(self) if not one.metadata.get("transient")]
        return {"type": type(self).__name__} | {
            name: encode(getattr(self, name), strict=strict) for name in (*names, *self._derived)
        }

    @classmethod
    def from_dict(cls: type[M], record: Mapping[str, Any]) -> M:
        """The result that `to_dict` wrote, without transient fields.

        Called on `Measurement`, it returns an instance of whatever class was written.

        Raises:
            TypeError: if the record is no dictionary.
            ValueError: if the record is of another class, or is not complete.
        """
        if not isinstance(record, Mapping):
            raise TypeError(f"the record is {record!r:.60}: expected the dictionary that to_dict returned.")
        name = record.get("type")
        known = {kind.__name__: kind for kind in subclasses(Measurement)}
        if name not in known:
            raise ValueError(f"the record has the unknown type {name!r}. {nearest(str(name), known)}")
        kind = known[name]
        if not issubclass(kind, cls):
            raise ValueError(f"the record is of a {name}, and not of a {cls.__name__}: use {name}.from_dict or load")
        return cast("M", kind(**decode_fields(kind, record)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` to a JSON file; the file is complete or does not exist.

        Raises:
            FileNotFoundError: if the folder does not exist.
            IsADirectoryError: if the path is that of a folder.
        """
        write_json(check_file(path, "a .json file to write"), self.to_dict())

    @classmethod
    def load(cls: type[M], path: str | os.PathLike[str]) -> M:
        """Read a result that `save` wrote.

        Called on `Measurement`, it returns an instance of whatever class was saved.

        Raises:
            FileNotFoundError: if the file does not exist.
            IsADirectoryError: if the path is that of a folder.
            ValueError: if the file holds no result, or one of another class.

        Example:
            >>> import tempfile
            >>> from mibounds.results import Result
            >>> r = Result(value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=1000)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     r.save(f"{folder}/result.json")
            ...     Measurement.load(f"{folder}/result.json") == r
            True
        """
        file = check_file(path, "a file that save wrote")
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(record, dict):
                raise ValueError(f"it holds a {type(record).__name__}, and not a record")
            return cls.from_dict(record)
        except FileNotFoundError:
            raise FileNotFoundError(f"There is no file {str(path)!r} to load a result from.") from None
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{str(path)!r} cannot be loaded as a {cls.__name__}: it is no text. Expected the JSON file that "
                "result.save(path) wrote; what result.fitted.save(path) wrote is loaded by mi.load(path)."
            ) from error
        except ValueError as error:  # of JSON, or of the record
            what = f"{str(path)!r} cannot be loaded as a {cls.__name__}"
            raise ValueError(f"{what}: {str(error).rstrip('.')}.") from error

    # Text, HTML and reports

    def _named_parts(self) -> Iterator[tuple[str, Measurement]]:
        """The results that this one consists of, with the names that a report gives them."""
        for one in fields(self):
            yield from _parts(getattr(self, one.name), one.name.replace("_", " "))

    def _lines(self) -> list[str]:
        """The result as lines of plain text."""
        return text_lines(self._content())

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        return html(self._content())

    def report(self, path: str | os.PathLike[str], *, command: str | None = None, source: str | None = None) -> None:
        """Write the result as one self-contained HTML page.

        Arguments:
            path: the page; it is complete or does not exist.
            command: what made the result, shown as it is: a command line, or a call.
            source: what the data are called, for example the name of a file.

        Raises:
            FileNotFoundError: if the folder does not exist.
            IsADirectoryError: if the path is that of a folder.
        """
        from mibounds.report import inline_svg, summary_page

        file = check_file(path, "an .html file to write")
        content = self._content()
        page = summary_page(
            content.to_dict(),
            [{"name": name, **part._content().to_dict()} for name, part in _tree(self)],
            inline_svg(self.plot(), "figure", content.heading, "The numbers of the summary as a figure."),
            seed=self.seed,
            versions=dict(self.versions),
            command=command,
            source=source,
        )
        write_text(file, page)


def _scaled(entry: Any, factor: float) -> Any:
    """Information times a factor: a number, None, an array; a tuple or a mapping of these."""
    if entry is None:
        return None
    if isinstance(entry, Mapping):
        return {key: _scaled(one, factor) for key, one in entry.items()}
    if isinstance(entry, (tuple, list)):
        return tuple(_scaled(one, factor) for one in entry)
    return entry * factor


def _parts(entry: Any, name: str = "") -> Iterator[tuple[str, Measurement]]:
    """The results in a field, each with a name: the field itself, or the entries of a tuple or mapping."""
    if isinstance(entry, Measurement):
        yield name, entry
    elif isinstance(entry, Mapping):
        for key, part in entry.items():
            yield from _parts(part, key if isinstance(key, str) else f"{name}, {key}")
    elif isinstance(entry, (tuple, list)):
        for i, part in enumerate(entry):
            yield from _parts(part, f"{name}, {i}")


def _tree(result: Measurement, prefix: str = "") -> Iterator[tuple[str, Measurement]]:
    """The parts of a result and their parts, with their names."""
    for name, part in result._named_parts():
        yield f"{prefix}{name}", part
        yield from _tree(part, f"{prefix}{name}: ")


def _converted(entry: Any, unit: Unit, level: float | None) -> Any:
    """A field with all results in it converted."""
    if isinstance(entry, Measurement):
        return entry.to(unit, level=level)
    if isinstance(entry, Mapping):
        return {key: _converted(one, unit, level) for key, one in entry.items()}
    if isinstance(entry, (tuple, list)):
        return tuple(_converted(one, unit, level) for one in entry)
    return entry


def _equal(one: Any, other: Any) -> bool:
    """Equality of fields: NaN equals NaN, arrays equal by their entries, and warnings by their class and text."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    if isinstance(one, MIWarning):
        return type(one) is type(other) and (one.code, str(one)) == (other.code, str(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124  (NaN)
