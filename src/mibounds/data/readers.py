"""Tables and arrays from files: delimited text, JSON, Parquet, Arrow, and the formats of NumPy."""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from mibounds._checks import no_such_file, shortened
from mibounds._extras import require
from mibounds.data.array_files import array_names, read_array, read_arrays
from mibounds.data.arrow_schema import check_arrow, with_categories
from mibounds.data.delimited import decode, read_delimited, separator_of
from mibounds.data.json_tables import read_json
from mibounds.data.spreadsheets import SPREADSHEETS, read_spreadsheet
from mibounds.data.text_columns import TextColumns

__all__ = ["READABLE", "OpenTable", "open_table", "read_table"]

_TEXT = (".csv", ".tsv", ".txt")
_JSON = (".json", ".jsonl", ".ndjson")
_TYPED = (".parquet", ".arrow", ".feather", ".ipc")
_MAGIC = {
    b"\xd0\xcf\x11\xe0": "a spreadsheet: give a file that ends in .xls, or save it as CSV",
    b"PAR1": "a Parquet file: give a file that ends in .parquet",
    b"ARROW1": "an Arrow file: give a file that ends in .arrow",
    b"\x93NUMPY": "an array of NumPy: give a file that ends in .npy",
    b"BZh9": "compressed by bzip2: decompress it first",
    b"\xfd7zXZ\0": "compressed by xz: decompress it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: decompress it first",
    b"SQLite format 3\0": "a database of SQLite: save its table as CSV",
    b"\x89HDF": "an HDF5 file: save its table as CSV",
    b"%PDF-": "a PDF document: save its table as CSV",
}  # the first bytes of files that are no text
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_WORKBOOKS = {"xl/workbook.xml": ".xlsx", "xl/workbook.bin": ".xlsb", "content.xml": ".ods"}  # files in the archive
_ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # a single letter is a drive
_LONGEST_DECIMAL = 38  # digits
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")  # bytes that text does not have; a column may be called PAR1
READABLE = (*_TEXT, *(f"{one}.gz" for one in _TEXT), *_JSON, *_TYPED, *SPREADSHEETS, ".npy", ".npz")
"""The endings of the files that can be read."""


@dataclass(frozen=True)
class OpenTable:
    """A file whose columns are known and not yet converted.

    Attributes:
        columns: the names of columns or arrays; a range of numbers for a .npy matrix.
        load: columns, and those that may stay text -> what `read` returns.
        arrays: the columns are arrays of NumPy, which are not converted.
        as_is: a column of a table -> the column before it is converted.
    """

    columns: Sequence[Any]
    load: Callable[[Sequence[Any], Collection[Any]], Any]
    arrays: bool = False
    as_is: Callable[[Any], Any] | None = None

    def read(self, columns: Sequence[Any] | None = None, *, text: Collection[Any] = ()) -> Any:
        """Some columns, or all: a polars table, a matrix (rows, columns) of a .npy file, or a dictionary of arrays.

        Arguments:
            columns: those to read; None reads all.
            text: columns that may be text although most of their values are numbers or dates.

        Raises:
            ValueError: if a column cannot be converted.
        """
        return self.load(self.columns if columns is None else columns, text)


def read_table(
    path: str | Path,
    *,
    sep: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    null: str | Sequence[str] | None = None,
) -> Any:
    r"""Read a file of columns: a table, a matrix or named arrays.

    | ending | content |
    |---|---|
    | .csv, .tsv, .txt, also compressed (.gz); "-" is standard input; pipes | a header and rows of text |
    | .json, .jsonl, .ndjson | a list of objects, an object of columns, or an object on each line |
    | .parquet, .arrow, .feather, .ipc | a table with types |
    | .xlsx, .xlsm, .xlsb, .xls, .ods | a spreadsheet, its first sheet; needs the extra `excel` |
    | .npy | a matrix, rows first |
    | .npz | named arrays |

    The separator, the decimal separator and the encoding (a byte order mark, UTF-8 or cp1252) of text are inferred.
    Numbers may have thousands separators. In text and JSON, these stand for a missing value, as in pandas: empty, NA,
    N/A, n/a, <NA>, NaN, nan, null, NULL, None, #N/A; and `.`, `-` and `?` in columns of which all other values are
    numbers or dates. ISO dates become dates, and so do months, YYYY-MM, as their first days, and DD.MM.YYYY, DD/MM/YYYY
    and MM/DD/YYYY where the column is unambiguous; other spellings of dates, and times of day, are refused. Integers
    with leading zeros are codes and stay text. Whole numbers are Int64, and where one is longer UInt64 or Object (int).

    Arguments:
        path: of the file; `~` is the home directory.
        sep: the separator of text, one character, or "tab", or "space" for runs of blanks.
        decimal: "." or ",".
        encoding: of text, as Python names it.
        null: further texts that stand for a missing value; a number also stands for equal numbers.

    Returns:
        A polars table; for .npy a matrix (rows, columns); for .npz a dictionary of arrays.

    Raises:
        ValueError: if the file cannot be read, or if a text column is mostly numbers, dates or times of day.
        ImportError: if polars, which reads tables, is not installed.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "table.csv"
        >>> _ = path.write_text("age;weight\n31;72,5\nNA;64,0\n")
        >>> read_table(path).to_dict(as_series=False)
        {'age': [31, None], 'weight': [72.5, 64.0]}
    """
    return open_table(path, sep=sep, decimal=decimal, encoding=encoding, null=null).read()


