import json

import numpy as np
import pytest
import torch

from mibounds.tasks import VectorAutoregression

pytestmark = pytest.mark.usefixtures("two_folds")
QUICK = ["--steps", 10, "--folds", 2, "--quiet"]


@pytest.fixture
def table(tmp_path):
    x, y = VectorAutoregression.one_way(memory=0.3, coupling=1.5).sample(500, torch.Generator().manual_seed(0))
    np.savetxt(tmp_path / "t.csv", torch.cat([x, y], 1).numpy(), delimiter=",", header="wind,rain", comments="")
    return tmp_path / "t.csv"


def test_a_line_for_every_lag_a_figure_and_a_file(call, table, tmp_path):
    options = ["--lags", "0:3", "--plot", tmp_path / "lags.png", "--out", tmp_path / "lags.json", *QUICK]
    done = call("lagged", table, "--x", "wind", "--y", "rain", *options)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "I(X[t - lag]; Y[t]) in nats, n = 498"
    assert [line.split()[0] for line in lines[1:5]] == ["lag", "0", "1", "2"]
    assert "largest" in lines[3]
    assert (tmp_path / "lags.png").stat().st_size > 5000
    assert json.loads((tmp_path / "lags.json").read_text())["best"] == 1


def test_transfer_entropies_are_printed_and_in_the_json(call, table):
    options = ["--x", "wind", "--y", "rain", "--lags", "1", "--transfer-entropy", "--permutations", 9, *QUICK]
    options += ["--unit", "bits", "--out", table.parent / "t.json"]
    printed = call("lagged", table, *options).stdout
    record = json.loads((table.parent / "t.json").read_text())
    assert record["unit"] == "bits"
    found = record["transfer_entropy"]
    assert found["x to y"]["value"] > 0.5 > 0.2 > found["y to x"]["value"]  # truth 0.85 bits
    assert found["x to y"]["pvalue"] == 0.1
    assert "x to y: T(X -> Y) = " in printed
    assert "y to x: T(X -> Y) = " in printed


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--lags", "0-5"], "--lags is '0-5': expected whole numbers and ranges, separated by commas, like 0:11 or"),
        (["--lags", "5:5"], "--lags is '5:5', an empty range"),
        (["--lags", "600"], "--lags reach from 600 to 600, which leaves 0 of 500 rows"),
        (["--x", "wnd"], "--x: there is no column 'wnd'. Did you mean 'wind'?"),
        (["--transfer-entropy", "--history", "0"], "--history is 0: expected a whole number of at least 1."),
        (["--gap", "-1"], "--gap is -1: expected a whole number of at least 0."),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(call, is_refused, table, options, sentence):
    x = [] if "--x" in options else ["--x", "wind"]
    is_refused(call("lagged", table, *x, "--y", "rain", *QUICK, *options), sentence)
