import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace

import pytest
import torch

from mibounds import bounds
from mibounds._files import write_text
from mibounds.results import IndependenceTestResult
from mibounds.results.result import Curve, Result, curve_from
from mibounds.warnings import BeyondLogNWarning

RESULT = Result(
    value=1.0,
    stderr=0.1,
    estimates={"InfoNCE": 1.0, "PlugIn": 1.1},
    method="InfoNCE",
    n=1000,
    interval_bias=(0.02, 0.1),
    fold_values=(0.9, 1.1),
    curves=(Curve((0, 50), (0.0, -0.9), 50, "ranks"),),
    warnings=(BeyondLogNWarning("above <ln N>"),),
    columns=(("a",), ("b",)),
    kinds=(("continuous",), ("continuous",)),
    seed=3,
    versions={"mibounds": "0"},
)
Z95 = 1.959963984540054  # quantile of the standard normal distribution at 0.975
Z95_ONE_SIDED = 1.6448536269514722


def test_the_interval_by_hand():
    assert RESULT.interval == pytest.approx((1 - 0.02 - Z95 * 0.1, 1 + 0.1 + Z95 * 0.1), rel=1e-12)
    assert replace(RESULT, value=-5.0).interval[1] == pytest.approx(Z95 * 0.1, rel=1e-12)  # never below 0


@pytest.mark.parametrize(
    "value, limit, expected",
    [
        (1.0, 1.2, (0.98 - Z95 * 0.1, 1.2)),
        (1.0, 2.0, (0.98 - Z95 * 0.1, 1.1 + Z95 * 0.1)),
        (1.5, 1.2, (1.2, 1.2)),  # the lower end of 1.284 is above the limit
        (1.3, 1.2, (1.28 - Z95 * 0.1, 1.2)),
    ],
)
def test_the_interval_ends_at_the_entropy_of_the_label(value, limit, expected):
    result = replace(RESULT, value=value, entropy_limit=limit)
    assert result.interval == pytest.approx(expected, rel=1e-12)
    assert result.value == value  # as it is
    bits = result.to("bits")
    assert bits.interval == pytest.approx([end / math.log(2) for end in expected], rel=1e-12)


def test_the_lower_bound_by_hand():
    assert RESULT.lower_bound is None
    result = replace(RESULT, lower_bound_estimate=(0.95, 0.05))
    assert result.lower_bound == pytest.approx(0.95 - Z95_ONE_SIDED * 0.05, rel=1e-12)
    assert result.to(level=0.5).lower_bound == pytest.approx(0.95, rel=1e-12)
    assert replace(result, entropy_limit=0.8).lower_bound == 0.8
    assert replace(result, entropy_limit=0.9).lower_bound == pytest.approx(0.95 - Z95_ONE_SIDED * 0.05, rel=1e-12)


def test_the_informational_correlation_of_a_gaussian_pair_is_its_correlation():
    information = -0.5 * math.log(1 - 0.8**2)
    result = replace(RESULT, value=information)
    assert result.informational_correlation == pytest.approx(0.8, rel=1e-12)
    assert result.to("bits").informational_correlation == pytest.approx(0.8, rel=1e-12)
    assert replace(RESULT, value=-0.1).informational_correlation == 0


def test_the_conservative_value():
    extrapolated = replace(RESULT, value=1.1, method="PlugIn", extrapolated=True)
    assert extrapolated.conservative_value == 1.0
    assert replace(extrapolated, extrapolated=False).conservative_value == 1.1
    assert replace(extrapolated, estimates={"PlugIn": 1.1}).conservative_value == 1.1
    assert replace(extrapolated, estimates={"PlugIn": 1.1}).contrastive_value is None


def test_the_contrastive_estimate_is_found_by_the_attributes_of_its_bound(monkeypatch):
    monkeypatch.setattr(bounds, "Ranking", type("Ranking", (bounds.InfoNCE,), {}), raising=False)
    result = replace(RESULT, estimates={"Mine": 2.0, "PlugIn": 1.1, "Ranking": 0.9}, extrapolated=True)
    assert result.contrastive_value == result.conservative_value == 0.9
    assert result.to("bits").contrastive_value == pytest.approx(0.9 / math.log(2))


def test_what_is_printed():
    result = Result(
        value=0.51134, stderr=0.02, estimates={"InfoNCE": 0.51134, "DonskerVaradhan": 0.5101}, method="InfoNCE", n=2000,
        kinds=(("continuous", "categorical", "continuous"), ("categorical",)), entropy_limit=math.log(2),
        lower_bound_estimate=(0.5, 0.01), cross_checks={"KSG": 0.5097}, warnings=(BeyondLogNWarning("above ln N"),),
    )  # fmt: skip
    assert repr(result).splitlines() == [
        "I(X;Y) = 0.5113 nats   95% interval [0.4721, 0.5505]",
        "  InfoNCE, cross-fitted, n = 2,000",
        "  estimates: InfoNCE 0.5113  DonskerVaradhan 0.5101",
        "  x: 2 continuous, 1 categorical   y: 1 categorical",
        "  at most 0.6931 (upper confidence limit of the label's entropy)",
        "  lower confidence bound 0.4836 (95%, one-sided, conditional on the fitted critics)",
        "  cross-checks: KSG 0.5097",
        "  warning beyond-log-n: above ln N",
    ]
    assert "99.9% interval" in repr(result.to(level=0.999))
    assert repr(replace(result, extrapolated=True)).splitlines()[0].endswith("   (extrapolated)")


