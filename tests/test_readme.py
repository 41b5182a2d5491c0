"""The first example of the README prints what it says, and the truth is in its interval; so is that of its picture."""

import contextlib
import csv
import io
import json
import re
import statistics
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
    said = [float(number) for number in HEAD.search(README).groups()]
    assert now[0] == pytest.approx(said[0], abs=0.03)
    assert now[1:] == pytest.approx(said[1:], abs=0.1)
    assert now[1] < truth(0.3) < now[2]


def test_the_picture_is_of_the_truth_and_its_intervals_contain_it():
    with TABLE.open() as file:
        rows = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == 6
    for row in rows:
        assert row["truth"] == pytest.approx(truth(row["noise"]), abs=1e-3)
        assert row["low"] < row["truth"] < row["high"]


def stored(name):
    """The lines of a file of benchmarks/."""
    return [json.loads(line) for line in (ROOT / "benchmarks" / name).read_text("utf-8").splitlines()]


@pytest.mark.skipif(not (ROOT / "benchmarks").exists(), reason="an sdist has no measurements")
def test_the_table_of_accuracy_is_that_of_the_stored_results():
    forty = {n: [line for line in stored("bmi40/results.jsonl") if line["n"] == n] for n in (10_000, 1_000, 200)}
    errors = [sum(abs(fit["value"] - fit["truth"]) for fit in fits) / len(fits) for fits in forty.values()]
    said = "{:.3f} nats at 10,000 samples, {:.3f} at 1,000 (best published: 0.060, 0.092), {:.3f} at 200 |"
    assert said.format(*errors) in README
    for fits, what in [
        (forty[10_000], "truth | {} of {} at 10,000 samples,"),
        (forty[1_000], "samples, {} of {} at 1,000,"),
        (forty[200], "at 1,000, {} of {} at 200 |"),
        (stored("intervals/default_10k.jsonl"), "{} of {} at 10,000 samples; 3"),
        (stored("intervals/results.jsonl"), "{} of {} at 2,000"),
    ]:
        assert what.format(sum(fit["low"] <= fit["truth"] <= fit["high"] for fit in fits), len(fits)) in README
    everyday = [[fit for fit in stored("everyday/results.jsonl") if fit["n"] == n] for n in (10_000, 2_000, 500)]
    assert [len(fits) for fits in everyday] == [89, 89, 89]
    most, some, few = (statistics.mean(abs(fit["value"] - fit["truth"]) for fit in fits) for fits in everyday)
    held = [sum(fit["low"] <= fit["truth"] <= fit["high"] for fit in fits) for fits in everyday]
    said = f"mean error {most:.3f}, {some:.3f} and {few:.3f} nats; "
    said += f"{held[0]}/89, {held[1]}/89 and {held[2]}/89 intervals hold |"
    assert f"10,000, 2,000 and 500 samples | {said}" in README
    tables = stored("realdata/results.jsonl")
    enough = sum(fit["value"] >= fit["trees"] - 2 * fit["trees_stderr"] for fit in tables)
    assert f"certify | {enough} of {len(tables)} |" in README
    gaussians = [fit for fit in stored("gan/results.jsonl") if fit["data"] == "gaussians"]
    plain = {fit["seed"]: fit["modes"] for fit in gaussians if fit["beta"] == 0}
    assert f"plain {', '.join(str(plain[seed]) for seed in range(5))}; regularized 25 each" in README
    assert [fit["modes"] for fit in gaussians if fit["beta"] == 0.3 and fit["seed"] < 5] == [25] * 5


@pytest.mark.skipif(not (ROOT / "benchmarks").exists(), reason="an sdist has no measurements")
def test_the_other_rows_of_the_table_are_those_of_the_stored_results():
    brackets = stored("bracket/results.jsonl")
    reach = [(fit["lower"] - 2 * fit["lower_stderr"], fit["upper"] + 2 * fit["upper_stderr"]) for fit in brackets]
    held = sum(low <= fit["truth"] <= high for (low, high), fit in zip(reach, brackets, strict=True))
    few = [high - low for (low, high), fit in zip(reach, brackets, strict=True) if max(fit["dims"]) <= 5]
    assert f"| {held} of {len(brackets)}, median width {statistics.median(few):.3f} nats up to five columns |" in README
    independent = [one for one in stored("independence/results.jsonl") if one["kind"] == "level"]
    rejected = sum(one["pvalue"] <= 0.05 for one in independent if one["test"] == "mibounds")
    assert f"rejected at 0.05 | {rejected} of {sum(one['test'] == 'mibounds' for one in independent)} |" in README
    (table,) = (one for one in stored("matrix/results.jsonl") if one["part"] == "gaussian")
    said = f"| all {table['pairs']:,} pairs of 50 columns, 5,000 samples | {table['cpu_seconds']:.0f} CPU seconds"
    assert f"{said}, mean error {table['mean_error']:.3f} nats |" in README
    peers = [fit for fit in stored("peers/results.jsonl") if fit["n"] == 10_000]
    theirs = {fit["task"]: fit for fit in peers if fit["peer"] == "scikit-learn"}
    ours = [fit for fit in stored("bmi40/results.jsonl") if fit["n"] == 10_000 and fit["task"] in theirs]  # same arrays

    def error(fits):
        return statistics.mean(abs(fit["value"] - fit["truth"]) for fit in fits)

    seconds = statistics.mean(fit["seconds"] for fit in theirs.values())
    said = f"takes {seconds:.1f} s; its error on nine tasks is {error(theirs.values()):.3f} nats"
    assert f"{said} (`mibounds`: {error(ours):.3f})" in README
    assert len(theirs) == len(ours) == 9


@pytest.mark.skipif(not (ROOT / "benchmarks").exists(), reason="an sdist has no measurements")
def test_the_tables_of_gans_are_those_of_the_stored_results():
    page = (ROOT / "docs" / "regularize.md").read_text("utf-8")
    points = {(one["beta"], one["seed"]): one for one in stored("gan/results.jsonl") if one["data"] == "gaussians"}
    for seed in range(5):
        cells = [
            f"{one['modes']} | {one['high_quality']:.1%} | {one['reverse_kl']:.3f}"
            for one in (points[0, seed], points[0.3, seed])
        ]
        assert f"| {seed} | {' | '.join(cells)} |" in page
    digits = sorted(stored("gan/digits.jsonl"), key=lambda one: one["seed"])
    for name, method in (("plain", "plain"), ("with MINE", "mine")):
        of = [one for one in digits if one["method"] == method]
        modes, divergences = ", ".join(str(one["modes"]) for one in of), ", ".join(f"{one['kl']:.2f}" for one in of)
        assert f"| {name} | {modes} | {divergences} |" in page
