"""Data: a sample taken in once, and preprocessing fitted on training rows."""

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
