import math
from dataclasses import replace

from mibounds.results import IndependenceTestResult, Result

TEST = IndependenceTestResult(
    statistic=0.51, pvalue=0.001, permutations=999, retrained=False,
    estimate=Result(value=0.6, stderr=0.02, estimates={"InfoNCE": 0.51, "PlugIn": 0.6}, method="PlugIn", n=1000),
)  # fmt: skip


def test_the_number_is_the_statistic():
    assert float(TEST) == 0.51
    assert TEST > 0.5


def test_what_is_printed_speaks_of_the_null_hypothesis_and_in_the_unit():
    assert repr(TEST).splitlines() == [
        "p = 0.001 (null hypothesis: independence)",
        "  InfoNCE 0.51 nats, n = 1,000, 999 permutations, critics trained once",
    ]
    bits = repr(TEST.to("bits"))
    assert f"InfoNCE {0.51 / math.log(2):.4g} bits" in bits
    assert "critics retrained on each" in repr(replace(TEST, retrained=True))
    both = replace(TEST, pvalues={"critics": 0.001, "distances": 0.3218})
    assert repr(both).splitlines()[-1] == "  p of each statistic alone: critics 0.001, distances 0.322"
    assert IndependenceTestResult.from_dict(both.to_dict()).pvalues == both.pvalues


def test_the_pvalue_has_no_unit():
    bits = TEST.to("bits")
    assert bits.pvalue == 0.001
    assert bits.estimate.unit == "bits"


def test_the_figure_has_the_pvalue_as_its_title():
    assert TEST.plot().axes[0].get_title(loc="left") == "p = 0.001 (independence)"
