"""The benchmark: every task of a suite, every estimator, every sample size and seed is one fit and one line of a file.

`run` measures and goes on where it stopped; `write_page` turns the lines into a page with figures.
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
