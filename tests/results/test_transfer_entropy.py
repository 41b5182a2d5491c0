from dataclasses import replace

import pytest

from mibounds.results import TransferEntropyResult


@pytest.fixture
def found(examples):
    return examples["TransferEntropyResult"]


def test_it_has_the_numbers_of_the_conditional_estimate(found):
    conditional = found.conditional
    for name in ("value", "stderr", "interval", "interval_bias", "entropy_limit", "amplification", "n", "level", "unit",
                 "warnings", "seed", "versions"):  # fmt: skip
        assert getattr(found, name) == getattr(conditional, name)
    assert float(found) == conditional.value == 0.5


def test_the_record_holds_them_too(found):
    record = found.to_dict()
    for name in ("value", "stderr", "amplification", "level", "unit", "n"):
        assert record[name] == record["conditional"][name]
    assert record["interval"] == list(found.interval)
    assert (record["pvalue"], record["permutations"], record["lag"]) == (0.05, 19, 1)


def test_what_is_printed(found):
    lines = repr(replace(found, conditional=replace(found.conditional, warnings=()))).splitlines()
    low, high = found.interval
    assert lines == [
        f"T(X -> Y) = 0.5 nats   90% interval [{low:.4g}, {high:.4g}]",
        "  lag 1, history 2, own history 3, n = 400",
        "  parts: I(X;YZ) 0.8099  I(X;Z) 0.31",
        "  amplification of relative errors by the difference: 2.24",
        "  at most 0.69 (upper confidence limit of the label's entropy)",
        "  p = 0.05 (null hypothesis: x adds nothing to the past of y; 19 surrogates of each",
        "    kind)",
    ]
    untested = TransferEntropyResult(conditional=found.conditional, lag=1, history=1, own_history=1)
    assert "p = " not in repr(untested)


def test_plot(found):
    (axis,) = found.plot().axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["T(X -> Y)", "I(X;YZ)", "I(X;Z)"]
    assert axis.get_title(loc="left") == "T(X -> Y) = 0.5 nats"
