import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from mibounds.cli.files import named_columns, open_variables, read_columns, read_variables

TABLE = pl.DataFrame({"mean a": [1.0, 2.0], "mean b": [3.0, 4.0], "c": [5, 6]})
MATRIX = np.arange(8.0).reshape(2, 4)


@pytest.fixture
def folder(tmp_path):
    TABLE.write_csv(tmp_path / "t.csv")
    TABLE.write_parquet(tmp_path / "t.parquet")
    np.save(tmp_path / "m.npy", MATRIX)
    np.savez(tmp_path / "a.npz", left=MATRIX[:, :2], right=MATRIX[:, 3], more=MATRIX[:, 2])
    np.savez(tmp_path / "rows.npz", a=MATRIX, b=np.zeros(3), c=MATRIX)
    (tmp_path / "broken.csv").write_bytes(b"a,b\n1,2\n3,4,5\n")
    (tmp_path / "broken.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:40])
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "notes.md").write_text("hello")
    names = ["age, years", " weight (kg)", "weight [kg]", "weight"]
    pl.DataFrame({name: [i, 2, 3] for i, name in enumerate(names)}).write_parquet(tmp_path / "names.parquet")
    return tmp_path


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_columns_of_a_table(folder, name):
    x, y = read_variables(folder / name, "mean a", "c")
    assert (x.columns, y.columns) == (["mean a"], ["c"])
    x, y = read_variables(folder / name, "mean *", "c")
    assert x.columns == ["mean a", "mean b"]
    assert read_variables(folder / name, None, "mean b")[0].columns == ["mean a", "c"]


def lists(table):
    return {name: column.tolist() for name, column in table.items()}


def test_columns_of_a_matrix_are_called_by_their_numbers(folder):
    x, y = read_variables(folder / "m.npy", "0:2", "3")
    assert (lists(x), lists(y)) == ({"0": [0, 4], "1": [1, 5]}, {"3": [3, 7]})
    assert lists(read_variables(folder / "m.npy", None, "3,0")[0]) == {"1": [1, 5], "2": [2, 6]}
    x, y, z = read_variables(folder / "m.npy", None, "3", "0")
    assert (lists(x), lists(z)) == ({"1": [1, 5], "2": [2, 6]}, {"0": [0, 4]})
    assert list(read_columns(folder / "m.npy", "2,0")) == ["2", "0"]


def test_named_arrays_are_columns_by_name(folder):
    x, y = read_variables(folder / "a.npz", "left", "right")
    assert (lists(x), lists(y)) == ({"left[0]": [0, 4], "left[1]": [1, 5]}, {"right": [3, 7]})
    x, _ = read_variables(folder / "a.npz", "left,more", "right")
    assert lists(x) == {"left[0]": [0, 4], "left[1]": [1, 5], "more": [2, 6]}


def test_arrays_of_different_types_keep_them(tmp_path):
    whole = 2**53 + np.arange(4)
    arrays = {"id": whole, "level": np.arange(4.0), "word": np.array([*"abcd"]), "day": np.arange(4).astype("M8[D]")}
    np.savez(tmp_path / "t.npz", y=np.arange(4), **arrays)
    x, _ = read_variables(tmp_path / "t.npz", None, "y")
    assert {name: column.dtype.kind for name, column in x.items()} == {"id": "i", "level": "f", "word": "U", "day": "M"}
    assert x["id"].tolist() == whole.tolist()


def test_a_single_array_of_images_keeps_its_shape(tmp_path):
    np.savez(tmp_path / "t.npz", images=np.zeros((5, 8, 8)), y=np.arange(5))
    assert read_variables(tmp_path / "t.npz", "images", "y")[0].shape == (5, 8, 8)
    assert len(read_columns(tmp_path / "t.npz")) == 65


def test_arrays_may_be_called_like_columns_of_others(tmp_path):
    np.savez(tmp_path / "t.npz", **{"a": MATRIX[:, :2], "a[0]": MATRIX[:, 3]})
    assert lists(read_columns(tmp_path / "t.npz")) == {"a[0] (2)": [0, 4], "a[1]": [1, 5], "a[0]": [3, 7]}


def test_categorical_columns_of_arrays(folder):
    categorical = {"left[0]": "categorical", "left[1]": "categorical"}
    variables = read_variables(folder / "a.npz", "left,more", "right", categorical="left")
    assert named_columns(variables, "left", "--categorical") == [categorical, {}]
    assert named_columns(variables, "left[1], right", "--categorical") == [
        {"left[1]": "categorical"},
        {"right": "categorical"},
    ]
    variables = read_variables(folder / "m.npy", None, "3", categorical="0:2,3")
    assert named_columns(variables, "0:2,3", "--categorical") == [
        {"0": "categorical", "1": "categorical"},
        {"3": "categorical"},
    ]
    with pytest.raises(ValueError, match="--categorical: there is no column 'lefd'. Did you mean 'left"):
        named_columns(read_variables(folder / "a.npz", "left", "right"), "lefd", "--categorical")