def open_table(
    path: str | Path,
    *,
    sep: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    null: str | Sequence[str] | None = None,
) -> OpenTable:
    """Open a file to read some of its columns; the others are not converted, and their faults do not matter.

    Arguments, errors: as `read_table`.
    """
    if decimal not in (None, ".", ","):
        raise ValueError(f"--decimal is {decimal!r}: expected '.' or ','.")
    words = (null,) if isinstance(null, str) else tuple(null or ())
    separator = separator_of(sep)
    if _ADDRESS.match(str(path)):
        raise ValueError(f"{str(path)!r} is a web address: download the file first.")
    standard_input = str(path) == "-"
    path = Path(str(path).removeprefix("file://")).expanduser()
    label = "standard input" if standard_input else path.name
    ending = ".csv" if standard_input else _ending(path)
    for option, value in (("--sep", sep), ("--decimal", decimal), ("--encoding", encoding)):
        others = {"--encoding": _JSON, "--decimal": SPREADSHEETS}.get(option, ())
        if value is not None and not ending.startswith((*_TEXT, *others)):
            raise ValueError(f"{option} is for files of text, {', '.join(_TEXT)}: leave it out for {label}.")
    if words and ending in (".npy", ".npz"):
        raise ValueError(f"--null is for tables: leave it out for {label}, where NaN stands for a missing value.")
    if ending == ".npy":
        array = read_array(path)
        matrix = array.reshape(len(array), -1)
        return OpenTable(range(matrix.shape[1]), lambda columns, text: matrix[:, list(columns)], arrays=True)
    if ending == ".npz":
        return OpenTable(array_names(path), lambda names, text: read_arrays(path, names), arrays=True)
    require("polars", extra="cli", purpose="Reading standard input" if standard_input else f"Reading {ending} files")
    if ending in _TYPED:
        return _table(TextColumns(_typed(path, ending), label, null=words, typed=True))
    if ending in SPREADSHEETS:
        return _table(TextColumns(read_spreadsheet(_filled(path), path.name), label, decimal=decimal, null=words))
    data = sys.stdin.buffer.read() if standard_input else _content(path)
    text = decode(_unpacked(data, label, compressed=ending.endswith(".gz")), label, encoding)
    if ending in _JSON:
        if not text.strip():
            raise ValueError(f"{label} is empty: expected rows as JSON objects.")
        return _table(TextColumns(read_json(text, label, lines=ending != ".json"), label, decimal=".", null=words))
    _refuse_markup(text, label)
    frame, separator = read_delimited(text, label, separator, first="\t" if ending.startswith(".tsv") else ",")
    return _table(TextColumns(frame, label, separator=separator, decimal=decimal, null=words))


def _ending(path: Path) -> str:
    """The ending of a file that exists and can be read.

    Raises:
        ValueError: if it does not, or cannot.
    """
    ending = "".join(path.suffixes[-2:]).lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    try:
        path.stat()
    except FileNotFoundError:
        pass  # which is said with the nearest name
    except (OSError, ValueError) as error:  # a long name, a folder without permission, a character that no name has
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ValueError(f"{shortened(str(path))!r} cannot be read: {reason}.") from error
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder: give a file in it.")
    if path.is_fifo() or path.is_char_device():
        return ".csv"  # what a shell writes in place of <(command), and /dev/stdin: text, as standard input is
    if not path.exists():
        raise ValueError(no_such_file(path, READABLE))
    if ending not in READABLE:
        once = [one for one in READABLE if not one.endswith(".gz")]
        raise ValueError(
            f"{path.name} has an unknown format: expected a file ending in {', '.join(once)}; "
            f"{', '.join(_TEXT)} also with .gz."
        )
    return ending


