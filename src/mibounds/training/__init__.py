"""Training: folds, the training of one fold, and the trainer that pools them."""

from mibounds.training.candidates import Candidate
from mibounds.training.evaluation import Readings
from mibounds.training.fit import Fitted
from mibounds.training.fitted_folds import FittedFolds, load
from mibounds.training.trainer import Trainer

__all__ = ["Candidate", "Fitted", "FittedFolds", "Readings", "Trainer", "load"]
