import bz2
import gzip
import io
import json
import lzma
import os
import re
import sys
import threading
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from mibounds._extras import MissingExtraError
from mibounds.data.readers import READABLE, open_table, read_table
from mibounds.data.sources import columns_of
from mibounds.data.text_columns import ReadingWarning
from mibounds.data.values import texts

TABLE = pl.DataFrame({"age": [31, None, 40], "weight": [72.5, 64.0, None], "city": ["Ulm", "Bonn", None]})
TEXT = "age,weight,city\n31,72.5,Ulm\nNA,64.0,Bonn\n40,,\n"
MATRIX = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(
    "name, text",
    [
        ("t.csv", TEXT),
        ("t.CSV", TEXT),
        ("t.txt", TEXT),
        ("t.csv", TEXT.replace(",", ";").replace(".", ",")),
        ("t.csv", TEXT.replace(",", "\t")),
        ("t.tsv", TEXT.replace(",", "\t")),
        ("t.txt", "# from the clinic\nage weight city\n31 72.5 Ulm\nNA 64.0 Bonn\n40 NA NA\n"),
        ("t.txt", TEXT.replace(",", "|")),
    ],
)
def test_text(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert_frame_equal(read_table(tmp_path / name), TABLE)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    assert_frame_equal(read_table(str(tmp_path / f"{name}.gz")), TABLE)


RECORDS = TABLE.to_dicts()


@pytest.mark.parametrize(
    "name, text",
    [
        ("t.jsonl", "\n".join(map(json.dumps, RECORDS))),
        ("t.ndjson", "\n".join(map(json.dumps, RECORDS)) + "\n\n"),
        ("t.jsonl", "\ufeff" + "\n".join(map(json.dumps, RECORDS))),
        ("t.json", json.dumps(RECORDS, indent=2)),
        ("t.json", json.dumps(TABLE.to_dict(as_series=False))),
        ("t.json", TABLE.to_pandas().to_json()),
        ("t.json", "\n".join(map(json.dumps, RECORDS))),
        ("t.jsonl", json.dumps(RECORDS)),
        ("t.jsonl", '{"age": 31, "weight": "72.5", "city": "Ulm"}\n{"weight": 64, "city": "Bonn"}\n{"age": 40}'),
        (
            "t.jsonl",
            '{"age": 31, "weight": 72.5, "city": "Ulm"}\n{"age": "NA", "weight": 64, "city": "Bonn"}\n{"age":40}',
        ),
    ],
)
def test_json(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    frame = read_table(tmp_path / name)
    if "to_json" in text or frame["age"].dtype == pl.Float64:  # pandas writes integers with gaps as floats
        frame = frame.with_columns(pl.col("age").cast(pl.Int64))
    assert_frame_equal(frame, TABLE)


def test_types_of_json(tmp_path):
    path = tmp_path / "t.json"
    path.write_text('[{"b": true, "d": "2024-01-31", "n": null, "w": 9223372036854775808, "l": [1]}]')
    table = open_table(path)
    assert table.columns == ["b", "d", "n", "w", "l"]
    expected = pl.DataFrame({"b": [True], "d": [date(2024, 1, 31)], "n": [None], "w": [2**63]})
    expected = expected.with_columns(pl.col("n").cast(pl.Float64), pl.col("w").cast(pl.UInt64))
    assert_frame_equal(table.read(["b", "d", "n", "w"]), expected)
    with pytest.raises(ValueError, match="column 'l' of t.json holds lists or objects"):
        table.read()


@pytest.mark.parametrize("base", [10**18, 2**63, 2**70])
@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl"])
def test_long_whole_numbers_differ(tmp_path, name, base):
    rows = [{"id": base + i, "gap": None if i == 4 else -base - i} for i in range(9)]
    text = {
        ".csv": "id,gap\n" + "".join(f"{row['id']},{'' if row['gap'] is None else row['gap']}\n" for row in rows),
        ".json": json.dumps(rows).replace("null", "NaN"),
        ".jsonl": "\n".join(map(json.dumps, rows)),
    }
    path = tmp_path / name
    path.write_text(text[path.suffix])
    table = read_table(path)
    assert table["id"].to_list() == [row["id"] for row in rows]
    assert table["gap"].to_list() == [row["gap"] for row in rows]


@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
def test_json_that_is_nested_deeply(tmp_path, name):
    for text in ("[" * 100_000, '{"a": ' * 100_000, "[" * 100_000 + "]" * 100_000):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=f"{name} is no table but nested too deep: expected objects, like"):
            read_table(tmp_path / name)


def test_decimals_of_text_in_spreadsheets_and_not_in_typed_files(tmp_path, monkeypatch):
    monkeypatch.setattr("mibounds.data.readers.read_spreadsheet", lambda *_: pl.DataFrame({"a": ["1,234", "999"]}))
    (tmp_path / "t.xlsx").write_bytes(b"a")
    assert read_table(tmp_path / "t.xlsx", decimal=".")["a"].to_list() == [1234, 999]
    with pytest.raises(ValueError, match="give the decimal separator with --decimal"):
        read_table(tmp_path / "t.xlsx")


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.feather", "t.ipc", "stream.arrow", "a[1].parquet"])
def test_typed_tables(tmp_path, name):
    path = tmp_path / name
    table = TABLE.with_columns(code=pl.Series(["1", "NA", " x"]), when=pl.Series(["2024-01-31", None, "2024-02-01"]))
    write = table.write_ipc_stream if "stream" in name else table.write_ipc
    (table.write_parquet if name.endswith("parquet") else write)(path)
    expected = table.with_columns(when=pl.Series([date(2024, 1, 31), None, date(2024, 2, 1)]))
    assert_frame_equal(read_table(path), expected)
    expected = expected.with_columns(
        age=pl.Series([None, None, 40]), city=pl.Series([None, "Bonn", None], dtype=pl.String)
    )
    assert_frame_equal(read_table(path, null=["31", "Ulm"]), expected)


def test_arrays(tmp_path):
    np.save(tmp_path / "m.npy", MATRIX)
    np.save(tmp_path / "v.npy", MATRIX[:, 0])
    np.savez(tmp_path / "a.npz", left=MATRIX, right=MATRIX[:, 0])
    matrix = open_table(tmp_path / "m.npy")
    assert matrix.columns == range(2)
    assert matrix.read([1]).tolist() == [[1], [3], [5]]
    assert np.array_equal(read_table(tmp_path / "m.npy"), MATRIX)
    assert read_table(tmp_path / "v.npy").tolist() == [[0], [2], [4]]
    arrays = read_table(tmp_path / "a.npz")
    assert list(arrays) == ["left", "right"]
    assert np.array_equal(arrays["left"], MATRIX)
    assert arrays["right"].tolist() == [0, 2, 4]
    assert list(open_table(tmp_path / "a.npz").read(["right"])) == ["right"]


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(TEXT.encode())))
    assert_frame_equal(read_table("-"), TABLE)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    with pytest.raises(ValueError, match="standard input is empty"):
        read_table(Path("-"))


