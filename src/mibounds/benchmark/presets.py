"""Suites and estimators by name.

An estimator is called as `estimator(x, y, seed=..., workers=...)` and returns a `Result`; it gets no information about
the task.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mibounds._checks import nearest
from mibounds.estimation import estimate
from mibounds.results.result import Result
from mibounds.tasks import Task, suites
from mibounds.training.recipe import Recipe

__all__ = ["PRESETS", "estimator_named", "suite_named", "suite_names"]

PRESETS: dict[str, Callable[..., Result]] = {
    "default": estimate,
    "fast": partial(estimate, recipe=Recipe.preset("quick").replace(steps=150, hidden=(128, 128))),
    "quick": partial(estimate, recipe=Recipe.preset("quick")),
    "joint": partial(estimate, critic="joint"),
    "jensenshannon": partial(estimate, bound="jensenshannon"),
}
"""The estimators by name."""


def suite_names() -> list[str]:
    """Names of the suites, in lower case."""
    return [name.lower() for name in suites.__all__]


def suite_named(name: str) -> tuple[Task, ...]:
    """The tasks of a suite.

    >>> len(suite_named("bmi40"))
    40
    """
    if name not in suite_names():
        raise ValueError(f"suite is {name!r}: expected the name of a suite. {nearest(name, suite_names())}")
    tasks: tuple[Task, ...] = getattr(suites, name.upper())
    return tasks


def estimator_named(name: str) -> Callable[..., Result]:
    """The estimator of that name."""
    if name not in PRESETS:
        raise ValueError(f"estimator is {name!r}: expected the name of an estimator. {nearest(name, PRESETS)}")
    return PRESETS[name]
