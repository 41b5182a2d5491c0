"""Tasks: samplers with known mutual information. The `__all__` of each family is the registry."""

from mibounds.tasks import (
    autoregression,
    circular,
    copulas,
    counts,
    curves,
    discrete,
    functions,
    gaussian,
    images,
    labels,
    maps,
    mixture,
    noises,
    regression,
    sequences,
    student,
    suites,
    tables,
    transformed,
    uniform,
    waiting,
)
from mibounds.tasks.autoregression import *  # noqa: F403
from mibounds.tasks.circular import *  # noqa: F403
from mibounds.tasks.copulas import *  # noqa: F403
from mibounds.tasks.counts import *  # noqa: F403
from mibounds.tasks.curves import *  # noqa: F403
from mibounds.tasks.discrete import *  # noqa: F403
from mibounds.tasks.gaussian import *  # noqa: F403
from mibounds.tasks.images import *  # noqa: F403
from mibounds.tasks.labels import *  # noqa: F403
from mibounds.tasks.mixture import *  # noqa: F403
from mibounds.tasks.regression import *  # noqa: F403
from mibounds.tasks.sequences import *  # noqa: F403
from mibounds.tasks.student import *  # noqa: F403
from mibounds.tasks.tables import *  # noqa: F403
from mibounds.tasks.task import Task
from mibounds.tasks.transformed import *  # noqa: F403
from mibounds.tasks.uniform import *  # noqa: F403
from mibounds.tasks.waiting import *  # noqa: F403

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
    *regression.__all__,
    *labels.__all__,
    *counts.__all__,
    *waiting.__all__,
    *copulas.__all__,
    *circular.__all__,
    *curves.__all__,
    *tables.__all__,
    "functions",
    "maps",
    "noises",
    "suites",
]
