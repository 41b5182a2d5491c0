"""Tables of delimited text: bytes to text, the separator, the header, and the columns, all of them still text."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO, StringIO
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from mibounds._checks import counted
from mibounds.data.text_columns import NUMBER, ReadingWarning
from mibounds.data.values import MISSING_WORDS
from mibounds.warnings import issue

if TYPE_CHECKING:
    import polars as pl

__all__ = ["decode", "name_columns", "read_delimited", "separator_of"]

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "blanks"}
_WORDS = {
    "comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|", "space": " ", "blank": " ",
    r"\s+": " ",
}  # fmt: skip
_SAMPLE = 200  # lines from which the separator is inferred
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_TOKEN = re.compile(r'"(?:[^"]|"")*"|\S+')
_NUMBER = re.compile(NUMBER)
_WHOLE = re.compile(r"[+-]?[0-9]+")


def decode(data: bytes, label: str, encoding: str | None = None) -> str:
    """The text of a file, its lines ending in newlines.

    Without an encoding: what a byte order mark says, else UTF-8, else cp1252, which extends Latin-1.

    Raises:
        ValueError: if the bytes are no text of the encoding, or there is no such encoding.
    """
    try:
        text = _decoded(data) if encoding is None else data.decode(encoding)
    except LookupError:
        raise ValueError(
            f"--encoding is {encoding!r}, which is unknown: expected one like utf-8, latin-1, cp1252 or utf-16."
        ) from None
    except UnicodeError:
        if encoding is None:
            raise ValueError(
                f"{label} is no text in UTF-8 or cp1252: give its encoding with --encoding, for example utf-16-le or "
                "shift_jis."
            ) from None
        raise ValueError(f"{label} is no text in {encoding!r}: give another encoding with --encoding.") from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes) -> str:
    """The text by its byte order mark, or in UTF-8, or in cp1252."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding)
    if b"\0" in data[:1000]:  # UTF-16 without a mark, or no text
        raise UnicodeError
    try:
        return data.decode("utf-8")
    except UnicodeError:
        return data.decode("cp1252")


def separator_of(option: str | None) -> str | None:
    """The separator that an option names: one character, or a word such as "tab".

    Raises:
        ValueError: if it is neither.
    """
    if option is None:
        return None
    separator = _WORDS.get(option.lower(), option)
    if len(separator) != 1 or separator in '"\n\r' or not separator.isascii():
        raise ValueError(f"--sep is {option!r}: expected one character, like ';', or tab or space.")
    return separator


def read_delimited(text: str, label: str, separator: str | None = None, first: str = ",") -> tuple[pl.DataFrame, str]:
    """The columns of a table as text, and the separator.

    Comment lines (#) and blank lines at the top are skipped, blank lines elsewhere too, blanks before quotes, and
    separators at the ends of rows. The header's names lose the blanks around them. Columns without a name are called
    "column 3", or left out if they are empty; repeated names get a number, "age (2)", with a warning.

    Arguments:
        text: with newlines.
        label: what messages call the file.
        separator: one character, a blank for runs of blanks and tabs; None infers it.
        first: the separator to try first.

    Raises:
        ValueError: if the text is empty or has only a header, or if its rows have different lengths.
    """
    lines = _lines(text)
    comments: list[str] = []
    skipped = 0  # lines above the header
    start = 0  # of the header in the text
    for line in lines:
        if line.startswith("#"):
            comments.append(line.lstrip("#").rstrip())
        elif declared := re.fullmatch(r"sep=(.)", line.strip()):
            separator = separator or declared[1]
        elif line.strip():
            break
        skipped, start = skipped + 1, start + len(line) + 1
    else:
        raise ValueError(f"{label} is empty: expected a line of column names, and rows.")
    with _long_cells(len(text)):
        return _table(text[start:], label, separator, first, comments, skipped)


