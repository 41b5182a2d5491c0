"""Training: recipes, folds, candidates, evaluation, and the policy that makes a result of them."""
