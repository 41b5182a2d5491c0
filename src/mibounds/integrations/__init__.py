"""Citizens of other libraries: an estimator and scores of features for scikit-learn.

Nothing of the other library is imported before its name here is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mibounds.integrations.feature_selection import mi_classification, mi_regression
    from mibounds.integrations.sklearn import MutualInformation

__all__ = ["MutualInformation", "mi_classification", "mi_regression"]

_HOMES = {
    "MutualInformation": "sklearn",
    "mi_classification": "feature_selection",
    "mi_regression": "feature_selection",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
