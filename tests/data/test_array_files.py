import re

import numpy as np
import pytest

from mibounds.data.array_files import array_names, read_array, read_arrays

IMAGES = np.arange(24.0).reshape(2, 3, 4)


def test_arrays_keep_their_shape(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    np.savez(tmp_path / "a.npz", images=IMAGES, label=["u", "v"])
    assert np.array_equal(read_array(tmp_path / "a.npy"), IMAGES)
    assert array_names(tmp_path / "a.npz") == ["images", "label"]
    found = read_arrays(tmp_path / "a.npz", ["images"])
    assert [*found] == ["images"]
    assert np.array_equal(found["images"], IMAGES)


def write(path, kind):
    if kind == "empty file":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("a,b\n1,2\n")
    else:
        array = {"objects": np.array([None]), "one value": np.float64(3), "no rows": np.empty((0, 2))}[kind]
        np.save(path, array)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("empty file", "a.npy is empty."),
        ("text", "a.npy is damaged, or no NPY file: write it again with NumPy."),
        ("objects", "a.npy holds Python objects, which are not loaded because they can run code"),
        ("one value", "a.npy is a single value: expected rows."),
        ("no rows", "a.npy is empty (shape (0, 2)): expected rows."),
    ],
)
def test_files_that_hold_no_rows(tmp_path, kind, sentence):
    write(tmp_path / "a.npy", kind)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        read_array(tmp_path / "a.npy")