@contextmanager
def _long_cells(length: int) -> Iterator[None]:
    """Cells of up to this length, in place of the 131,072 characters of the module csv."""
    limit = csv.field_size_limit()
    csv.field_size_limit(max(limit, length))
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _table(
    body: str, label: str, separator: str | None, first: str, comments: list[str], skipped: int
) -> tuple[pl.DataFrame, str]:
    """The columns below the comments, and the separator; comments may hold the header."""
    sample = "\n".join(islice(_lines(body), _SAMPLE))
    separator = separator or _sniffed(sample, first)
    if separator == " ":
        body = "\n".join(_tabbed(line) for line in _lines(body))
    delimiter = "\t" if separator == " " else separator
    header, height = _header(body, delimiter, label)
    below = [cell for row in islice(_reader(_lines(sample), delimiter), 1, None) for cell in row]
    commented = next((one for one in reversed(comments) if _is_header(one, header, below, separator)), None)
    if commented is None and comments and _is_above_data(comments[-1], header, below, separator):
        commented = comments[-1]
    if commented is not None:
        commented = _tabbed(commented) if separator == " " else commented
        header, height = next(_reader([commented], delimiter)), 0
    elif _is_row(header):
        raise ValueError(f"{label} begins with numbers, {', '.join(header[:3])}: add a line of column names.")
    rows = body.split("\n", height)[height] if body.count("\n") >= height else ""
    if not rows.strip():
        raise ValueError(f"{label} has column names, but no rows.")
    _check_quotes(rows, delimiter, label, skipped + height)
    table = _parsed(rows, len(header), delimiter)
    if table is None:
        columns = _rows(rows, header, delimiter, label, skipped + height, separator)
        import polars as pl

        table = pl.DataFrame({str(i): list(column) for i, column in enumerate(zip(*columns, strict=True))})
    return name_columns(table, header, label), separator


def _check_quotes(rows: str, delimiter: str, label: str, above: int) -> None:
    r"""Raise a ValueError for text behind a closing quote, as in "a\"b": the quotes behind it would pair otherwise than
    they are meant, and join rows."""
    mark = re.escape(delimiter)
    if re.search(rf'[^{mark}\n" ]"[^{mark}\n" ]', rows) is None:
        return
    reader = csv.reader(
        StringIO(re.sub(rf'" +(?={mark}|$)', '"', rows, flags=re.MULTILINE), newline=""),
        delimiter=delimiter, skipinitialspace=True, strict=True,
    )  # fmt: skip
    try:
        for _ in reader:
            pass
    except csv.Error as error:
        if "expected after" in str(error):  # other faults are said with the line
            raise ValueError(
                f'line {above + reader.line_num} of {label} has text behind a closing quote ("): write a quote inside '
                'of quotes twice, "a""b".'
            ) from None


def _reader(lines: Iterable[str], delimiter: str) -> Any:
    """The rows of the module csv; blanks before a quote, as in `"a", "b"`, are no text."""
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True)


def _is_row(header: list[str]) -> bool:
    """Is it a row of numbers? Whole numbers may be names, such as years, but not twice the same."""
    cells = [cell.strip() for cell in header]
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    others = {cell for cell in cells if cell not in numbers}
    whole = all(_WHOLE.fullmatch(cell) for cell in numbers) and len(set(cells)) == len(cells)
    return bool(numbers) and others <= {*MISSING_WORDS} - {""} and not whole