def written(frame, kind):
    file = io.BytesIO()
    getattr(frame, f"write_{kind}")(file)
    return file.getvalue()


@pytest.mark.parametrize("name", ["t.csv", "-"])
@pytest.mark.parametrize(
    "content, sentence",
    [
        (written(TABLE, "parquet"), "a Parquet file: give a file that ends in .parquet."),
        (gzip.compress(written(TABLE, "parquet")), "a Parquet file: give a file that ends in .parquet."),
        (written(TABLE, "ipc"), "an Arrow file: give a file that ends in .arrow."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "a spreadsheet: give a file that ends in .xls"),
        (bz2.compress(TEXT.encode() * 99), "compressed by bzip2: decompress it first."),
        (lzma.compress(TEXT.encode()), "compressed by xz: decompress it first."),
        (gzip.compress(TEXT.encode())[:-9], "damaged, or not compressed by gzip."),
    ],
    ids=["parquet", "compressed parquet", "arrow", "xls", "bzip2", "xz", "half of gzip"],
)
def test_content_that_is_no_text_is_named(tmp_path, monkeypatch, name, content, sentence):
    label = "standard input" if name == "-" else name
    (tmp_path / "t.csv").write_bytes(content)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    with pytest.raises(ValueError, match=f"^{label} is {re.escape(sentence)}"):
        read_table("-" if name == "-" else tmp_path / name)


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return file.getvalue()