def test_columns_may_be_converted_one_by_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("d,e,y\n2024-01-31,2024-01-31,1\n2024-02-01,2024-02-01,2\n")
    opened = open_variables(path, None, "y")
    assert opened.columns == {"x": ["d", "e"], "y": ["y"]}
    assert opened.read("x", text=["e"]).dtypes == [pl.Date, pl.String]
    assert opened.read("x", ["e"]).columns == ["e"]


def test_one_table_of_columns(folder):
    assert read_columns(folder / "t.csv").columns == ["mean a", "mean b", "c"]
    assert read_columns(folder / "t.csv", "c,mean *").columns == ["c", "mean a", "mean b"]
    assert lists(read_columns(folder / "m.npy", "0:2,3")) == {"0": [0, 4], "1": [1, 5], "3": [3, 7]}
    assert list(read_columns(folder / "a.npz")) == ["left[0]", "left[1]", "right", "more"]
    with pytest.raises(ValueError, match="--columns: there is no column 'd'"):
        read_columns(folder / "t.csv", "d")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_wildcards_leave_out_the_other_variables(folder, name):
    def columns(*options):
        return [table.columns for table in read_variables(folder / name, *options)]

    assert columns("*", "c") == [["mean a", "mean b"], ["c"]]
    assert columns("mean *", "mean b") == [["mean a"], ["mean b"]]
    assert columns("mean a", "*") == [["mean a"], ["mean b", "c"]]
    assert columns("*", "mean b", "c") == [["mean a"], ["mean b"], ["c"]]
    assert columns("c", "*", "mean a*") == [["c"], ["mean b"], ["mean a"]]
    assert columns(None, "mean *", "mean b") == [["c"], ["mean a"], ["mean b"]]
    with pytest.raises(ValueError, match="y and z both have the column 'c': take it out of --y or --z"):
        columns("mean a", "c", "c")
    with pytest.raises(ValueError, match=r"no column is left for y: those of --y 'mean \*' are in --x and --z already"):
        columns("mean a", "mean *", "mean b")


def test_wildcards_of_arrays(folder):
    assert lists(read_variables(folder / "m.npy", "*", "3")[0]) == {"0": [0, 4], "1": [1, 5], "2": [2, 6]}
    assert list(read_variables(folder / "a.npz", "*", "right")[0]) == ["left[0]", "left[1]", "more"]


def test_series_may_share_columns(folder):
    x, y = read_variables(folder / "t.csv", "c", "c", shared=True)
    assert x.equals(y)
    with pytest.raises(ValueError, match="x and y both have the column 'c'"):
        read_variables(folder / "t.csv", "c", "c")


def test_names_with_commas_blanks_and_brackets(folder):
    def columns(x, y):
        return [table.columns for table in read_variables(folder / "names.parquet", x, y)]

    assert columns("age, years", "weight") == [["age, years"], ["weight"]]
    assert columns(" weight (kg)", "age, years") == [[" weight (kg)"], ["age, years"]]
    assert columns("weight (kg)", "weight") == [[" weight (kg)"], ["weight"]]
    assert columns("weight, age, years", "weight (kg)") == [["weight", "age, years"], [" weight (kg)"]]
    assert columns("weight [*", "weight") == [["weight [kg]"], ["weight"]]
    assert columns("age*, weight [kg]", "weight") == [["age, years", "weight [kg]"], ["weight"]]


def test_blanks_that_tell_names_apart(tmp_path):
    pl.DataFrame({"a": [1], " a": [2], "b ": [3]}).write_parquet(tmp_path / "t.parquet")
    pl.DataFrame({" c": [1], "c ": [2], "b": [3]}).write_parquet(tmp_path / "u.parquet")
    assert read_columns(tmp_path / "t.parquet", " a").columns == [" a"]
    assert read_columns(tmp_path / "t.parquet", "a,b").columns == ["a", "b "]
    with pytest.raises(ValueError, match="--columns: there is no column 'c'. Did you mean ' ?c ?'"):
        read_columns(tmp_path / "u.parquet", "c")


def test_blanks_in_the_header_of_a_text(tmp_path):
    (tmp_path / "t.csv").write_text(" weight (kg),group \n1,2\n")
    x, y = read_variables(tmp_path / "t.csv", " weight (kg)", "group ")
    assert (x.columns, y.columns) == (["weight (kg)"], ["group"])


