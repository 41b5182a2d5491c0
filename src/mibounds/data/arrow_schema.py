"""What the columns of an Arrow file are called and hold, before a reader that may abort on them opens it."""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from mibounds.data.values import as_text

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check_arrow", "with_categories"]

_MAGIC = b"ARROW1\0\0"
_CONTINUED = b"\xff\xff\xff\xff"
_SCHEMA = 1  # of the kinds of messages
_DECIMAL = 7
_REFUSED = {11: "intervals", 14: "unions", 22: "runs", 25: "list views", 26: "list views"}
_DEEPEST = 20  # levels of nested columns


def check_arrow(data: bytes, label: str) -> None:
    """Raise a ValueError if an Arrow file has columns that polars does not read: two of one name, or of such a type.

    Damaged files are left to the reader. The layout is that of the format: a message in the encoding of FlatBuffers,
    https://arrow.apache.org/docs/format/Columnar.html.

    Arguments:
        data: content of the file, or of a stream.
        label: what messages call the file.
    """
    try:
        fields = [*_fields(data)]
        held = {name: _refused(field) for name, field in fields}
    except (struct.error, IndexError, UnicodeDecodeError, RecursionError):
        return
    names = [name for name, _ in fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{label} has two columns with the name {twice!r}: give each a name of its own.")
    for name, what in held.items():
        if what is not None:
            raise ValueError(
                f"column {name!r} of {label} holds {what}, which are not read: save it as numbers or text, or save "
                "the table without it."
            )


def with_categories(frame: pl.DataFrame, data: bytes) -> pl.DataFrame:
    """The table of a Parquet or Arrow file with columns of categories where the file has some, whatever their type: of
    categories that are numbers polars tells only the numbers.

    Arguments:
        frame: as polars reads it.
        data: content of the file.
    """
    import polars as pl

    schema = data
    if data.startswith(b"PAR1"):  # whose metadata hold a schema of Arrow
        known = pl.read_parquet_metadata(BytesIO(data)) if hasattr(pl, "read_parquet_metadata") else {}
        schema = b64decode(known.get("ARROW:schema", ""))
    try:
        names = [name for name, field in _fields(schema) if field.table(4) is not None]
    except (struct.error, IndexError, UnicodeDecodeError):
        return frame
    columns = [frame[name] for name in names if frame[name].dtype not in (pl.Categorical, pl.Enum)]
    return frame.with_columns(
        [pl.Series(one.name, [as_text(value) for value in one.to_list()], dtype=pl.Categorical) for one in columns]
    )


@dataclass(frozen=True)
class _Table:
    """A table of FlatBuffers: fields by their numbers."""

    data: bytes
    start: int

    def place(self, number: int) -> int | None:
        """Where a field is; None if it has its default."""
        above = self.start - _number("<i", self.data, self.start)
        if 4 + 2 * number >= _number("<H", self.data, above):
            return None
        offset = _number("<H", self.data, above + 4 + 2 * number)
        return self.start + offset if offset else None

    def integer(self, number: int, form: str, default: int) -> int:
        """A field that is a whole number."""
        place = self.place(number)
        return default if place is None else _number(form, self.data, place)

    def table(self, number: int) -> _Table | None:
        """A field that is a table."""
        place = self.place(number)
        return None if place is None else _Table(self.data, place + _number("<I", self.data, place))

    def text(self, number: int) -> str:
        """A field that is text."""
        place = self.place(number)
        if place is None:
            return ""
        start = place + _number("<I", self.data, place)
        return self.data[start + 4 : start + 4 + _number("<I", self.data, start)].decode()

    def tables(self, number: int) -> Iterator[_Table]:
        """A field that is a list of tables."""
        place = self.place(number)
        if place is None:
            return
        start = place + _number("<I", self.data, place)
        for i in range(_number("<I", self.data, start)):
            entry = start + 4 + 4 * i
            yield _Table(self.data, entry + _number("<I", self.data, entry))


def _number(form: str, data: bytes, place: int) -> int:
    if place < 0:
        raise IndexError(place)
    found: int = struct.unpack_from(form, data, place)[0]
    return found


def _fields(data: bytes) -> Iterator[tuple[str, _Table]]:
    """The names of the columns, and their descriptions."""
    start = len(_MAGIC) if data.startswith(_MAGIC) else 0
    start += 8 if data[start : start + 4] == _CONTINUED else 4  # and the length of the message
    message = _Table(data, start + _number("<I", data, start))
    schema = message.table(2)
    if message.integer(1, "<B", 0) != _SCHEMA or schema is None:
        return
    for field in schema.tables(1):
        yield field.text(0), field


def _refused(field: _Table, depth: int = 0) -> str | None:
    """What a column holds that is not read; None if all of it is."""
    kind = field.integer(2, "<B", 0)
    if kind in _REFUSED:
        return _REFUSED[kind]
    described = field.table(3)
    if kind == _DECIMAL and described is not None and described.integer(2, "<i", 128) > 128:
        return "decimals of 256 bits"
    parts = field.tables(5) if depth < _DEEPEST else ()
    return next((found for part in parts if (found := _refused(part, depth + 1)) is not None), None)
