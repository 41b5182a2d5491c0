r"""Self-consistency tests on images, whose true information is unknown.

With X an image and Y its upper t rows,

- *independence*: X and the Y of another image share nothing; the more rows Y has, the more they share;
- *data processing*: [X, X] and [Y, h(Y)] share what X and Y do, whatever the function h;
- *additivity*: two independent pairs share twice what one does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Unpack

from mibounds._checks import check_fraction, check_integers
from mibounds.data import Sample
from mibounds.data.arrays import intake_images
from mibounds.estimation._estimate import _estimate
from mibounds.results import ConsistencyResult, Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.interrupts import no_partial_results
from mibounds.training.recipe import Recipe, Settings, refuse_settings, takes_settings
from mibounds.warnings import MIWarning

__all__ = ["consistency"]


@takes_settings()
def consistency(
    images: Any,
    *,
    measure: Callable[[Tensor, Tensor], Result] | None = None,
    rows: Sequence[int] | None = None,
    recipe: Recipe | str | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    **settings: Unpack[Settings],
) -> ConsistencyResult:
    """Self-consistency of an estimator on images: independence, data processing, additivity.

    The true information of real images is unknown, these relations are not. An estimator that violates one is not
    reliable on such data; one that satisfies all may still be wrong by a factor. Where information comes near ln N
    every estimator fails additivity, because no sample can certify twice as much.

    References:
        Song and Ermon, Understanding the limitations of variational mutual information estimators, 2020,
        arXiv:1910.06222, section 4.

    Arguments:
        images: (N, H, W) or (N, C, H, W) numbers, at least 2 pixel rows each and 100 images.
        measure: an estimator of the user's own, called as `measure(x, y)` with two tables (N, D); it returns a
            `Result`. By default the estimate of `mibounds.estimate` by the recipe.
        rows: the numbers of upper pixel rows to try, 1 to H; by default an eighth, a quarter, a half and all of them.
        recipe: "quick", "default", "thorough" or a `Recipe`, of each estimate; its seed pairs independent images, too.
        unit: "nats" or "bits".
        level: of the intervals.
        settings: single settings of `Recipe` as keywords.

    Returns:
        A `ConsistencyResult`, which prints as a table.

    Raises:
        TypeError: if `measure` is no function or returns something else than a `Result`; for settings beside it, which
            would train nothing.
        ValueError: if the images have another shape, or a number of rows is out of range.

    Example:
        >>> images = torch.randn(200, 4, 4, generator=torch.Generator().manual_seed(0)).cumsum(1)
        >>> found = consistency(images, rows=[4], steps=20, folds=2, hidden=(16,))
        >>> abs(found.independent.value) < 0.2
        True
    """
    nats_in(unit)
    check_fraction("level", level)
    if measure is not None:
        if not callable(measure):
            raise TypeError(f"measure is {measure!r}: expected a function of two tables, measure(x, y).")
        refuse_settings(recipe, settings, ["seed", "progress"], "measure= makes the estimates")
    chosen = Recipe.of(recipe, settings)
    pixels = intake_images(images, "images", least=100)
    height = pixels.shape[-2]
    half = max(1, height // 2)
    sizes = sorted({*_rows(rows, height), half})

    def estimated(name: str, x: Tensor, y: Tensor) -> Result:
        if measure is not None:
            found = measure(x, y)
            if not isinstance(found, Result):
                raise TypeError(f"measure returns a {type(found).__name__}: expected a mi.results.Result.")
            return found.to("nats")
        sample = Sample.of(x=x, y=y, types={"x": "continuous", "y": "continuous"}, seed=chosen.seed)
        return _estimate(sample, chosen.part(name))

    whole, upper = pixels.flatten(1), _upper(pixels, half)
    first, second = slice(0, len(pixels) // 2), slice(len(pixels) // 2, 2 * (len(pixels) // 2))
    turn = int(torch.randint(1, len(pixels), (1,), generator=torch.Generator().manual_seed(chosen.seed)))
    with warnings.catch_warnings(), no_partial_results():
        warnings.simplefilter("ignore", MIWarning)  # each result keeps those of `measure`
        result = ConsistencyResult(
            independent=estimated("independent", whole, upper.roll(turn, 0)),
            nested={t: estimated(f"upper {t}", whole, _upper(pixels, t)) for t in sizes},
            processed=estimated(
                "processed",
                torch.cat([whole, whole], 1),
                torch.cat([upper, _upper(pixels, max(1, half // 2))], 1),
            ),
            single=estimated("single", whole[first], upper[first]),
            double=estimated(
                "double",
                torch.cat([whole[first], whole[second]], 1),
                torch.cat([upper[first], upper[second]], 1),
            ),
            half=half,
        )
    return result.to(unit, level=level)


def _rows(given: Sequence[int] | None, height: int) -> Sequence[int]:
    """The numbers of upper pixel rows to try."""
    if given is None:
        return [max(1, height // 8), max(1, height // 4), height]
    rows = check_integers("rows", given, 1, example=f"[{max(1, height // 2)}, {height}]")
    if not rows or max(rows) > height:
        what = f"holds {max(rows)}" if rows else "is empty"
        raise ValueError(f"rows {what}, and the images have {height} pixel rows: give 1 to {height}.")
    return rows


def _upper(pixels: Tensor, t: int) -> Tensor:
    return pixels[..., :t, :].flatten(1)
