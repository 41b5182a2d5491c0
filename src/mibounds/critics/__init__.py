"""Critics: functions that score pairs. The `__all__` of each family is the registry."""

from mibounds.critics import (
    bridged,
    categorical,
    cosine,
    counts,
    critic,
    density,
    gaussian,
    local_linear,
    neural,
    normal_classes,
    residual,
    standardized,
    student,
    tables,
    wrappers,
)
from mibounds.critics.bridged import *  # noqa: F403
from mibounds.critics.categorical import *  # noqa: F403
from mibounds.critics.cosine import *  # noqa: F403
from mibounds.critics.counts import *  # noqa: F403
from mibounds.critics.critic import *  # noqa: F403
from mibounds.critics.density import *  # noqa: F403
from mibounds.critics.gaussian import *  # noqa: F403
from mibounds.critics.local_linear import *  # noqa: F403
from mibounds.critics.neural import *  # noqa: F403
from mibounds.critics.normal_classes import *  # noqa: F403
from mibounds.critics.residual import *  # noqa: F403
from mibounds.critics.standardized import *  # noqa: F403
from mibounds.critics.student import *  # noqa: F403
from mibounds.critics.tables import *  # noqa: F403
from mibounds.critics.wrappers import *  # noqa: F403

__all__ = [  # noqa: PLE0604
    *critic.__all__,
    *neural.__all__,
    *bridged.__all__,
    *cosine.__all__,
    *counts.__all__,
    *gaussian.__all__,
    *categorical.__all__,
    *density.__all__,
    *normal_classes.__all__,
    *residual.__all__,
    *local_linear.__all__,
    *standardized.__all__,
    *student.__all__,
    *tables.__all__,
    *wrappers.__all__,
]
