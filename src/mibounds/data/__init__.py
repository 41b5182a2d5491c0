"""Data: intake of whatever a person has, and preprocessing fitted on training rows."""

from mibounds.data.gaussianization import Gaussianize
from mibounds.data.intake import (
    Columns,
    MissingPolicy,
    Schema,
    complete_rows,
    intake,
    intake_again,
    intake_images,
    intake_pair,
    intake_rows,
)
from mibounds.data.preprocessing import Preprocessing, RankGaussianize, Standardize

__all__ = [
    "Columns",
    "Gaussianize",
    "MissingPolicy",
    "Preprocessing",
    "RankGaussianize",
    "Schema",
    "Standardize",
    "complete_rows",
    "intake",
    "intake_again",
    "intake_images",
    "intake_pair",
    "intake_rows",
]
