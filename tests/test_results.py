import json
import math

import pytest

from mibounds._checks import BeyondLogNWarning
from mibounds.results import Curve, Result, write_text

RESULT = Result(
    value=1.0,
    stderr=0.1,
    bounds={"InfoNCE": 1.0, "PlugIn": 1.1},
    reading="InfoNCE",
    rows=1000,
    extrapolated=True,
    allowance=(0.0, 0.1),
    fold_values=(0.9, 1.1),
    curves=(Curve((0, 50), (0.0, -0.9), 50, "ranks"),),
    warnings=(BeyondLogNWarning("above <ln N>"),),
    columns=(("a",), ("b",)),
    seed=3,
    versions={"mibounds": "0"},
    fitted=object(),
)


def test_it_is_a_number():
    assert float(RESULT) == RESULT.value == 1.0
    assert f"{float(RESULT):.2f}" == "1.00"


def test_bits_and_back():
    bits = RESULT.to("bits")
    assert bits.unit == "bits"
    ln2 = math.log(2)
    assert (bits.value, bits.stderr) == pytest.approx((1 / ln2, 0.1 / ln2))
    assert bits.bounds["PlugIn"] == pytest.approx(1.1 / ln2)
    assert bits.interval == pytest.approx([end / ln2 for end in RESULT.interval])
    assert bits.fold_values == pytest.approx([0.9 / ln2, 1.1 / ln2])
    assert bits.to("nats").value == pytest.approx(1.0)
    assert bits.coefficient == pytest.approx(RESULT.coefficient)
    with pytest.raises(ValueError, match="unit is 'bit', and must be 'nats' or 'bits'"):
        RESULT.to("bit")


def test_another_level():
    wide, narrow = RESULT.to(level=0.99).interval, RESULT.to(level=0.5).interval
    assert wide[0] < RESULT.interval[0] < narrow[0]
    assert RESULT.to(level=0.9).level == 0.9
    with pytest.raises(ValueError, match="level is 95"):
        RESULT.to(level=95)


def test_the_coefficient_of_a_gaussian_pair_is_its_correlation():
    rho = 0.8
    information = -0.5 * math.log(1 - rho**2)
    assert Result(information, 0, {"a": information}, "a", 10).coefficient == pytest.approx(rho)
    assert Result(-0.1, 0, {"a": -0.1}, "a", 10).coefficient == 0


def test_what_a_person_reads():
    text = repr(RESULT)
    assert "I(X;Y) = 1 nats   95% interval [0.804, 1.296]   (extrapolated)" in text
    assert "read by InfoNCE on 1,000 rows" in text
    assert "warning beyond-log-n: above <ln N>" in text
    page = RESULT._repr_html_()
    assert "above &lt;ln N&gt;" in page
    assert "<b>I(X;Y) = 1 nats</b>" in page


def test_json_and_back(tmp_path):
    record = RESULT.to_dict()
    assert "fitted" not in record
    back = Result.from_dict(json.loads(json.dumps(record)))
    assert back.to_dict() == record
    assert back.curves == RESULT.curves
    assert back.interval == RESULT.interval
    assert back.columns == RESULT.columns
    assert type(back.warnings[0]) is BeyondLogNWarning
    RESULT.save(tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text()) == record
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    write_text(path, "old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.json"]


def test_plot():
    figure = RESULT.plot()
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["PlugIn", "InfoNCE"]
    assert len(right.lines) == 2
