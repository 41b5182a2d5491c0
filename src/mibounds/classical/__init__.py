"""Classical estimators, without a critic and without training: cross-checks of a trained estimate, and baselines.

Every function takes arrays, tensors, lists, dictionaries of columns, and tables and series of pandas, Polars or
PyArrow, and returns nats. Functions that count take text, too.
"""

from mibounds.classical import copula, discrete, gauss, nearest, regularized, student
from mibounds.classical.copula import *  # noqa: F403
from mibounds.classical.discrete import *  # noqa: F403
from mibounds.classical.gauss import *  # noqa: F403
from mibounds.classical.nearest import *  # noqa: F403
from mibounds.classical.regularized import *  # noqa: F403
from mibounds.classical.student import *  # noqa: F403

__all__ = [*nearest.__all__, *gauss.__all__, *copula.__all__, *discrete.__all__, *regularized.__all__, *student.__all__]  # noqa: PLE0604
