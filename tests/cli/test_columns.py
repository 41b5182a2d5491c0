import polars as pl
import pytest

from mibounds.cli.columns import read_arguments
from mibounds.cli.file_options import Source


@pytest.fixture
def file(tmp_path):
    pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5, 6]}).write_csv(tmp_path / "t.csv")
    return Source(str(tmp_path / "t.csv"))


def test_variables_are_keyword_arguments(file):
    arguments = read_arguments(file, None, "b")
    assert {name: one.columns for name, one in arguments.items()} == {"x": ["a", "c"], "y": ["b"]}
    arguments = read_arguments(file, None, "b", "c")
    assert {name: one.columns for name, one in arguments.items()} == {"x": ["a"], "y": ["b"], "z": ["c"]}


def test_categorical_columns_are_types_of_their_variables(file):
    arguments = read_arguments(file, "a", "b", "c", "a,c")
    types = {name: one for name, one in arguments.items() if name.endswith("_type")}
    assert types == {"x_type": {"a": "categorical"}, "y_type": None, "z_type": {"c": "categorical"}}
    assert "z_type" not in read_arguments(file, "a", "b", categorical="a")


def test_unknown_columns_name_their_option(file):
    with pytest.raises(ValueError, match="--categorical: there is no column 'd'"):
        read_arguments(file, "a", "b", categorical="d")
    with pytest.raises(ValueError, match="--z: there is no column 'd'"):
        read_arguments(file, "a", "b", "d")