def test_a_constant_has_an_exact_result():
    zero = Result(value=0.0, stderr=0.0, estimates={"constant": 0.0}, method="constant", n=500)
    assert repr(zero).splitlines()[:2] == ["I(X;Y) = 0 nats   95% interval [0, 0]", "  constant, exact, n = 500"]
    assert zero.plot()._repr_png_()


def test_kinds_are_counted_or_shown_as_they_are():
    images = replace(RESULT, kinds=(("image 1 x 8 x 8",), ("encoded by MyNet",)))
    assert "  x: image 1 x 8 x 8   y: encoded by MyNet\n" in repr(images)
    assert "  y: 3 angle\n" in repr(replace(RESULT, kinds=((), ("angle",) * 3)))
    assert "  x:" not in repr(replace(RESULT, kinds=((), ())))


def test_the_reported_estimate_is_emphasized_in_html():
    page = RESULT._repr_html_()
    assert "above &lt;ln N&gt;" in page
    assert '<tr style="font-weight: bold"><td>InfoNCE</td>' in page
    assert page.count("bold") == 1


def test_the_record_is_readable():
    record = replace(RESULT, lower_bound_estimate=(0.95, 0.05)).to_dict()
    assert record["type"] == "Result"
    assert record["estimates"] == {"InfoNCE": 1.0, "PlugIn": 1.1}
    assert record["curves"] == [
        {"steps": [0, 50], "validation_loss": [0.0, -0.9], "best_step": 50, "candidate": "ranks"}
    ]
    assert record["warnings"] == [{"code": "beyond-log-n", "message": "above <ln N>"}]
    assert record["kinds"] == [["continuous"], ["continuous"]]
    assert record["lower_bound"] == pytest.approx(0.8678, abs=1e-4)
    assert record["informational_correlation"] == RESULT.informational_correlation


def test_numbers_that_json_lacks():
    odd = replace(RESULT, estimates={"InfoNCE": math.nan, "NWJ": math.inf, "SMILE": -math.inf}, fold_values=(math.nan,))
    record = json.loads(json.dumps(odd.to_dict(), allow_nan=False))
    assert record["estimates"] == {"InfoNCE": None, "NWJ": "inf", "SMILE": "-inf"}
    back = Result.from_dict(record)
    assert back == odd
    assert math.isnan(back.fold_values[0])


def test_a_curve_and_back():
    (curve,) = RESULT.curves
    assert curve_from(json.loads(json.dumps(asdict(curve)))) == curve


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    write_text(path, "old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        RESULT.save(path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.json"]


DYING = """
import io, os, signal, sys
from pathlib import Path
from mibounds._files import write_bytes

class Dying(io.FileIO):
    def write(self, content):
        super().write(content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

Path.open = lambda path, mode: Dying(path, mode.removesuffix("b"))
write_bytes(Path(sys.argv[1]), b"new" * 1000)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_kill_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "r.json"
    write_text(path, "old")
    assert subprocess.run([sys.executable, "-c", DYING, path], check=False).returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2  # half of the new one has another name


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664)])
def test_the_umask_sets_the_permissions(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        RESULT.save(tmp_path / "r.json")
    finally:
        os.umask(before)
    assert (tmp_path / "r.json").stat().st_mode & 0o777 == mode


def test_the_report_is_in_the_unit_of_the_result(tmp_path):
    path = tmp_path / "report.html"
    result = replace(RESULT, pointwise=torch.tensor([0.5, math.nan, 1.5]))
    result.to("bits").report(path, command="mi.estimate(x, y)")
    text = path.read_text(encoding="utf-8")
    assert f"{1.5 / math.log(2):.4g}" in text  # pointwise numbers, too, which are nats in any result
    assert f"{1 / math.log(2):.4g}" in text


@pytest.mark.parametrize("name", ["bracket", "test"])
def test_the_report_takes_results_of_the_same_samples_only(tmp_path, name):
    for wrong in (3, RESULT):
        with pytest.raises(TypeError, match=f"{name} is .*: expected the .*Result of the same samples"):
            RESULT.report(tmp_path / "report.html", **{name: wrong})
    other = replace(RESULT, n=RESULT.n + 1)
    test = IndependenceTestResult(statistic=0.1, pvalue=0.5, permutations=9, retrained=False, estimate=other)
    with pytest.raises(ValueError, match=r"test is of .* samples, and the result of .*: give that of the same samples"):
        RESULT.report(tmp_path / "report.html", test=test)


def test_the_report_of_undefined_and_infinite_estimates(tmp_path):
    odd = replace(RESULT, estimates={"InfoNCE": 1.0, "NWJ": math.inf, "SMILE": math.nan})
    odd.report(tmp_path / "report.html")
    assert "undefined" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_plot():
    figure = replace(RESULT, cross_checks={"KSG": 1.05}).plot()
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["InfoNCE", "PlugIn", "KSG"]
    assert left.get_title(loc="left") == "1 nats (InfoNCE)"
    assert right.get_title(loc="left") == "training of each fold"
    assert len(replace(RESULT, curves=()).plot().axes) == 1