def test_options_of_the_reader(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes("größe:y\n1.234:-9\n1.500:8\n".encode("cp1250"))
    options = {"sep": ":", "decimal": ",", "encoding": "cp1250", "null": ["-9"]}
    x, y = read_variables(path, "größe", "y", **options)
    assert (x.to_dict(as_series=False), y.to_dict(as_series=False)) == ({"größe": [1234, 1500]}, {"y": [None, 8]})
    assert read_columns(path, **options).columns == ["größe", "y"]


def test_only_the_columns_that_are_used_are_checked(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,children\n1,2,0\n3,4,1\n5,6,3+\n")
    assert read_variables(path, "a", "b")[0].columns == ["a"]
    assert read_variables(path, "a", "children", categorical="child*")[1]["children"].to_list() == ["0", "1", "3+"]
    with pytest.raises(
        ValueError, match=r"column 'children' is text, but 2 of 3 values are numbers; the others: '3\+'"
    ):
        read_variables(path, None, "b")
    with pytest.raises(ValueError, match="--categorical: there is no column 'child'"):
        read_variables(path, "a", "b", categorical="child")


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a;b;c\n1,5;2;3\n")))
    variables = read_variables(Path("-"), "a", "b", "c")
    assert [variable.to_dict(as_series=False) for variable in variables] == [{"a": [1.5]}, {"b": [2]}, {"c": [3]}]


@pytest.mark.parametrize(
    "name, x, y, sentence",
    [
        ("t.cvs", None, "c", "There is no file .*t.cvs'. Did you mean 't.csv'"),
        ("t.csv", "mean", "c", "--x: there is no column 'mean'. Did you mean 'mean"),
        ("t.csv", "mean *", "d", "--y: there is no column 'd'. Known: 'mean a', 'mean b', 'c'."),
        ("t.csv", "max *", "c", "--x: there is no column 'max \\*'"),
        ("m.npy", "0", "4", "--y is '4', and the file has the columns 0 to 3"),
        ("m.npy", "a", "0", "--x is 'a': expected whole numbers and ranges of columns of a .npy file"),
        ("a.npz", "lefd", "right", "--x: there is no column 'lefd'. Did you mean 'left'"),
        ("notes.md", None, "c", "notes.md has an unknown format: expected a file ending in .csv, .tsv, .txt, "),
        ("broken.csv", None, "b", "line 3 of broken.csv has 3 values, and the header has 2 names"),
        ("broken.parquet", None, "c", "broken.parquet is damaged, or no Parquet file"),
        ("broken.npy", None, "0", "broken.npy is damaged, or no NPY file"),
        ("t.csv", "mean a,c", "c", "x and y both have the column 'c': take it out of --x or --y."),
        ("m.npy", "0:3", "2", "x and y both have the column 2: take it out of --x or --y."),
        ("t.csv", None, "*", "no column is left for x: --y took all of them."),
        ("t.csv", "c", "c*", "no column is left for y: those of --y 'c\\*' are in --x already."),
        ("m.npy", None, "0:4", "no column is left for x: --y took all of them."),
        ("a.npz", "*", "left,right,more", "no column is left for x: --y took all of them."),
        ("rows.npz", None, "c", "the arrays of one variable have different numbers of rows: 'a' has 2, 'b' has 3."),
        ("names.parquet", "age", "weight", "--x: there is no column 'age'. Known: 'age, years', ' weight "),
    ],
)
def test_what_cannot_be_read(folder, name, x, y, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_variables(folder / name, x, y)


def test_a_folder_that_is_not_there():
    with pytest.raises(ValueError, match="There is no file '/nowhere/t.csv'"):
        read_variables(Path("/nowhere/t.csv"), None, "c")


def test_ranges_of_three_numbers_and_empty_ranges_of_a_matrix_are_refused(folder):
    with pytest.raises(ValueError, match="--x is '0:2:1': expected whole numbers and ranges of columns of a .npy file"):
        read_variables(folder / "m.npy", "0:2:1", "0")
    with pytest.raises(ValueError, match="--x is '2:0', an empty range"):
        read_variables(folder / "m.npy", "2:0", "0")


def test_names_with_accents_in_either_form(tmp_path):
    (tmp_path / "t.csv").write_text("gro\u0308ße,y\n1.5,2\n2.5,3\n")
    x, _ = read_variables(tmp_path / "t.csv", "größe", "y")
    assert x.columns == ["gro\u0308ße"]


def test_what_to_do_about_text_where_no_column_can_be_declared(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "\n".join(f"{i},{'?' if i else 'n.a.'}{i}" for i in range(3)))
    (tmp_path / "t.csv").write_text("a,b\n" + "\n".join(f"{i},{i if i % 9 else 'none'}" for i in range(60)))
    with pytest.raises(ValueError, match=r"'none' \(7\)\. Clean them, or name them with --null\.$"):
        read_columns(tmp_path / "t.csv", "a,b")