def _unpacked(data: bytes, label: str, *, compressed: bool) -> bytes:
    """The content of a file of text, decompressed, whatever its ending.

    Raises:
        ValueError: if it is damaged, or no text.
    """
    try:
        data = gzip.decompress(data) if compressed or data.startswith(_GZIP) else data
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise ValueError(f"{label} is damaged, or not compressed by gzip.") from None
    if data.startswith(_ZIP):
        raise ValueError(f"{label} is {_zipped(data)}.")
    for magic, what in _MAGIC.items():
        if data.startswith(magic) and _CONTROL.search(data[:100_000]):
            raise ValueError(f"{label} is {what}.")
    return data


def _refuse_markup(text: str, label: str) -> None:
    """Raise a ValueError for a page of the web or JSON in place of rows of text."""
    start = text[:100].lstrip().lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise ValueError(f"{label} is a page of HTML or XML: download the table itself.")
    if start.startswith(('{"', "[{")):
        raise ValueError(f"{label} looks like JSON: give a file that ends in .json.")


def _zipped(data: bytes) -> str:
    """What an archive is, by the files in it, and what to do with it."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            names = [one for one in archive.namelist() if not one.endswith("/")]
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return "a damaged zip archive: write it again"
    for name, ending in _WORKBOOKS.items():
        if name in names:
            return f"a spreadsheet: give a file that ends in {ending}, or save it as CSV"
    if names and all(name.endswith(".npy") for name in names):
        return "an archive of arrays of NumPy: give a file that ends in .npz"
    if not names:
        return "a zip archive without files: give a file of text"
    which = f"give {names[0]!r}" if len(names) == 1 else f"give one of its {len(names)} files, such as {names[0]!r}"
    return f"a zip archive: extract it, and {which}"


def _content(path: Path) -> bytes:
    """The content of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}.") from error


def _filled(path: Path) -> bytes:
    """The content of a file that is not empty."""
    data = _content(path)
    if not data:
        raise ValueError(f"{path.name} is empty.")
    return data


def _table(columns: TextColumns) -> OpenTable:
    """An open table; each column is converted when it is read."""
    import polars as pl

    if not columns.frame.width:
        raise ValueError(f"{columns.label} has no columns.")
    if not columns.frame.height:
        raise ValueError(f"{columns.label} has columns, but no rows.")

    def load(names: Sequence[Any], text: Collection[Any]) -> pl.DataFrame:
        return pl.DataFrame({name: columns.convert(name, keep_text=name in text) for name in names})

    return OpenTable(columns.frame.columns, load, as_is=columns.frame.get_column)


def _typed(path: Path, ending: str) -> Any:
    """The table of a Parquet or Arrow file."""
    import polars as pl

    kind = "Parquet" if ending == ".parquet" else "Arrow"
    data = _filled(path)
    if kind == "Arrow":
        check_arrow(data, path.name)
    for read in [pl.read_parquet] if kind == "Parquet" else [pl.read_ipc, pl.read_ipc_stream]:
        try:
            return with_categories(read(BytesIO(data)), data)
        except pl.exceptions.DuplicateError:
            raise ValueError(f"{path.name} has columns of the same name: give each a name of its own.") from None
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
            if "dictionary key" in str(error):
                return with_categories(_without_dictionaries(data, path.name), data)
    if kind == "Parquet":
        _refuse_decimals(data, path.name)
    raise ValueError(f"{path.name} is damaged, or no {kind} file: write it again.")


def _without_dictionaries(data: bytes, label: str) -> Any:
    """The table of an Arrow file of which polars does not read the categories: pandas stores missing ones as -1."""
    import polars as pl

    try:
        arrow, ipc = import_module("pyarrow"), import_module("pyarrow.ipc")
    except ImportError:
        raise ValueError(
            f"{label} has missing values among its categories, which are read with pyarrow only: install it (pip "
            "install pyarrow), or save the table as Parquet."
        ) from None
    open_file = ipc.open_file if data.startswith(b"ARROW1") else ipc.open_stream
    table = open_file(data).read_all()
    decoded = [
        arrow.chunked_array([part.dictionary_decode() for part in one.chunks], one.type.value_type)
        if hasattr(one.type, "index_type")
        else one
        for one in table.columns
    ]
    return pl.DataFrame({name: pl.from_arrow(one) for name, one in zip(table.column_names, decoded, strict=True)})


def _refuse_decimals(data: bytes, label: str) -> None:
    """Raise if a Parquet file has decimals of more digits than polars reads."""
    import polars as pl

    try:
        schema = pl.read_parquet_schema(BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError):
        return
    for name, dtype in schema.items():
        if isinstance(dtype, pl.Decimal) and (dtype.precision or 0) > _LONGEST_DECIMAL:
            raise ValueError(
                f"column {name!r} of {label} holds decimals of {dtype.precision} digits, and at most "
                f"{_LONGEST_DECIMAL} are read: save it as numbers or text, or save the table without it."
            )
