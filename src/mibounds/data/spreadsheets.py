"""Tables of spreadsheets: the first sheet of an Excel or OpenDocument file."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mibounds._extras import require
from mibounds.data.delimited import name_columns
from mibounds.data.text_columns import ReadingWarning
from mibounds.warnings import issue

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SPREADSHEETS", "read_spreadsheet"]

SPREADSHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
"""The endings of spreadsheets."""


def read_spreadsheet(content: bytes, label: str) -> pl.DataFrame:
    """The first sheet that has cells; its first row names the columns, as `name_columns` does.

    Cells keep their types: numbers, dates, booleans; a column of several types is text. Empty rows are left out.

    Arguments:
        content: of the file.
        label: what messages call the file.

    Raises:
        ValueError: if the file is damaged, protected or empty.
        ImportError: if fastexcel is not installed.
    """
    require("fastexcel", extra="excel", purpose="Reading spreadsheets")
    import fastexcel
    import polars as pl

    logging.getLogger("fastexcel").setLevel(logging.ERROR)  # it logs that a column of several types is text
    try:
        book = fastexcel.read_excel(content)
        heads = {name: book.load_sheet(name, header_row=None, n_rows=1, dtypes="string") for name in book.sheet_names}
        name = next((name for name, head in heads.items() if head.height), None)
        if name is None:
            raise ValueError(f"{label} has no cells: expected a row of column names, and rows.")
        header = ["" if cell is None else cell for cell in heads[name].to_polars().row(0)]
        table: pl.DataFrame = book.load_sheet(name, header_row=0, column_names=None).to_polars()
    except fastexcel.FastExcelError as error:
        reason = "is protected by a password" if "password" in str(error).lower() else "is damaged, or no spreadsheet"
        raise ValueError(f"{label} {reason}: save the sheet as CSV, and give that file.") from error
    if len(heads) > 1:
        issue(ReadingWarning(f"{label} has {len(heads)} sheets; {name!r} is read."))
    table = table.rename(dict(zip(table.columns, map(str, range(table.width)), strict=True)))
    return name_columns(table.filter(~pl.all_horizontal(pl.all().is_null())), header, label)
