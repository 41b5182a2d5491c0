from importlib.util import find_spec

import joblib
import pytest

from mibounds.benchmark.backends import _in_batches, use_backend


def test_calls_run_there_and_each_result_is_given_at_once():
    with use_backend("threading", 2) as parallel:
        assert sorted(parallel(joblib.delayed(abs)(-i) for i in range(5))) == [0, 1, 2, 3, 4]
        assert parallel.n_jobs == 2
        assert type(parallel._backend).__name__ == "ThreadingBackend"


def test_batches_leave_nothing_out():
    assert list(_in_batches((joblib.delayed(abs)(-i) for i in range(5)), 2)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "name, jobs, sentence",
    [
        ("lokky", 1, "backend is 'lokky': expected one of loky, threading, dask, ray. Did you mean 'loky'?"),
        ("loky", 0, "jobs is 0, and must be at least 1."),
    ],
)
def test_what_is_refused(name, jobs, sentence):
    with pytest.raises(ValueError, match=sentence), use_backend(name, jobs):
        pass


@pytest.mark.parametrize("name, package", [("dask", "distributed"), ("ray", "ray")])
def test_a_missing_package_is_named(monkeypatch, name, package):
    monkeypatch.setattr("mibounds.benchmark.backends.find_spec", lambda package: None)
    sentence = f"backend is '{name}' and needs {package}: pip install {package}."
    with pytest.raises(ValueError, match=sentence), use_backend(name, 1):
        pass


@pytest.mark.skipif(find_spec("distributed") is None, reason="needs dask.distributed")
def test_dask_uses_the_client_that_there_is():
    from distributed import Client

    with Client(n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        with use_backend("dask", 1) as parallel:
            assert list(parallel([joblib.delayed(abs)(-1)])) == [1]
            assert parallel._backend.client is client
        assert client.status == "running"


@pytest.mark.skipif(find_spec("ray") is None, reason="needs ray")
def test_ray_gets_calls_in_batches():
    with use_backend("ray", 1) as parallel:
        assert list(parallel(joblib.delayed(abs)(-i) for i in range(3))) == [0, 1, 2]
