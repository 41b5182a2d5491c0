"""The information of a stochastic encoder whose density is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from mibounds._checks import check_integer, check_number, check_seed
from mibounds._version import __version__
from mibounds.inference import mean_stderr
from mibounds.representation.layer_outputs import evaluation_mode
from mibounds.representation.noise import noise
from mibounds.results import BracketResult
from mibounds.results.units import Unit

__all__ = ["encoder_information"]

_SCORES = 1 << 22  # log densities that are computed at a time


def encoder_information(
    encoder: Callable[[Any], Distribution],
    x: Any,
    *,
    prior: Distribution | None = None,
    draws: int = 8,
    level: float = 0.95,
    unit: Unit = "nats",
    seed: int = 0,
) -> BracketResult:
    r"""A lower and an upper bound of I(X;Z) of a stochastic encoder, by its own density.

    With codes :math:`z_i \sim q(z|x_i)` of N samples,

    .. math:: \frac1N \sum_i \log \frac{q(z_i|x_i)}{\frac1N \sum_j q(z_i|x_j)} \;\le\; I(X;Z) \;\le\;
              \frac1N \sum_i \log \frac{q(z_i|x_i)}{\frac1{N-1} \sum_{j \ne i} q(z_i|x_j)}

    in expectation over samples. Nothing is fitted. The lower bound is at most ln N, and near it the upper one is loose.
    With a prior `estimates["KLToPrior"]` is the rate :math:`E\,KL(q(z|x) \| p(z))`, which exceeds the information by
    :math:`KL(q(z) \| p(z))`.

    References:
        Poole et al., On variational bounds of mutual information, 2019, arXiv:1905.06922, equations 12 and 13. Alemi et
        al., Fixing a broken ELBO, 2018, arXiv:1711.00464, for the rate.

    Arguments:
        encoder: takes x and returns a distribution of codes for each sample, of batch shape (N, ...): a module whose
            forward does, or a function. A module runs in evaluation mode.
        x: (N, ...) samples, preferably held out.
        prior: the distribution of a single code, or one for each sample (batch shape (N,)), for the rate.
        draws: codes per sample.
        level: confidence level of the interval.
        unit: "nats" or "bits".
        seed: of the codes, which are independent of an x drawn from the same seed; the global random state is
            unchanged.

    Returns:
        Lower and upper bound with standard errors; `interval` covers both. The upper bound is infinite if a code has no
        density given the other samples (bounded noise that does not overlap).

    Raises:
        TypeError: if the encoder returns no distribution, or the prior is none.
        ValueError: for fewer than two samples, another number of them than x has, a prior of other codes, or log
            densities that are not finite.

    Example:
        >>> from torch.distributions import Independent, Normal
        >>> x = torch.randn(2000, 1, generator=torch.Generator().manual_seed(1))
        >>> result = encoder_information(lambda x: Independent(Normal(x, 1.0), 1), x)
        >>> result.interval[0] < 0.347 < result.interval[1]  # ln(2) / 2, the truth
        True
    """
    check_integer("draws", draws, 1)
    check_number("level", level, above=0, below=1)
    if prior is not None and not isinstance(prior, Distribution):
        raise TypeError(f"prior is a {type(prior).__name__}: expected a torch.distributions.Distribution of a code.")
    evaluated = evaluation_mode(encoder) if isinstance(encoder, nn.Module) else torch.no_grad()
    with evaluated, noise(check_seed(seed)):
        lower, upper, rate = _statistics(_distribution(encoder, x), prior, draws)
    estimates = {} if rate is None else {"KLToPrior": float(rate.mean())}
    result = BracketResult(
        lower=float(lower.mean()),
        lower_stderr=mean_stderr(lower),
        upper=float(upper.mean()),
        upper_stderr=mean_stderr(upper) if upper.isfinite().all() else math.inf,
        n=len(lower),
        estimates=estimates,
        level=level,
        known=True,
        predicted="z",
        seed=seed,
        versions={"mibounds": __version__, "torch": str(torch.__version__)},
    )
    return result.to(unit)


def _distribution(encoder: Callable[[Any], Distribution], x: Any) -> Distribution:
    codes = encoder(x)
    if not isinstance(codes, Distribution):
        raise TypeError(
            f"encoder(x) is a {type(codes).__name__}: return a torch.distributions.Distribution, for example "
            "Independent(Normal(mean, scale), 1)."
        )
    if not codes.batch_shape or codes.batch_shape[0] < 2:
        raise ValueError(
            f"encoder(x) has batch shape {tuple(codes.batch_shape)}: its first dimension counts at least two samples."
        )
    rows = _rows(x)
    if rows is not None and codes.batch_shape[0] != rows:
        raise ValueError(
            f"encoder(x) has batch shape {tuple(codes.batch_shape)}, and x has {rows} rows: expected a distribution "
            "for each row of x, in the first dimension (in recurrent networks batch_first=True)."
        )
    return codes


def _rows(x: Any) -> int | None:
    """The number of samples in a tensor or an array, or in the first one of a tuple or a dictionary; None of others."""
    while isinstance(x, tuple | list | Mapping) and len(x):
        x = next(iter(x.values() if isinstance(x, Mapping) else x))
    return len(x) if isinstance(x, Tensor | np.ndarray) and x.ndim else None


def _statistics(codes: Distribution, prior: Distribution | None, draws: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """Lower, upper and rate of every sample, averaged over draws: (N,) each."""
    n = codes.batch_shape[0]
    samples = [codes.sample() for _ in range(draws)]
    width = max(1, _SCORES // (n * max(1, samples[0][0].numel())))
    lower, upper = torch.zeros(n, dtype=torch.float64), torch.zeros(n, dtype=torch.float64)
    rate = None if prior is None else torch.zeros(n, dtype=torch.float64)
    for z in samples:
        _check_own_densities(codes, z)
        for start in range(0, n, width):
            rows = slice(start, min(start + width, n))
            grid = _per_pair(codes, z[rows].unsqueeze(1)).double().cpu()
            joint = grid.diagonal(start).clone()
            lower[rows] += joint - grid.logsumexp(1) + math.log(n)
            grid.diagonal(start).fill_(-torch.inf)
            upper[rows] += joint - grid.logsumexp(1) + math.log(n - 1)
            if rate is not None:
                rate[rows] += joint
        if rate is not None and prior is not None:
            rate -= _prior_densities(prior, z)
    return lower / draws, upper / draws, None if rate is None else rate / draws


def _check_own_densities(codes: Distribution, z: Tensor) -> None:
    """Raise a ValueError unless the codes z (N, ...) have finite log densities given their own samples."""
    try:
        finite = bool(codes.log_prob(z).isfinite().all())
    except ValueError:  # outside of the support
        finite = False
    if not finite:
        raise ValueError(
            "encoder(x) has log densities of its own codes that are not finite, because codes overflow or underflow, "
            "or a scale is 0: limit its parameters."
        )


def _prior_densities(prior: Distribution, z: Tensor) -> Tensor:
    """Log densities (N,) of the codes z (N, ...)."""
    try:
        densities = prior.log_prob(z)
        if densities.dim() and len(densities) == len(z):
            return densities.reshape(len(z), -1).sum(1).double().cpu()
        why = f"its log densities have shape {tuple(densities.shape)}"
    except (ValueError, RuntimeError) as error:
        why = " ".join(str(error).split()).rstrip(".")
    raise ValueError(
        f"prior does not fit codes of shape {tuple(z.shape)}: {why}. Expected the distribution of a single code, or "
        "one for each sample."
    )


def _per_pair(codes: Distribution, z: Tensor) -> Tensor:
    """Log densities of the codes z (M, 1, ...) given each sample: (M, N). The columns of a distribution that is not
    declared `Independent` are."""
    try:
        densities = codes.log_prob(z)
    except ValueError as error:
        raise ValueError(
            f"encoder(x) is a {type(codes).__name__} whose support depends on x: build it and what it is made of with "
            "validate_args=False, and codes outside have density 0."
        ) from error
    with suppress(NotImplementedError):  # of a user's distribution that names no support
        if codes.support is not None:
            densities = densities.masked_fill(~codes.support.check(z), -torch.inf)  # type: ignore[no-untyped-call]
    return densities.flatten(2).sum(-1) if densities.dim() > 2 else densities
