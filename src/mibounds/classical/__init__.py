"""Classical estimators, no critic and no training: free cross-checks of a trained one, and baselines in their own
right."""

from mibounds.classical import copula, discrete, nearest
from mibounds.classical.copula import *  # noqa: F403
from mibounds.classical.discrete import *  # noqa: F403
from mibounds.classical.nearest import *  # noqa: F403

__all__ = [*nearest.__all__, *copula.__all__, *discrete.__all__]  # noqa: PLE0604
