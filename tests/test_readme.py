"""The first example of the README prints what it says, and the truth is in its interval; so is that of its picture."""

import contextlib
import csv
import io
import re
from pathlib import Path

import pytest

from mibounds.tasks import Regression
from mibounds.tasks.functions import SINE
from mibounds.tasks.noises import Normal

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
TABLE = ROOT / "docs" / "figures" / "first-example.csv"
NUMBER = r"(-?\d+\.\d+)"
HEAD = re.compile(rf"I\(X;Y\) = {NUMBER} nats   95% interval \[{NUMBER}, {NUMBER}\]")


def truth(noise):
    """I(X;Y) of y = sin(2x) + noise, by numerical integration."""
    return Regression(SINE, Normal(noise), idle=2).mutual_information


def test_it_is_short_and_begins_with_the_two_commands():
    assert len(README.split()) < 900
    first = re.search(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)[1]
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


def test_the_printed_interval_contains_the_truth_and_the_truth_is_right():
    value, low, high = map(float, HEAD.search(README).groups())
    assert low < truth(0.3) < high
    assert low < value < high
    assert float(re.search(rf"The truth is {NUMBER} nats", README)[1]) == pytest.approx(truth(0.3), abs=5e-4)


@pytest.mark.supervised
@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_the_first_example_prints_about_this():
    code = re.search(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)[1]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert "warning" not in printed.getvalue()
    now = [float(number) for number in HEAD.search(printed.getvalue()).groups()]
    assert now == pytest.approx([float(number) for number in HEAD.search(README).groups()], abs=0.03)
    assert now[1] < truth(0.3) < now[2]


def test_the_picture_is_of_the_truth_and_its_intervals_contain_it():
    with TABLE.open() as file:
        rows = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == 6
    for row in rows:
        assert row["truth"] == pytest.approx(truth(row["noise"]), abs=1e-3)
        assert row["low"] < row["truth"] < row["high"]
