"""Raw results of trainings: files with a line of JSON for each."""

import json
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import mibounds


def read(path: Path) -> list[dict[str, Any]]:
    """The results of a file, none if it is not there."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, outcome: Mapping[str, Any], seconds: float, began: float) -> None:
    """Write the results of a training down, with its seconds, the processor's since `began`, and the versions."""
    record = {**outcome, "seconds": round(seconds, 1), "processor_seconds": round(time.process_time() - began, 1)}
    record |= {"mibounds": mibounds.__version__, "torch": torch.__version__, "python": platform.python_version()}
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")
    print(record, flush=True)
