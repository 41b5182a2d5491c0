"""Integrations: an estimator and feature scores for scikit-learn, and a callback for Lightning.

The other library is imported when a name of this module is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mibounds.integrations.feature_selection import mi_classification, mi_regression
    from mibounds.integrations.lightning import InformationPlaneMonitor
    from mibounds.integrations.sklearn import MutualInformation

__all__ = ["InformationPlaneMonitor", "MutualInformation", "mi_classification", "mi_regression"]

_HOMES = {
    "InformationPlaneMonitor": "lightning",
    "MutualInformation": "sklearn",
    "mi_classification": "feature_selection",
    "mi_regression": "feature_selection",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
