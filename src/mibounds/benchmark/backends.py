"""Backends of joblib on which fits run: local processes or threads (loky, threading), or a cluster (Dask, Ray)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from typing import Any

import joblib

from mibounds._checks import check_at_least, nearest

__all__ = ["BACKENDS", "use_backend"]

BACKENDS = ("loky", "threading", "dask", "ray")
_NEEDS = {"dask": "distributed", "ray": "ray"}


@contextmanager
def use_backend(name: str, jobs: int) -> Iterator[Callable[[Iterable[Any]], Iterator[Any]]]:
    """A function that runs calls of `joblib.delayed`, some at a time, and yields each result when it is ready.

    Dask uses the current client, or starts one: it connects to the scheduler of DASK_SCHEDULER_ADDRESS or, if none is
    set, starts a cluster on this machine. Ray connects to the cluster of RAY_ADDRESS, or starts one on this machine;
    its joblib backend returns all results together, so it gets the calls in batches of `jobs`.

    Arguments:
        name: "loky", "threading", "dask" or "ray".
        jobs: fits at a time, at least 1.

    Raises:
        ValueError: if the name is unknown or its package is not installed.
    """
    check_at_least("jobs", jobs, 1)
    if name not in BACKENDS:
        raise ValueError(f"backend is {name!r}: expected one of {', '.join(BACKENDS)}. {nearest(name, BACKENDS)}")
    if name in _NEEDS and find_spec(_NEEDS[name]) is None:
        raise ValueError(f"backend is {name!r} and needs {_NEEDS[name]}: pip install {_NEEDS[name]}.")
    with _cluster(name, jobs), joblib.parallel_config(backend=name, n_jobs=jobs):
        if name == "ray":
            yield lambda calls: _in_batches(calls, jobs)
        else:
            yield joblib.Parallel(return_as="generator_unordered", batch_size=1)


def _in_batches(calls: Iterable[Any], size: int) -> Iterator[Any]:
    rest = iter(calls)
    while batch := list(islice(rest, size)):
        yield from joblib.Parallel()(batch)


@contextmanager
def _cluster(name: str, jobs: int) -> Iterator[None]:
    if name == "ray":
        from ray.util.joblib import register_ray

        register_ray()
    if name != "dask":
        yield
        return
    import dask
    from distributed import Client, get_client

    try:
        get_client()
    except ValueError:  # there is no client yet
        address = dask.config.get("scheduler-address", None)
        here = {} if address else {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
        with Client(address, **here):  # type: ignore[no-untyped-call, unused-ignore]
            yield
    else:
        yield
