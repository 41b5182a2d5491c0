"""Data: a sample taken in once, and preprocessing fitted on training rows.

The names are imported at their first use: the modules that read files do not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mibounds.data.encoding import Encoding
    from mibounds.data.gaussianization import Gaussianize
    from mibounds.data.preprocessing import (
        FirstColumns,
        Preprocessing,
        RankGaussianize,
        Standardize,
        StandardizeChannels,
    )
    from mibounds.data.principal_axes import PrincipalAxes
    from mibounds.data.sample import Sample, VariableType
    from mibounds.data.streams import Drawn, Resumable, Sampler, sampler
    from mibounds.data.variable import MissingPolicy, Schema, Variable

__all__ = [
    "Drawn",
    "Encoding",
    "FirstColumns",
    "Gaussianize",
    "MissingPolicy",
    "Preprocessing",
    "PrincipalAxes",
    "RankGaussianize",
    "Resumable",
    "Sample",
    "Sampler",
    "Schema",
    "Standardize",
    "StandardizeChannels",
    "Variable",
    "VariableType",
    "sampler",
]

_MODULES = ("preprocessing", "principal_axes", "encoding", "gaussianization", "streams", "variable", "sample")


def __getattr__(name: str) -> Any:
    """An exported name, from the module that defines it."""
    if name in __all__:
        for module in _MODULES:
            found = import_module(f"{__name__}.{module}")
            if name in found.__all__:
                return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
