"""Bounds: from the scores of pairs to nats. `__all__` of each family is the registry."""

from mibounds.bounds import contrastive, likelihood, partition, ratio
from mibounds.bounds.bound import Bound
from mibounds.bounds.contrastive import *  # noqa: F403
from mibounds.bounds.likelihood import *  # noqa: F403
from mibounds.bounds.partition import *  # noqa: F403
from mibounds.bounds.ratio import *  # noqa: F403

__all__ = ["Bound", *partition.__all__, *contrastive.__all__, *ratio.__all__, *likelihood.__all__]  # noqa: PLE0604