@pytest.mark.parametrize(
    "names, sentence",
    [
        (
            ["[Content_Types].xml", "xl/workbook.xml"],
            "a spreadsheet: give a file that ends in .xlsx, or save it as CSV.",
        ),
        (["xl/workbook.bin"], "a spreadsheet: give a file that ends in .xlsb, or save it as CSV."),
        (["mimetype", "content.xml"], "a spreadsheet: give a file that ends in .ods, or save it as CSV."),
        (["a.npy", "b.npy"], "an archive of arrays of NumPy: give a file that ends in .npz."),
        (["data/", "data/t.csv"], "a zip archive: extract it, and give 'data/t.csv'."),
        (["a.csv", "b.csv"], "a zip archive: extract it, and give one of its 2 files, such as 'a.csv'."),
        (["data/"], "a zip archive without files: give a file of text."),
    ],
)
def test_archives_are_named_by_what_is_in_them(tmp_path, names, sentence):
    for name in ("t.csv", "t.json"):
        (tmp_path / name).write_bytes(zipped(*names))
        with pytest.raises(ValueError, match=f"^{name} is {re.escape(sentence)}$"):
            read_table(tmp_path / name)


def test_members_of_archives_that_are_no_arrays(tmp_path):
    np.savez(tmp_path / "t.npz", a=MATRIX)
    with zipfile.ZipFile(tmp_path / "t.npz", "a") as archive:
        archive.writestr("notes.txt", "hello")
    assert list(open_table(tmp_path / "t.npz").read(["a"])) == ["a"]
    with pytest.raises(ValueError, match="^t.npz holds 'notes.txt', which is no array of NumPy: name the arrays, or"):
        read_table(tmp_path / "t.npz")


@pytest.mark.parametrize("name", ["t.arrow", "t.feather", "stream.arrow", "t.parquet"])
def test_tables_that_polars_does_not_read(tmp_path, name, capfd):
    long = pa.array([Decimal(1), Decimal(2)], type=pa.decimal256(60, 2))
    tables = {
        "columns (of|with) the (same )?name": pa.table([pa.array([1, 2])] * 2, names=["a", "a"]),
        "column 'd' of .* holds decimals of": pa.table({"d": long, "b": [1, 2]}),
    }
    for sentence, table in tables.items():
        path = tmp_path / name
        if name.endswith("parquet"):
            pq.write_table(table, path)
        else:
            with (pa.ipc.new_stream if "stream" in name else pa.ipc.new_file)(path, table.schema) as writer:
                writer.write_table(table)
        with pytest.raises(ValueError, match=sentence):
            read_table(path)
    assert capfd.readouterr().err == ""


def test_text_that_is_compressed_is_read_whatever_its_ending(tmp_path, monkeypatch):
    content = gzip.compress(TEXT.encode())
    (tmp_path / "t.csv").write_bytes(content)
    (tmp_path / "t.jsonl").write_bytes(gzip.compress("\n".join(map(json.dumps, RECORDS)).encode()))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    for path in (tmp_path / "t.csv", tmp_path / "t.jsonl", "-"):
        assert_frame_equal(read_table(path), TABLE)


def test_columns_may_be_called_like_formats(tmp_path):
    (tmp_path / "t.csv").write_text("PAR1,PAR2\n1,2\n")
    assert read_table(tmp_path / "t.csv").columns == ["PAR1", "PAR2"]


def test_warnings_are_issued_at_the_line_that_reads(tmp_path):
    units = "".join(f"{i} {'kg' if i % 2 else 'g'},1\n" for i in range(20))
    for text in ("a,a\n1,2\n", f"a,b\n{units}", f"a,a\n{units}"):
        (tmp_path / "t.csv").write_text(text)
        with pytest.warns(ReadingWarning) as caught:
            read_table(tmp_path / "t.csv")
        assert {one.filename for one in caught} == {__file__}


