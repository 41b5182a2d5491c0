"""Tasks: samplers with known mutual information. The `__all__` of each family is the registry."""

from mibounds.tasks import (
    autoregression,
    discrete,
    gaussian,
    images,
    maps,
    mixture,
    sequences,
    student,
    suites,
    transformed,
    uniform,
)
from mibounds.tasks.autoregression import *  # noqa: F403
from mibounds.tasks.discrete import *  # noqa: F403
from mibounds.tasks.gaussian import *  # noqa: F403
from mibounds.tasks.images import *  # noqa: F403
from mibounds.tasks.mixture import *  # noqa: F403
from mibounds.tasks.sequences import *  # noqa: F403
from mibounds.tasks.student import *  # noqa: F403
from mibounds.tasks.task import Task
from mibounds.tasks.transformed import *  # noqa: F403
from mibounds.tasks.uniform import *  # noqa: F403

__all__ = [  # noqa: PLE0604
    "Task",
    *gaussian.__all__,
    *student.__all__,
    *mixture.__all__,
    *uniform.__all__,
    *discrete.__all__,
    *images.__all__,
    *sequences.__all__,
    *transformed.__all__,
    *autoregression.__all__,
    "maps",
    "suites",
]
