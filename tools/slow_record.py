"""A pytest plugin that records the last run of the slow tests: date, versions, results and seconds, as JSON.

PYTHONPATH=tools pytest -m slow -p slow_record tests                        # what `make slow` runs
PYTHONPATH=tools pytest -m slow -p slow_record --slow-record out.json tests   # to another file
"""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections import Counter
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("mibounds", "torch", "numpy", "scipy", "scikit-learn", "zuko")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--slow-record`."""
    default = ROOT / "benchmarks" / "slow" / "last_run.json"
    parser.addoption("--slow-record", type=Path, default=default, help="file that is written at the end of the run")


def pytest_configure(config: pytest.Config) -> None:
    """Record in the process that controls the run; workers of pytest-xdist only report to it."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(config.getoption("--slow-record")))


class Recorder:
    """Collects the reports of a run and writes the record when it ends.

    Arguments:
        path: file of the record; its folder is made.
    """

    def __init__(self, path: Path):
        self.path = path
        self.start = time.perf_counter()
        self.date = datetime.now(timezone.utc)
        self.outcomes: dict[str, str] = {}
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of a test: that of its call, unless its setup or teardown failed or skipped it."""
        self.seconds[report.nodeid] += report.duration
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the record, unless no test ran."""
        if not self.outcomes:
            return
        counts = Counter(self.outcomes.values())
        record = {
            "date": self.date.isoformat(timespec="seconds"),
            "commit": _commit(),
            "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
            "machine": f"{platform.system()} {platform.machine()}",
            "exit_status": int(exitstatus),
            **{outcome: counts[outcome] for outcome in ("passed", "failed", "skipped")},
            "seconds": round(time.perf_counter() - self.start, 1),
            "tests": {
                name: {"outcome": outcome, "seconds": round(self.seconds[name], 1)}
                for name, outcome in sorted(self.outcomes.items())
            },
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _commit() -> str | None:
    """The commit of the sources, with a mark if they differ from it; None where there is no repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
