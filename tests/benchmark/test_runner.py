import warnings
from importlib.util import find_spec

import pytest
import torch

from mibounds.benchmark import PRESETS, Failed, Measured, plan, read_records, run, suite_names
from mibounds.benchmark.records import Key
from mibounds.benchmark.runner import sample_rows
from mibounds.results.result import Result
from mibounds.tasks import XOR2, CorrelatedGaussian, FlippedLabel, GroupSlopes, suites
from mibounds.warnings import ConstantColumnWarning

pytestmark = pytest.mark.usefixtures("tiny_benchmark")


def values(records):
    return {record.key: record.value for record in records}


@pytest.mark.parametrize("suite", suite_names())
def test_keys_are_unique(suite):
    fits = plan(suite, PRESETS, [100, 200], 2)
    assert len(fits) == len(getattr(suites, suite.upper())) * len(PRESETS) * 2 * 2


def test_a_line_says_everything_about_a_fit(tmp_path):
    out = tmp_path / "deep" / "results.jsonl"
    records = run("quick", ["tiny"], [200], 1, out)
    assert records == read_records(out)
    fit = records[1]
    assert fit.key == ("quick", "CorrelatedGaussian(dim=1, rho=0.9)", "tiny", 200, 0)
    assert fit.truth == pytest.approx(0.830, abs=1e-3)
    assert fit.low < fit.value < fit.high
    assert fit.seconds > 0
    assert fit.method == "GaussianCopula"
    assert fit.versions["torch"] == str(torch.__version__)


def test_a_run_goes_on_where_it_stopped(tmp_path):
    out, heard = tmp_path / "results.jsonl", []
    whole = run("quick", ["tiny"], [100], 2, out)
    lines = out.read_text().splitlines(keepends=True)
    out.write_text("".join(lines[:2]) + lines[2][:40])  # killed while it wrote the third line
    again = run("quick", ["tiny"], [100], 2, out, done=heard.append)
    assert values(again) == values(whole)
    assert heard == again
    assert out.read_text().splitlines(keepends=True)[:2] == lines[:2]
    assert len(read_records(out)) == 4
    run("quick", ["tiny"], [100], 2, out)
    assert len(read_records(out)) == 4


def test_estimators_see_the_same_standardized_columns_and_nothing_else(tmp_path, monkeypatch):
    seen = []

    def spy(x, y, **rest):
        seen.append((x, y, rest))
        return Result(value=0.5, stderr=0.1, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=len(x))

    images = suites.IMAGES[0]
    monkeypatch.setattr(suites, "QUICK", (CorrelatedGaussian(2, 0.5), images))
    monkeypatch.setitem(PRESETS, "spy", spy)
    monkeypatch.setitem(PRESETS, "mole", spy)
    run("quick", ["spy", "mole"], [50], 2, tmp_path / "results.jsonl")
    (x, y, rest), (pixels, _, _), (same_x, same_y, _), _, (other_x, _, _), *_ = seen
    assert rest == {"seed": 0, "workers": 1}
    assert x.mean(0).tolist() == pytest.approx([0, 0], abs=1e-6)
    assert x.std(0, correction=0).tolist() == pytest.approx([1, 1], abs=1e-5)
    assert torch.equal(x, same_x)
    assert torch.equal(y, same_y)
    assert not torch.equal(x, other_x)
    assert pixels.shape == (50, 256)


def test_whole_numbers_stay_as_they_are():
    codes = GroupSlopes(12, 0.3)
    x, y = sample_rows(Key("everyday", repr(codes), "tiny", 200, 0), codes)
    assert [x["x0"].dtype, x["x1"].dtype] == [torch.int64, torch.float32]
    assert set(x["x0"].tolist()) == set(range(12))
    assert float(x["x1"].mean()) == pytest.approx(0, abs=1e-6)
    assert float(y.mean()) == pytest.approx(0, abs=1e-6)
    label = FlippedLabel(XOR2, 0.1)
    _, y = sample_rows(Key("everyday", repr(label), "tiny", 200, 0), label)
    assert y.dtype == torch.int64


def test_a_fit_that_raises_is_a_result(tmp_path, monkeypatch):
    def broken(x, y, **rest):
        raise RuntimeError("no luck")

    def endless(x, y, **rest):
        return Result(value=float("inf"), stderr=0.1, estimates={"NWJ": 0.5}, method="NWJ", n=len(x))

    monkeypatch.setitem(PRESETS, "broken", broken)
    monkeypatch.setitem(PRESETS, "endless", endless)
    out = tmp_path / "results.jsonl"
    records = run("quick", ["broken", "endless", "tiny"], [100], 1, out)
    assert [type(record) for record in records] == [Failed] * 4 + [Measured] * 2
    assert records[0].error == "RuntimeError: no luck"
    assert records[2].error.startswith("ArithmeticError: value, standard error and interval are (inf")
    assert run("quick", ["broken"], [100], 1, out) == records[:2]


def test_codes_of_warnings_are_kept_and_filters_restored(tmp_path, monkeypatch):
    def doubtful(x, y, **rest):
        doubt = ConstantColumnWarning("constant")
        warnings.warn(doubt, stacklevel=1)
        return Result(value=0.5, stderr=0.1, estimates={"NWJ": 0.5}, method="NWJ", n=len(x), warnings=(doubt,))

    monkeypatch.setitem(PRESETS, "doubtful", doubtful)
    before = list(warnings.filters)
    records = run("quick", ["doubtful"], [100], 1, tmp_path / "results.jsonl")
    assert records[0].warnings == ["constant-column"]
    assert warnings.filters == before


@pytest.mark.parametrize(
    "backend",
    [
        "loky",
        "threading",
        pytest.param(
            "dask",
            marks=[
                pytest.mark.skipif(not find_spec("distributed"), reason="needs dask.distributed"),
                pytest.mark.slow,  # tests/benchmark/test_backends.py has a cluster of one
            ],
        ),
    ],
)
def test_values_do_not_depend_on_jobs(tmp_path, backend):
    alone = run("quick", ["tiny"], [100], 1, tmp_path / "alone.jsonl")
    beside = run("quick", ["tiny"], [100], 1, tmp_path / "beside.jsonl", jobs=2, backend=backend)
    assert values(beside) == values(alone)
    assert len(beside) == 2


@pytest.mark.parametrize("n, seeds", [([0], 1), ([100], 0)])
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path, n, seeds):
    with pytest.raises(ValueError, match="must be at least 1"):
        run("quick", ["tiny"], n, seeds, tmp_path / "results.jsonl")
    assert not list(tmp_path.iterdir())


def test_tasks_are_taken_by_their_place():
    everything = plan("bmi40", ["fast"], [100], 1)
    some = plan("bmi40", ["fast"], [100], 1, tasks=[2, 5])
    assert list(some.values()) == [list(everything.values())[place] for place in (1, 4)]
    with pytest.raises(ValueError, match="task is 41, and bmi40 has tasks 1 to 40"):
        plan("bmi40", ["fast"], [100], 1, tasks=[41])
