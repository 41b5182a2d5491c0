"""Data: intake of whatever a person has, and preprocessing fitted on training rows."""

from mibounds.data.arrays import intake_array, intake_images, intake_sequences, is_ragged
from mibounds.data.columns import Columns, MissingPolicy, Schema, complete_rows
from mibounds.data.encoding import Encoding
from mibounds.data.gaussianization import Gaussianize
from mibounds.data.intake import (
    Kinds,
    intake,
    intake_again,
    intake_groups,
    intake_pair,
    intake_rows,
    intake_table,
)
from mibounds.data.preprocessing import Preprocessing, RankGaussianize, Standardize, StandardizeChannels
from mibounds.data.streams import Drawn, Resumable, Sampler, sampler
from mibounds.data.weights import rows_by_weight

__all__ = [
    "Columns",
    "Drawn",
    "Encoding",
    "Gaussianize",
    "Kinds",
    "MissingPolicy",
    "Preprocessing",
    "RankGaussianize",
    "Resumable",
    "Sampler",
    "Schema",
    "Standardize",
    "StandardizeChannels",
    "complete_rows",
    "intake",
    "intake_again",
    "intake_array",
    "intake_groups",
    "intake_images",
    "intake_pair",
    "intake_rows",
    "intake_sequences",
    "intake_table",
    "is_ragged",
    "rows_by_weight",
    "sampler",
]