def test_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "t.csv").write_text(TEXT)
    assert_frame_equal(read_table("~/t.csv"), TABLE)


def test_options(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("größe:n\n1.234:-999\nfehlt:5\n".encode("cp1250"))
    table = read_table(path, sep=":", decimal=",", encoding="cp1250", null=["fehlt", "-999"])
    assert_frame_equal(table, pl.DataFrame({"größe": [1234, None], "n": [None, 5]}))
    assert_frame_equal(read_table(path, sep=":", decimal=".", null="fehlt")["größe"].to_frame().rename({"größe": "g"}),
                       pl.DataFrame({"g": [1.234, None]}))  # fmt: skip


def test_columns_that_are_not_read_may_be_mixed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,1\n2,2\n3,<3\n")
    table = open_table(path)
    assert table.read(["a"]).to_dict(as_series=False) == {"a": [1, 2, 3]}
    assert table.read(["b"], text=["b"]).to_dict(as_series=False) == {"b": ["1", "2", "<3"]}
    with pytest.raises(ValueError, match="column 'b' is text, but 2 of 3 values are numbers; the others: '<3' "):
        table.read()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    files = {
        "t.csv": b"a,b\n1,2\n", "b.tsv": b"a\tb\n1\t2\n", "notes.md": b"", 
        "renamed.csv": b"PK\x03\x04abc", "empty.csv": b"", "header.csv": b"a,b\n", "ragged.csv": b"a,b\n1,2\n3,4,5\n",
        "bytes.csv": b"a\x81\n1\n", "no.csv.gz": b"a,b\n1,2\n", "empty.parquet": b"", "bad.parquet": b"PAR1xxxxPAR1",
        "bad.arrow": b"ARROW1xxxxx", "empty.npy": b"", "bad.npy": b"\x93NUMPY", "bad.npz": b"PK\x03\x04xxxx",
        "empty.jsonl": b"\n", "bad.jsonl": b'{"a": 1}\n{"a": }\n', "bad.json": b'[{"a": 1},\n {"a": }]',
        "number.json": b"3", "lengths.json": b'{"a": [1], "b": []}', "none.json": b"[]",
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 100)[:-12])
    pl.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-20])
    pl.DataFrame({"a": []}).write_parquet(tmp_path / "rows.parquet")
    np.savez(tmp_path / "none.npz")
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    np.savez(tmp_path / "scalar.npz", a=np.array(3))
    np.save(tmp_path / "objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    np.save(tmp_path / "scalar.npy", np.array(3))
    np.save(tmp_path / "shape.npy", np.zeros((3, 0)))
    np.save(tmp_path / "fields.npy", np.zeros(3, dtype=[("a", "f8")]))
    (tmp_path / "several.npy").write_bytes((tmp_path / "scalar.npz").read_bytes())
    (tmp_path / "single.npz").write_bytes((tmp_path / "shape.npy").read_bytes())
    whole = io.BytesIO()
    np.savez_compressed(whole, a=np.arange(1000))
    content = whole.getvalue()
    (tmp_path / "cut.npz").write_bytes(content[:200] + b"x" * 200 + content[400:])
    return tmp_path


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("t.cvs", "There is no file '{}/t.cvs'. Did you mean 't.csv'?"),
        ("qqqqqqqq", "There is no file '{}/qqqqqqqq'. Known: 'b.tsv', 'bad.arrow', "),
        ("nowhere/t.csv", "There is no file '{}/nowhere/t.csv'."),
        ("sub", "'{}/sub' is a folder: give a file in it."),
        (
            "notes.md",
            "notes.md has an unknown format: expected a file ending in .csv, .tsv, .txt, .json, .jsonl, .ndjson, "
            ".parquet, .arrow, .feather, .ipc, .xlsx, .xlsm, .xlsb, .xls, .ods, .npy, .npz; .csv, .tsv, .txt also with "
            ".gz.",
        ),
        ("renamed.csv", "renamed.csv is a damaged zip archive: write it again."),
        ("empty.csv", "empty.csv is empty: expected a line of column names, and rows."),
        ("header.csv", "header.csv has column names, but no rows."),
        ("ragged.csv", "line 3 of ragged.csv has 3 values, and the header has 2 names (separated by commas): correct "),
        ("bytes.csv", "bytes.csv is no text in UTF-8 or cp1252: give its encoding with --encoding"),
        ("no.csv.gz", "no.csv.gz is damaged, or not compressed by gzip."),
        ("cut.csv.gz", "cut.csv.gz is damaged, or not compressed by gzip."),
        ("empty.parquet", "empty.parquet is empty."),
        ("bad.parquet", "bad.parquet is damaged, or no Parquet file: write it again."),
        ("cut.parquet", "cut.parquet is damaged, or no Parquet file: write it again."),
        ("rows.parquet", "rows.parquet has columns, but no rows."),
        ("bad.arrow", "bad.arrow is damaged, or no Arrow file: write it again."),
        ("empty.jsonl", "empty.jsonl is empty: expected rows as JSON objects."),
        ("bad.jsonl", "line 2 of bad.jsonl is no valid JSON: Expecting value at character 7."),
        ("bad.json", "line 2 of bad.json is no valid JSON: Expecting value at character 8."),
        ("number.json", 'number.json is no table: expected a list of objects, like [{{"x": 1, "y": 2}}].'),
        ("lengths.json", "lengths.json has columns of different lengths: expected a value for each row."),
        ("none.json", "none.json has no columns."),
        ("empty.npy", "empty.npy is empty."),
        ("bad.npy", "bad.npy is damaged, or no NPY file: write it again with NumPy."),
        (
            "objects.npy",
            "objects.npy holds Python objects, which are not loaded because they can run code: save numbers",
        ),
        ("scalar.npy", "scalar.npy is a single value: expected rows."),
        ("shape.npy", "shape.npy is empty (shape (3, 0)): expected rows."),
        ("fields.npy", "fields.npy is a structured array: save its fields as the arrays of a .npz file."),
        ("several.npy", "several.npy holds several arrays: give it the ending .npz."),
        ("single.npz", "single.npz holds a single array: give it the ending .npy."),
        ("none.npz", "none.npz holds no arrays."),
        ("bad.npz", "bad.npz is damaged, or no NPZ file: write it again with NumPy."),
        ("cut.npz", "array 'a' of cut.npz is damaged, or no NPZ file: write it again with NumPy."),
        ("objects.npz", "array 'a' of objects.npz holds Python objects, which are not loaded"),
        ("scalar.npz", "array 'a' of scalar.npz is a single value: expected rows."),
    ],
)
def test_what_cannot_be_read(folder, name, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence.format(folder))}") as error:
        read_table(folder / name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name, options, sentence",
    [
        ("t.csv", {"sep": "::"}, "--sep is '::': expected one character"),
        ("t.csv", {"decimal": ";"}, "--decimal is ';': expected '.' or ','."),
        ("t.csv", {"encoding": "utf-9"}, "--encoding is 'utf-9', which is unknown"),
        (
            "whole.parquet",
            {"sep": ";"},
            "--sep is for files of text, .csv, .tsv, .txt: leave it out for whole.parquet.",
        ),
        ("bad.json", {"decimal": ","}, "--decimal is for files of text"),
        ("single.npz", {"encoding": "utf-8"}, "--encoding is for files of text"),
        ("shape.npy", {"null": ["-9"]}, "--null is for tables: leave it out for shape.npy"),
    ],
)
def test_options_that_do_not_fit(folder, name, options, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        read_table(folder / name, **options)


def test_a_web_address():
    with pytest.raises(ValueError, match="'https:/example.org/t.csv' is a web address: download the file first."):
        read_table(Path("https://example.org/t.csv"))


def test_without_polars(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    np.save(folder / "m.npy", MATRIX)
    assert np.array_equal(read_table(folder / "m.npy"), MATRIX)
    with pytest.raises(
        MissingExtraError, match=re.escape('Reading .csv files needs polars: pip install "mibounds[cli]".')
    ):
        read_table(folder / "t.csv")


def test_every_ending_is_read(tmp_path):
    for ending in READABLE:
        (tmp_path / f"empty{ending}").write_bytes(gzip.compress(b"") if ending.endswith(".gz") else b"")
        with pytest.raises(ValueError, match="is empty"):
            read_table(tmp_path / f"empty{ending}")


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.arrow"])
@pytest.mark.parametrize(
    "levels", [[3, 1, 2], [0.5, 1.0, 2.5], ["b", "a", "c"], [date(2024, 1, 1), date(2024, 1, 2)]], ids=repr
)
def test_categories_keep_their_kind(tmp_path, name, levels):
    missing = [None] if name.endswith("parquet") else []  # polars does not read those of pandas in Arrow files
    column = pd.Categorical([*levels, *missing], categories=levels)
    frame = pd.DataFrame({"v": np.arange(len(column)), "code": column})
    (frame.to_parquet if name.endswith("parquet") else frame.to_feather)(tmp_path / name)
    read = read_table(tmp_path / name)
    assert [*read.dtypes] == [pl.Int64, pl.Categorical]
    assert texts(columns_of(read, "x")[0]["code"]) == texts(columns_of(frame, "x")[0]["code"])


def test_bytes_are_text_of_typed_files(tmp_path):
    frame = pl.DataFrame({"b": [b"x\xff", b"x\xfe", None]})
    frame.write_parquet(tmp_path / "t.parquet")
    assert_frame_equal(read_table(tmp_path / "t.parquet"), frame)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_as_standard_input_is(tmp_path):
    """What a shell makes of <(command) has a number for a name."""
    pipe = tmp_path / "63"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("a;b\n1;2,5\n3;4\n",))
    writer.start()
    assert read_table(pipe).to_dict(as_series=False) == {"a": [1, 3], "b": [2.5, 4.0]}
    writer.join()


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_missing_categories_of_arrow_files(tmp_path, monkeypatch, kind):
    table = pd.DataFrame({"a": pd.Categorical(["u", None, "v"]), "b": [1.5, 2.5, None]})
    path = tmp_path / "t.feather"
    if kind == "file":
        table.to_feather(path)  # of pandas, whose missing categories have the number -1
    else:
        with pa.ipc.new_stream(path, (arrow := pa.Table.from_pandas(table)).schema) as stream:
            stream.write_table(arrow)
    found = read_table(path)
    assert found["a"].dtype == pl.Categorical
    assert found.to_dict(as_series=False) == {"a": ["u", None, "v"], "b": [1.5, 2.5, None]}
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ValueError, match=r"t\.feather has missing values among its categories, .* install pyarrow"):
        read_table(path)


