"""Spreadsheets, made by hand: a zip archive of XML."""

import datetime
import io
import sys
import zipfile
from xml.sax.saxutils import escape

import polars as pl
import pytest

from mibounds._extras import MissingExtraError
from mibounds.data.readers import read_table
from mibounds.data.spreadsheets import SPREADSHEETS, read_spreadsheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DAY = datetime.date(1899, 12, 30)  # of which spreadsheets count the days


def cell(value, place):
    if isinstance(value, datetime.date):
        return f'<c r="{place}" s="1"><v>{(value - DAY).days}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return "" if value is None else f'<c r="{place}"><v>{value}</v></c>'


def book(**sheets):
    """The bytes of an .xlsx file with these sheets, each a list of rows."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        start = f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{start}</Relationships>')
        numbered = list(enumerate(sheets, 1))
        names = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>' for i, name in numbered)
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{names}</sheets></workbook>'
        )
        links = [(f"r{i}", "worksheet", f"worksheets/sheet{i}.xml") for i, _ in numbered] + [
            ("s", "styles", "styles.xml")
        ]
        related = "".join(f'<Relationship Id="{i}" Type="{OFFICE}/{kind}" Target="{to}"/>' for i, kind, to in links)
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>'
        )
        formats = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
        archive.writestr("xl/styles.xml", f'<styleSheet xmlns="{MAIN}">{formats}</styleSheet>')
        for (i, _), rows in zip(numbered, sheets.values(), strict=True):
            lines = (
                f'<row r="{r}">{"".join(cell(value, f"{chr(65 + c)}{r}") for c, value in enumerate(row))}</row>'
                for r, row in enumerate(rows, 1)
            )
            archive.writestr(
                f"xl/worksheets/sheet{i}.xml",
                f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
            )
    return found.getvalue()


def test_without_its_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(
        MissingExtraError, match=r'Reading spreadsheets needs fastexcel: pip install "mibounds\[excel\]"'
    ):
        read_spreadsheet(b"", "t.xlsx")


class TestWithFastexcel:
    @pytest.fixture(autouse=True)
    def extra(self):
        pytest.importorskip("fastexcel")

    def test_types_names_and_empty_rows(self):
        day = datetime.date(2024, 1, 5)
        table = read_spreadsheet(
            book(
                data=[[" age ", "day", "smokes", "city", None], [31, day, True, "Ulm"], [], [2.5, day, False, "Graz"]]
            ),
            "t.xlsx",
        )
        assert table.columns == ["age", "day", "smokes", "city"]
        assert table["age"].to_list() == [31, 2.5]
        assert table["day"].cast(pl.Date).to_list() == [day, day]
        assert table["smokes"].to_list() == [True, False]
        assert table["city"].to_list() == ["Ulm", "Graz"]

    def test_repeated_names_and_further_sheets_are_said(self):
        content = book(empty=[], data=[["a", "a"], [1, 2]], more=[["b"], [3]])
        with pytest.warns(UserWarning) as caught:
            table = read_spreadsheet(content, "t.xlsx")
        assert [str(one.message) for one in caught] == [
            "t.xlsx has 3 sheets; 'data' is read.",
            "t.xlsx has columns of the same name; the later ones are called 'a (2)'.",
        ]
        assert table.rows() == [(1, 2)]

    def test_text_among_numbers_names_the_culprits(self, tmp_path):
        path = tmp_path / "t.xlsx"
        path.write_bytes(book(data=[["a", "b"], [1, 1], ["<10", 2], [2.5, 3]]))
        assert read_table(path.with_name("t.xlsx"), null="<10").to_dict(as_series=False) == {
            "a": [1, None, 2.5],
            "b": [1, 2, 3],
        }
        with pytest.raises(ValueError, match="column 'a' is text, but 2 of 3 values are numbers; the others: '<10' "):
            read_table(path)

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04abc", b"hello"])
    def test_damaged_files_are_one_sentence(self, content):
        with pytest.raises(ValueError, match="t.xlsx is damaged, or no spreadsheet: save the sheet as CSV"):
            read_spreadsheet(content, "t.xlsx")

    def test_a_book_without_cells(self):
        with pytest.raises(ValueError, match="t.xlsx has no cells: expected a row of column names, and rows"):
            read_spreadsheet(book(one=[], two=[]), "t.xlsx")


def test_the_endings_are_lower_case():
    assert all(ending == ending.lower() and ending.startswith(".") for ending in SPREADSHEETS)
