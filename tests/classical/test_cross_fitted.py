import torch

from mibounds.classical._cross_fitted import log_ratios


class Remembering:
    """A fit whose log-ratio is 1 in rows that it was fitted to and 0 in others."""

    def __init__(self, scores):
        self.known = {tuple(row) for row in scores.tolist()}

    def log_ratio(self, scores, width):
        return torch.tensor([float(tuple(row) in self.known) for row in scores.tolist()]).double()


def test_each_row_is_scored_by_a_fit_to_it_and_by_one_that_left_it_out():
    scores = torch.randn(23, 2, generator=torch.Generator().manual_seed(0)).double()
    sizes = []

    def fit(rows):
        sizes.append(len(rows))
        return Remembering(rows)

    fitted, held_out = log_ratios(fit, scores, 1)
    assert fitted.tolist() == [1.0] * 23
    assert held_out.tolist() == [0.0] * 23
    assert sorted(sizes) == [18, 18, 18, 19, 19, 23], "fifths are left out"
