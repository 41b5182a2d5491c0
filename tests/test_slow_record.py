"""The record of the slow tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parent.parent / "tools"
TESTS = """
import time
import pytest

@pytest.mark.slow
def test_good(): time.sleep(0.1)

@pytest.mark.slow
def test_bad(): assert False

@pytest.mark.slow
def test_left_out(): pytest.skip()

@pytest.fixture
def broken(): raise ValueError

@pytest.mark.slow
def test_without_setup(broken): pass

def test_fast(): pass
"""


def run(folder, *options):
    (folder / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "slow_record", "-m", "slow", "--slow-record", "out/record.json"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(TOOLS),
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # their imports take seconds
    }
    subprocess.run([*command, *options], cwd=folder, env=environment, capture_output=True, check=False)
    record = folder / "out" / "record.json"
    return json.loads(record.read_text()) if record.exists() else None


def test_it_has_date_versions_results_and_seconds(tmp_path):
    record = run(tmp_path)
    assert record["date"].endswith("+00:00")
    assert record["versions"].keys() >= {"python", "mibounds", "torch"}
    assert (record["passed"], record["failed"], record["skipped"], record["exit_status"]) == (1, 2, 1, 1)
    assert record["seconds"] > 0
    assert {name.split("::")[1]: test["outcome"] for name, test in record["tests"].items()} == {
        "test_good": "passed",
        "test_bad": "failed",
        "test_left_out": "skipped",
        "test_without_setup": "failed",
    }


def test_it_counts_once_what_workers_report(tmp_path):
    record = run(tmp_path, "-p", "xdist", "-n", "2")
    assert (record["passed"], record["failed"], record["skipped"]) == (1, 2, 1)


def test_a_run_without_tests_leaves_the_last_record(tmp_path):
    assert run(tmp_path, "-k", "nothing") is None
