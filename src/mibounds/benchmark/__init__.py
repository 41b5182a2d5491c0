"""Benchmarks: one fit, and one line of a file, for every task of a suite, estimator, sample size and seed.

`run` makes the fits and continues an interrupted run; `write_page` turns the lines into a page with figures.
"""

from mibounds.benchmark.page import write_page
from mibounds.benchmark.presets import PRESETS, suite_names
from mibounds.benchmark.records import Failed, Key, Measured, Record, read_records
from mibounds.benchmark.runner import plan, run

__all__ = [
    "PRESETS",
    "Failed",
    "Key",
    "Measured",
    "Record",
    "plan",
    "read_records",
    "run",
    "suite_names",
    "write_page",
]