def _lines(text: str) -> Iterator[str]:
    """The lines, one at a time."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


def _tabbed(line: str) -> str:
    """A line with tabs in place of runs of blanks, outside quotes."""
    return "\t".join(_TOKEN.findall(line) if '"' in line else line.split())


def _sniffed(sample: str, first: str) -> str:
    """The separator with which the rows of a sample are as long as its header."""
    agreement: dict[str, tuple[float, int, float]] = {}  # rows as long as the header, its length, numbers
    splitting: list[str] = []
    for separator in (first, *(one for one in _SEPARATORS if one != first)):
        text = "\n".join(map(_tabbed, sample.split("\n"))) if separator == " " else sample
        try:
            reader = _reader(StringIO(text, newline=""), "\t" if separator == " " else separator)
            header, *rows = [row for row in reader if row]
        except (csv.Error, ValueError):
            continue
        cells = [cell.strip() for row in rows for cell in row]
        alike = sum(len(row) == len(header) for row in rows) / len(rows) if rows else 1.0
        numeric = sum(_NUMBER.fullmatch(cell) is not None for cell in cells) / max(len(cells), 1)
        longer = bool(rows) and all(len(row) == len(header) + 1 for row in rows)
        if separator == " " and not (numeric and (alike == 1 or longer or min(2 * alike, 2 * numeric) > 1)):
            continue  # blanks of sentences
        agreement[separator] = (alike, len(header), numeric)
        if len(header) > 1 and any(len(row) > 1 for row in rows):
            splitting.append(separator)
    agreeing = [one for one, (alike, width, _) in agreement.items() if alike == 1 and width > 1]
    if len(agreeing) > 1 and " " in agreeing:
        agreeing.remove(" ")  # blanks inside of values
    if agreeing:
        return max(agreeing, key=lambda one: agreement[one][1:])
    if splitting:  # rows of different lengths
        return max(splitting, key=lambda one: agreement[one])
    return next((one for one, (alike, _, _) in agreement.items() if alike == 1), first)


def _header(body: str, delimiter: str, label: str) -> tuple[list[str], int]:
    """The cells of the header, and the number of its lines."""
    reader = _reader((f"{line}\n" for line in _lines(body)), delimiter)
    header, height = next(reader), reader.line_num
    if height > 1 and sum(line.count('"') for line in islice(_lines(body), height)) % 2:
        raise ValueError(f'{label} has a quote (") in its header that is opened and not closed.')
    return header, height


def _is_header(comment: str, row: list[str], below: list[str], separator: str) -> bool:
    """Is a comment the header of the row below it, as in the files of numpy.savetxt?

    If the row has numbers, it is no header itself. If the whole table is text, a comment of names without blanks before
    them is one: `#name,city`.
    """
    cells = _cells(comment, separator)
    if not len(cells) == len(row) > 1 or any(_NUMBER.fullmatch(cell.strip()) for cell in cells):
        return False
    if any(_NUMBER.fullmatch(cell.strip()) for cell in row):
        return True
    return not _is_spaced(comment, separator) and not any(_NUMBER.fullmatch(cell.strip()) for cell in below)


def _is_above_data(comment: str, row: list[str], below: list[str], separator: str) -> bool:
    """Is the last comment the header of the row below it, although numbers, such as years, are among its names, or it
    is one name only? So it is if the row has numbers where the next one has them: it would be lost otherwise."""
    cells = [cell.strip() for cell in _cells(comment, separator)]
    kinds, others = ([_is_number(cell) for cell in cells] for cells in (row, below[: len(row)] or row))
    alike = all(one == other or None in (one, other) for one, other in zip(kinds, others, strict=False))
    if False in kinds and _is_spaced(comment, separator):
        return False  # text above text: a remark above the header
    return alike and True in kinds and len(cells) == len(row) and all(cells) and len(set(cells)) == len(cells)


def _is_number(cell: str) -> bool | None:
    """None if it is missing."""
    cell = cell.strip()
    return None if cell in MISSING_WORDS else _NUMBER.fullmatch(cell) is not None


def _is_spaced(comment: str, separator: str) -> bool:
    """Are there blanks before the cells of a comment, as in a sentence?"""
    return comment[:1].isspace() or any(cell[:1].isspace() for cell in _cells(comment, separator))


def _cells(comment: str, separator: str) -> list[str]:
    return comment.split() if separator == " " else comment.split(separator)


def _parsed(rows: str, width: int, delimiter: str) -> pl.DataFrame | None:
    """The columns as text, or None unless all rows certainly have this width."""
    import polars as pl

    if rows.count('"') % 2 or re.search(rf'(?:^|{re.escape(delimiter)}) +"', rows, re.MULTILINE):
        return None  # a quote may be open, or stand behind a blank
    names = [str(i) for i in range(width)]
    if "\n\n" in rows:
        rows = re.sub("\n{2,}", "\n", rows)  # polars takes blank lines for rows
    data = "".join([delimiter.join(names), "\n", rows.strip("\n"), "\n"]).encode()
    try:
        table = pl.read_csv(BytesIO(data), separator=delimiter, infer_schema_length=0)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    # A row that is too short has nothing in the last column.
    certain = table.columns == names and (width == 1 or not table[names[-1]].null_count())
    return table if certain or _are_equal(rows, width, delimiter) else None


def _are_equal(rows: str, width: int, delimiter: str) -> bool:
    """Have all rows this many values?"""
    if '"' not in rows:
        return all(line.count(delimiter) == width - 1 for line in rows.split("\n") if line)
    try:
        return all(len(row) == width for row in _reader(StringIO(rows, newline=""), delimiter) if row)
    except csv.Error:
        return False


def _rows(rows: str, header: list[str], delimiter: str, label: str, above: int, separator: str) -> list[list[str]]:
    """The rows one by one; slower, and the lines are known.

    Raises:
        ValueError: for a row that has more or fewer values than the header has names.
    """
    reader = _reader(StringIO(rows, newline=""), delimiter)
    width = len(header)
    found: list[list[str]] = []
    starts: list[int] = []  # the lines of the rows
    before = start = 0  # lines above the next row, and above the last one
    for row in reader:
        if row:
            found.append(row)
            starts.append(above + before + 1)
        before, start = reader.line_num, before
    if rows.count('"') % 2 == 1 and before - start > 1:
        raise ValueError(f'{label} has a quote (") in line {above + start + 1} that is opened and not closed.')
    if not any(cell.strip() for row in found for cell in row[width:]):
        found = [row[:width] for row in found]  # separators at the ends of rows
    wrong = next(((line, len(row)) for line, row in zip(starts, found, strict=True) if len(row) != width), None)
    if wrong is None:
        return found
    named = _SEPARATORS.get(separator, repr(separator))
    if all(len(row) == width + 1 for row in found):
        raise ValueError(
            f"every row of {label} has one value more than the header has names ({width}): add a name for the "
            "first column."
        )
    line, values = wrong
    raise ValueError(
        f"line {line} of {label} has {counted(values, 'value')}, and the header has {counted(width, 'name')} "
        f"(separated by {named}): correct the line, quote text that has a separator in it, or give the separator with "
        "--sep."
    )


def name_columns(table: pl.DataFrame, header: Sequence[str], label: str) -> pl.DataFrame:
    """The table with the names of its header, each only once.

    The names lose the blanks around them. Columns without a name are called "column 3", or left out if they are empty;
    repeated names get a number, "age (2)", with a warning.
    """
    import polars as pl

    names: dict[str, str] = {}  # new name -> column
    wanted = [cell.strip() for cell in header]
    repeated = []
    for position, (column, cell) in enumerate(zip(table.columns, wanted, strict=True), 1):
        if not cell and bool((table[column].cast(pl.String).fill_null("").str.strip_chars() == "").all()):
            continue
        name = cell or f"column {position}"
        if name in names:
            taken = {*names, *wanted}
            name = next(new for number in count(2) if (new := f"{name} ({number})") not in taken)
            repeated.append(name)
        names[name] = column
    if repeated:
        shown = ", ".join(map(repr, repeated[:5])) + (", ..." if len(repeated) > 5 else "")
        issue(ReadingWarning(f"{label} has columns of the same name; the later ones are called {shown}."))
    return table.select(names.values()).rename({column: name for name, column in names.items()})
