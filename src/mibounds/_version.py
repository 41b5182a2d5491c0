"""The version, in one place."""

from __future__ import annotations

import platform

__all__ = ["__version__", "versions"]

__version__ = "0.1.0"


def versions() -> dict[str, str]:
    """Of mibounds, torch and Python: what a saved number was made with."""
    import torch

    return {"mibounds": __version__, "torch": str(torch.__version__), "python": platform.python_version()}
