import json

import numpy as np
import pytest
import torch

import mibounds as mi

pytestmark = pytest.mark.usefixtures("two_folds")
QUICK = ["--steps", "5", "--hidden", "8", "--quiet"]


@pytest.fixture
def images():
    return torch.randn(100, 4, 4, generator=torch.Generator().manual_seed(0)).cumsum(1).numpy()


@pytest.fixture
def files(tmp_path, images):
    np.save(tmp_path / "images.npy", images)
    np.savez(tmp_path / "one.npz", images=images)
    np.savez(tmp_path / "two.npz", images=images, labels=np.arange(100))
    (tmp_path / "images.csv").write_text("a\n1\n")
    (tmp_path / "damaged.npy").write_bytes(b"")
    return tmp_path


def test_it_prints_a_table_and_writes_files(call, files):
    outputs = ["--plot", files / "c.png", "--out", files / "c.json", "--report", files / "c.html"]
    done = call("consistency", files / "one.npz", "--rows", "1,4", *outputs, *QUICK)
    assert done.exit_code == 0, done.output
    assert "data processing ratio" in done.stdout
    assert json.loads((files / "c.json").read_text())["nested"].keys() == {"1", "2", "4"}
    assert (files / "c.png").stat().st_size > 5000
    assert "consistency" in (files / "c.html").read_text(encoding="utf-8")


def test_the_values_are_those_of_the_function(call, files, images):
    expected = mi.consistency(images, rows=[4], steps=5, hidden=(8,))
    done = call("consistency", files / "two.npz", "--array", "images", "--rows", "4", "--json", *QUICK)
    assert json.loads(done.stdout)["independent"]["value"] == expected.independent.value


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["none.npy"], "There is no file "),
        (["images.csv"], "images.csv has an unknown format: expected images in a file ending in .npy or .npz."),
        (["damaged.npy"], "damaged.npy is empty."),
        (["two.npz"], "The file has 2 arrays: choose one by --array. Known: 'images', 'labels'."),
        (["two.npz", "--array", "image"], "--array: there is no array 'image'. Did you mean 'images'?"),
        (["two.npz", "--array", "labels"], "images has shape (100,): expected (images, height, width)"),
        (["images.npy", "--rows", "5"], "--rows holds 5, and the images have 4 pixel rows: give 1 to 4."),
        (["images.npy", "--rows", "a"], "--rows is 'a': expected whole numbers"),
    ],
)
def test_wrong_input_is_one_sentence(call, is_refused, files, arguments, sentence):
    is_refused(call("consistency", files / arguments[0], *arguments[1:], *QUICK), sentence)
