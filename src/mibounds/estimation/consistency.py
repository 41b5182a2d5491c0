r"""Three things that information must do, tried on images whose information nobody knows.

With X an image and Y its upper t rows,

- *independence*: X and the Y of another image share nothing; the more rows Y has, the more they share;
- *data processing*: [X, X] and [Y, h(Y)] share what X and Y do, whatever the function h;
- *additivity*: two independent pairs share twice what one does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.data import intake_images
from mibounds.estimation.estimate import estimate
from mibounds.results.result import Result
from mibounds.training.checkpoints import part
from mibounds.training.interrupts import no_partial_results
from mibounds.warnings import MIWarning

__all__ = ["Consistency", "consistency"]


@dataclass(frozen=True, repr=False)
class Consistency:
    """What an estimator read in the three tests, in nats.

    Ratios and order are those of what the rows certify: an extrapolated result counts with its InfoNCE reading, since
    an image and a part of it share more than any sample can show.

    Attributes:
        independent: the image against the upper half of another one; 0 is right.
        nested: the image against its upper t rows, by t; it should rise with t.
        processed: [X, X] against [Y, h(Y)], for Y the upper half and h its upper half.
        single: X against Y on the first half of the sample.
        double: [X1, X2] against [Y1, Y2], the two halves of the sample side by side.
        half: the pixel rows of the upper half, one of `nested`.
    """

    independent: Result
    nested: Mapping[int, Result]
    processed: Result
    single: Result
    double: Result
    half: int

    @property
    def monotone(self) -> bool:
        """Does information rise with the rows that are seen, within two standard errors of each step?"""
        results = [self.nested[t] for t in sorted(self.nested)]
        return all(
            _certified(high) >= _certified(low) - 2 * (low.stderr**2 + high.stderr**2) ** 0.5
            for low, high in pairwise(results)
        )

    @property
    def processing_ratio(self) -> float:
        """1 for an estimator that obeys data processing."""
        return _certified(self.processed) / _certified(self.nested[self.half])

    @property
    def additivity_ratio(self) -> float:
        """2 for an estimator that adds independent pairs; near ln N none does."""
        return _certified(self.double) / _certified(self.single)

    def __repr__(self) -> str:
        lines = [f"independent images  {_certified(self.independent):+.3f} nats   (right: 0)"]
        lines += [f"upper {t:3d} rows      {_certified(self.nested[t]):+.3f} nats" for t in sorted(self.nested)]
        lines += [
            f"monotone            {'yes' if self.monotone else 'no'}",
            f"data processing     {self.processing_ratio:.3f}        (right: 1)",
            f"additivity          {self.additivity_ratio:.3f}        (right: 2)",
        ]
        return "\n".join(lines)


def _certified(result: Result) -> float:
    return result.bounds["InfoNCE"] if result.extrapolated and "InfoNCE" in result.bounds else result.value


def consistency(
    images: Any,
    *,
    measure: Callable[..., Result] = estimate,
    rows: Sequence[int] | None = None,
    seed: int = 0,
    **options: Any,
) -> Consistency:
    """Try an estimator on your own images: independence, data processing, additivity.

    The truth of real images is unknown, these relations are not. An estimator that breaks one is not to be trusted on
    such data; one that keeps all may still be wrong by a factor. Where information comes near ln N every
    estimator fails additivity, because no sample can certify twice as much.

    References:
        Song and Ermon, Understanding the limitations of variational mutual information estimators, 2020,
        arXiv:1910.06222, section 4.

    Arguments:
        images: (N, H, W) or (N, C, H, W) numbers, at least 2 pixel rows each and 100 images.
        measure: called as `measure(x, y, seed=seed, **options)` with two tables, returns a `Result`.
        rows: the numbers of upper pixel rows to try, 1 to H; by default an eighth, a quarter, a half and all of them.
        seed: for the pairing of independent images, and for `measure`.
        options: for `measure`.

    Returns:
        A `Consistency`, which prints as a table.

    Raises:
        ValueError: if the images have another shape, or a number of rows is out of range.

    Example:
        >>> images = torch.randn(200, 4, 4, generator=torch.Generator().manual_seed(0)).cumsum(1)
        >>> found = consistency(images, rows=[4], steps=20, folds=2, hidden=(16,))
        >>> abs(found.independent.value) < 0.2
        True
    """
    pixels = intake_images(images, "images", least=100)
    height = pixels.shape[-2]
    half = max(1, height // 2)
    chosen = sorted({max(1, height // 8), max(1, height // 4), half, height} if rows is None else {*rows, half})
    for t in chosen:
        check_at_least("rows", t, 1)
    if chosen[-1] > height:
        raise ValueError(f"rows holds {chosen[-1]}, and the images have {height} pixel rows: give 1 to {height}.")

    def read(name: str, x: Tensor, y: Tensor) -> Result:
        return measure(x, y, seed=seed, **part(options, name)).to("nats")

    whole, upper = pixels.flatten(1), _upper(pixels, half)
    first, second = slice(0, len(pixels) // 2), slice(len(pixels) // 2, 2 * (len(pixels) // 2))
    turn = int(torch.randint(1, len(pixels), (1,), generator=torch.Generator().manual_seed(seed)))
    with warnings.catch_warnings(), no_partial_results():
        warnings.simplefilter("ignore", MIWarning)  # each result keeps its own
        return Consistency(
            independent=read("independent", whole, upper.roll(turn, 0)),
            nested={t: read(f"upper {t}", whole, _upper(pixels, t)) for t in chosen},
            processed=read(
                "processed",
                torch.cat([whole, whole], 1),
                torch.cat([upper, _upper(pixels, max(1, half // 2))], 1),
            ),
            single=read("single", whole[first], upper[first]),
            double=read(
                "double",
                torch.cat([whole[first], whole[second]], 1),
                torch.cat([upper[first], upper[second]], 1),
            ),
            half=half,
        )


def _upper(pixels: Tensor, t: int) -> Tensor:
    return pixels[..., :t, :].flatten(1)
