"""Data: intake of whatever a person has, and preprocessing fitted on training rows."""

from mibounds.data.gaussianization import Gaussianize
from mibounds.data.intake import Columns, MissingPolicy, intake, intake_images, intake_pair, intake_rows, intake_table
from mibounds.data.preprocessing import Preprocessing, RankGaussianize, Standardize

__all__ = [
    "Columns",
    "Gaussianize",
    "MissingPolicy",
    "Preprocessing",
    "RankGaussianize",
    "Standardize",
    "intake",
    "intake_images",
    "intake_pair",
    "intake_rows",
    "intake_table",
]
