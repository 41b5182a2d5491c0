import pytest

from mibounds.benchmark.records import Failed, Measured
from mibounds.benchmark.summary import Group, by_task, group_by, summary_table, task_table


def fit(task, truth, value, seed=0, n=100, seconds=1.0, lower_bound=None):
    """An interval of half a nat around the value."""
    fields = ("quick", task, "default", n, seed, truth, seconds, {})
    return Measured(*fields, value, 0.25, value - 0.5, value + 0.5, "InfoNCE", False, [], lower_bound)


FITS = (fit("b", 1.0, 1.25, lower_bound=1.1), fit("b", 1.0, 0.25, seed=1, seconds=2.0))
FAILED = Failed("quick", "c", "default", 100, 0, 0.5, 1.0, {}, "ValueError: no")


def test_numbers_by_hand():
    group = Group(FITS)
    assert (group.truth, group.value, group.bias, group.error) == (1.0, 0.75, -0.25, 0.5)
    assert (group.hits, group.seconds) == (1, 1.5)


def test_groups_are_sorted():
    groups = group_by([fit("a", 2.0, 2.0, n=1000), *FITS], "estimator", "n")
    assert list(groups) == [("default", 100), ("default", 1000)]
    assert groups["default", 100].measured == FITS


def test_tasks_from_the_least_information():
    assert list(by_task([fit("a", 2.0, 2.0), *FITS, FAILED])) == ["c", "b", "a"]


def test_tables():
    assert summary_table([*FITS, FAILED]).splitlines()[2:] == ["| default | 100 | 2 | 1 | 0.500 | 50% | 1 of 1 | 1.5 |"]
    assert summary_table([FAILED]).splitlines()[2:] == ["| default | 100 | 0 | 1 | – | – | – | – |"]
    assert task_table([*FITS, FAILED], ["c", "d", "b"]).splitlines()[2:] == [
        "| 1 | `c` | 0.500 | – | – | – | – |",
        "| 3 | `b` | 1.000 | 0.750 | 0.500 | 1 of 2 | 1 of 1 |",
    ]


def test_a_group_of_failures_has_no_numbers():
    with pytest.raises(ValueError):
        _ = Group((), (FAILED,)).error
