"""Measure I(X;Y) of static data in one call."""

from __future__ import annotations

from typing import Any

from torch import nn
from typing_extensions import Unpack

from mibounds._checks import check_fraction
from mibounds.data import MissingPolicy, Sample, VariableType
from mibounds.estimation._estimate import _estimate
from mibounds.results import Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.recipe import Recipe, Settings, takes_settings
from mibounds.warnings import issue

__all__ = ["estimate"]


@takes_settings()
def estimate(
    x: Any,
    y: Any,
    *,
    recipe: Recipe | str | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    x_type: VariableType = None,
    y_type: VariableType = None,
    encoder_x: nn.Module | None = None,
    encoder_y: nn.Module | None = None,
    groups: Any = None,
    sample_weight: Any = None,
    nan: MissingPolicy = "raise",
    **settings: Unpack[Settings],
) -> Result:
    r"""Mutual information of paired samples, with a confidence interval and diagnostic warnings.

    .. math:: I(X;Y) = E_{p(x,y)} \log \frac{p(x,y)}{p(x)\,p(y)}

    The samples are split into folds. On each, several candidates are trained on the other folds' samples
    (rank-Gaussianized columns with and without the Gaussian log-ratio as an offset, and standardized columns; an
    ICA-preprocessed variant replaces the first where that lowers its validation loss), and validation samples weight
    and calibrate them; the sum scores the fold's own samples. Every sample is thus scored once, by a critic that did
    not train on it, and all bounds are evaluated on the same pooled scores.

    What is reported follows one rule, fixed beforehand: InfoNCE over all test pairs of a block, averaged over both
    directions. Where a variable is a label, the critics are evaluated as classifiers: its entropy less their held-out
    cross-entropy. Where the normalized plug-in comes within 3.5 nats of InfoNCE's ceiling (in small samples, into its
    upper half), the plug-in is reported instead and marked as extrapolated. The largest value is never picked.

    Rows and variables are taken in an order that their values decide: permuted rows, and I(Y;X) in place of I(X;Y),
    give the same number to the bit (with `split="random"`, the default, and without weights or groups).

    Ctrl-C returns the result so far, with an `interrupted` warning; a second Ctrl-C ends at once.

    Fails when the sample is too small for the dependence: few samples for many columns with a weak, full-rank
    dependence, or information above ln N. The warnings say so. Samples must be independent: for time series the
    random split leaks, and `split="blocked"` does not.

    References:
        van den Oord et al., 2018, arXiv:1807.03748 (InfoNCE). McAllester and Stratos, Formal limitations on the
        measurement of mutual information, 2020, arXiv:1811.04251 (the limit ln N).

    Arguments:
        x: at least 50 rows of anything: (N,) or (N, D_x) numbers, dates, booleans or text in a NumPy array, torch
            tensor, list, or pandas, polars or pyarrow table; images (N, H, W) or (N, C, H, W); sequences (N, T, D), or
            a list of sequences of any lengths.
        y: likewise, paired with x row by row; it may be of another kind.
        recipe: "quick", "default", "thorough" or a `Recipe`.
        unit: "nats" or "bits".
        level: confidence level of the interval and of the lower bound.
        x_type: what x is, if it is not to be inferred: "continuous" or "categorical" columns, or a dictionary of
            these by column; "image"; "sequence". By default text, booleans, and integers of at most ten values are
            categorical, three axes are images from 8 x 8 and sequences below.
        y_type: likewise.
        encoder_x: a module that maps rows of x, a tensor or a tuple of tensors taken as they are, to columns; it is
            copied, and trained with the critic.
        encoder_y: likewise.
        groups: (N,) which rows are dependent (of one person, of one day): no group is divided between folds, and the
            standard error is that of groups.
        sample_weight: (N,) how much each row counts, as in a survey, on any scale: rows are kept with a probability in
            proportion, so that those kept are a sample of the weighted population. Uneven weights cost rows.
        nan: "raise"; "drop" the rows with missing or infinite values; or "indicator": fill them in and add a column
            that says where they were.
        settings: single settings of `Recipe` as keywords (`steps`, `folds`, `bootstrap`, `seed`, `device`, `workers`,
            `progress`, `checkpoint` and `resume`, ...).

    Returns:
        A `Result`.

    Raises:
        TypeError: if a variable holds something else than numbers, dates, booleans or text; for an unknown keyword.
        ValueError: if the data or an argument cannot be used; the sentence says why and what to do.

    Example:
        >>> import torch
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(400, torch.Generator().manual_seed(0))
        >>> result = estimate(x, y, steps=100, hidden=(32,))
        >>> abs(result.value - 0.511) < 0.12
        True
    """
    nats_in(unit)  # an unknown unit is refused before the work and not after it
    check_fraction("level", level)
    chosen = Recipe.of(recipe, settings)
    sample = Sample.of(
        x=x, y=y, groups=groups, weights=sample_weight, nan=nan, types={"x": x_type, "y": y_type},
        encoders={"x": encoder_x, "y": encoder_y}, seed=chosen.seed, blocked=chosen.split == "blocked",
    )  # fmt: skip
    result = _estimate(sample, chosen)
    issue(result.warnings)
    return result.to(unit, level=level)
