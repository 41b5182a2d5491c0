"""Where the fits run: processes or threads here (loky, threading), or a cluster (Dask, Ray), all by way of joblib."""

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
    """What runs calls (of `joblib.delayed`), that many at a time, and gives each result as it is there.

    Dask uses the client that there is, or starts one: it connects to the scheduler of DASK_SCHEDULER_ADDRESS or, when
    none is set, starts a cluster on this machine. Ray connects to the cluster of RAY_ADDRESS, or starts one
    here; its joblib backend hands nothing back early, so calls go to it in waves of that many.

    Arguments:
        name: "loky", "threading", "dask" or "ray".
        jobs: fits at a time, at least 1.

    Raises:
        ValueError: if the name is unknown or its package is not installed.
    """
    check_at_least("jobs", jobs, 1)
    if name not in BACKENDS:
        raise ValueError(f"backend is {name!r}, which is no backend here. {nearest(name, BACKENDS)}")
    if name in _NEEDS and find_spec(_NEEDS[name]) is None:
        raise ValueError(f"backend is {name!r}, and the package {_NEEDS[name]} is missing: pip install {_NEEDS[name]}.")
    with _cluster(name, jobs), joblib.parallel_config(backend=name, n_jobs=jobs):
        if name == "ray":
            yield lambda calls: _in_waves(calls, jobs)
        else:
            yield joblib.Parallel(return_as="generator_unordered", batch_size=1)


def _in_waves(calls: Iterable[Any], size: int) -> Iterator[Any]:
    rest = iter(calls)
    while wave := list(islice(rest, size)):
        yield from joblib.Parallel()(wave)


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
