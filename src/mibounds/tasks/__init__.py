"""Tasks: samplers that know their own mutual information."""

from mibounds.tasks import gaussian
from mibounds.tasks.gaussian import *  # noqa: F403
from mibounds.tasks.task import Task

__all__ = ["Task", *gaussian.__all__]  # noqa: PLE0604