@pytest.mark.parametrize("address", ["HTTPS://a.org/t.csv", "gs://bucket/t.csv", "hdfs://host/t.parquet"])
def test_addresses_of_any_kind(address):
    with pytest.raises(ValueError, match=f"^'{address}' is a web address: download the file first"):
        read_table(address)


def test_a_path_written_as_an_address(tmp_path):
    (tmp_path / "t.csv").write_text(TEXT)
    assert read_table((tmp_path / "t.csv").as_uri()).height == 3


def test_paths_that_no_file_can_have():
    with pytest.raises(ValueError, match=r"^'a{57}\.\.\.' cannot be read: File name too long\.$"):
        read_table("a" * 5000 + ".csv")
    with pytest.raises(ValueError, match="cannot be read: embedded null byte"):
        read_table("a\0.csv")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\n<!DOCTYPE html><html><body>Not found</body></html>", "is a page of HTML or XML: download the table itself"),
        ("<?xml version='1.0'?><a/>", "is a page of HTML or XML: download the table itself"),
        ('[{"x": 1, "y": 2}]', "looks like JSON: give a file that ends in .json"),
    ],
)
def test_pages_and_json_in_place_of_rows(tmp_path, text, sentence):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"^t\.csv {sentence}"):
        read_table(tmp_path / "t.csv")
