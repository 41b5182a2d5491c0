import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from mibounds._files import write_text
from mibounds.results.result import Curve, Result
from mibounds.warnings import BeyondLogNWarning

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
    pointwise=object(),
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
    assert not {"fitted", "pointwise"} & set(record)
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
def test_the_umask_says_who_may_read(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "r.json", "{}")
    finally:
        os.umask(before)
    assert (tmp_path / "r.json").stat().st_mode & 0o777 == mode


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder '.*nowhere' to write r.json into: make it first"):
        write_text(tmp_path / "nowhere" / "r.json", "{}")


def test_a_report_is_complete_or_not_there(tmp_path):
    path = tmp_path / "report.html"
    replace(RESULT, pointwise=torch.tensor([0.5, math.nan, 1.5])).to("bits").report(path, command="mi.estimate(x, y)")
    text = path.read_text(encoding="utf-8")
    assert "mi.estimate(x, y)" in text
    assert f"{1.5 / math.log(2):.4g}" in text  # rows too are in the unit of the result
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_plot():
    figure = RESULT.plot()
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["PlugIn", "InfoNCE"]
    assert len(right.lines) == 2
