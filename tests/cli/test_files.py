from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mibounds.cli.files import read_columns, read_variables

TABLE = pl.DataFrame({"mean a": [1.0, 2.0], "mean b": [3.0, 4.0], "c": [5, 6]})
MATRIX = np.arange(8.0).reshape(2, 4)


@pytest.fixture
def folder(tmp_path):
    TABLE.write_csv(tmp_path / "t.csv")
    TABLE.write_parquet(tmp_path / "t.parquet")
    np.save(tmp_path / "m.npy", MATRIX)
    np.savez(tmp_path / "a.npz", left=MATRIX[:, :2], right=MATRIX[:, 3], more=MATRIX[:, 2])
    (tmp_path / "broken.csv").write_bytes(b"a,b\n1,2\n3,4,5\n")
    (tmp_path / "broken.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:40])
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "notes.txt").write_text("hello")
    return tmp_path


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_columns_of_a_table(folder, name):
    x, y = read_variables(folder / name, "mean a", "c")
    assert (x.columns, y.columns) == (["mean a"], ["c"])
    x, y = read_variables(folder / name, "mean *", "c")
    assert x.columns == ["mean a", "mean b"]
    assert read_variables(folder / name, None, "mean b")[0].columns == ["mean a", "c"]


def test_columns_of_a_matrix(folder):
    x, y = read_variables(folder / "m.npy", "0:2", "3")
    assert x.tolist() == [[0, 1], [4, 5]]
    assert y.tolist() == [[3], [7]]
    assert read_variables(folder / "m.npy", None, "3,0")[0].tolist() == [[1, 2], [5, 6]]
    x, y, z = read_variables(folder / "m.npy", None, "3", "0")
    assert (x.tolist(), z.tolist()) == ([[1, 2], [5, 6]], [[0], [4]])


def test_named_arrays(folder):
    x, y = read_variables(folder / "a.npz", "left", "right")
    assert x.shape == (2, 2)
    assert y.tolist() == [3, 7]
    assert read_variables(folder / "a.npz", "left,more", "right")[0].tolist() == [[0, 1, 2], [4, 5, 6]]


def test_one_table_of_columns(folder):
    assert read_columns(folder / "t.csv").columns == ["mean a", "mean b", "c"]
    assert read_columns(folder / "t.csv", "c,mean *").columns == ["c", "mean a", "mean b"]
    assert read_columns(folder / "m.npy", "0:2,3").tolist() == [[0, 1, 3], [4, 5, 7]]
    assert read_columns(folder / "a.npz").shape == (2, 4)
    with pytest.raises(ValueError, match="--columns: there is no column 'd'"):
        read_columns(folder / "t.csv", "d")


@pytest.mark.parametrize(
    "name, x, y, sentence",
    [
        ("t.cvs", None, "c", "There is no file .*t.cvs'. Did you mean 't.csv'"),
        ("t.csv", "mean", "c", "--x: there is no column 'mean'. Did you mean 'mean"),
        ("t.csv", "mean *", "d", "--y: there is no column 'd'. Known: 'mean a', 'mean b', 'c'."),
        ("t.csv", "max *", "c", "--x: there is no column 'max \\*'"),
        ("m.npy", "0", "4", "--y is '4', and the file has the columns 0 to 3"),
        ("m.npy", "a", "0", "--x is 'a': expected column numbers or ranges for a .npy file"),
        ("a.npz", "lefd", "right", "--x: there is no column 'lefd'. Did you mean 'left'"),
        (
            "notes.txt",
            None,
            "c",
            "notes.txt has an unknown format: expected a file ending in .csv, .parquet, .npy, .npz",
        ),
        ("broken.csv", None, "b", "broken.csv cannot be read as CSV"),
        ("broken.parquet", None, "c", "broken.parquet cannot be read as PARQUET"),
        ("broken.npy", None, "0", "broken.npy cannot be read as NPY"),
    ],
)
def test_what_cannot_be_read(folder, name, x, y, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_variables(folder / name, x, y)


def test_a_folder_that_is_not_there():
    with pytest.raises(ValueError, match="There is no file '/nowhere/t.csv'"):
        read_variables(Path("/nowhere/t.csv"), None, "c")
