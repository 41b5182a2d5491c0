"""Training: recipes, folds, candidates, evaluation, and the policy that makes a result of them."""

from mibounds.training.candidates import Candidate
from mibounds.training.evaluation import Evaluation
from mibounds.training.fit import Fitted
from mibounds.training.fitted_folds import FittedFolds, load
from mibounds.training.recipe import Recipe
from mibounds.training.trainer import Trainer

__all__ = ["Candidate", "Evaluation", "Fitted", "FittedFolds", "Recipe", "Trainer", "load"]
