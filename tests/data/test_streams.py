"""Data that stay on disk: every row of the first draw is set aside, the others train equally often."""

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import mibounds as mi
from mibounds.data import streams
from mibounds.data.streams import Drawn, sampler

N = 1000


def numbered():
    return np.arange(N, dtype=np.float32), np.arange(N, dtype=np.float32) * 2


class Counted(IterableDataset):
    def __iter__(self):
        return iter(zip(*numbered(), strict=True))


def memmaps(tmp_path):
    for name, values in zip("xy", numbered(), strict=True):
        np.save(tmp_path / f"{name}.npy", values)
    return sampler(*(np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy"))


def parquet(tmp_path):
    x, y = numbered()
    pl.DataFrame({"a": x, "b": y}).write_parquet(tmp_path / "t.parquet")
    return sampler(tmp_path / "t.parquet", columns=(["a"], ["b"]))


SOURCES = {
    "memmap": memmaps,
    "tensors": lambda _: sampler(*map(torch.from_numpy, numbered())),
    "dataset": lambda _: sampler(TensorDataset(*map(torch.from_numpy, numbered()))),
    "loader": lambda _: sampler(DataLoader(TensorDataset(*map(torch.from_numpy, numbered())), batch_size=7)),
    "iterable": lambda _: sampler(Counted()),
    "iterable loader": lambda _: sampler(DataLoader(Counted(), batch_size=33)),
    "parquet": parquet,
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_first_rows_never_come_again_and_pairs_stay_pairs(name, tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "_BLOCK", 100)
    draw, generator = SOURCES[name](tmp_path), torch.Generator().manual_seed(0)
    first, y = draw(300, generator)
    assert torch.equal(y.flatten(), 2 * first.flatten())
    held = set(first.flatten().tolist())
    assert len(held) == 300
    counts = torch.zeros(N)
    for _ in range(70):
        x, y = draw(50, generator)
        assert torch.equal(y.flatten(), 2 * x.flatten())
        assert held.isdisjoint(x.flatten().tolist())
        counts += torch.bincount(x.flatten().long(), minlength=N)
    trained = counts[counts > 0]
    assert len(trained) == 700
    assert trained.min() >= 4
    assert trained.max() <= 6


def test_a_seed_decides_and_the_order_is_not_that_of_the_file(tmp_path):
    draws = [memmaps(tmp_path)(300, torch.Generator().manual_seed(seed))[0].flatten() for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[0].sort().values)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_stream_of_a_file_is_estimated(tmp_path):
    x, y = mi.tasks.CorrelatedGaussian(1, 0.8).sample(20_000, torch.Generator().manual_seed(0))
    np.save(tmp_path / "x.npy", x.numpy())
    np.save(tmp_path / "y.npy", y.numpy())
    draw = sampler(*(np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy"))
    estimator = mi.MIEstimator(mi.critics.SeparableCritic(1, 1, hidden=(32,)), mi.bounds.InfoNCE(), symmetric=True)
    result = mi.Trainer(steps=300, lr=3e-3).fit_stream(estimator, draw, test_rows=4000)
    assert result.value == pytest.approx(0.511, abs=0.06)


def test_bad_sources(tmp_path):
    generator = torch.Generator()
    with pytest.raises(TypeError, match=r"the source is a dict: expected x and y"):
        sampler({})
    with pytest.raises(ValueError, match="x has 1000 rows and y has 999"):
        sampler(np.zeros(N), np.zeros(N - 1))
    with pytest.raises(TypeError, match=r"yields a tuple of 1, and must yield pairs|yields a list of 1"):
        sampler(TensorDataset(torch.zeros(N)))(10, generator)
    with pytest.raises(TypeError, match="the source yields a Tensor, and must yield pairs"):
        sampler(DataLoader(torch.zeros(N, 3), batch_size=4))(10, generator)
    with pytest.raises(
        ValueError, match="the source has 1000 rows, and 600 are set aside first: expected at least 1200"
    ):
        sampler(*numbered())(600, generator)
    with pytest.raises(ValueError, match="the source ended before the first rows were drawn"):
        sampler(Counted())(N + 1, generator)
    with pytest.raises(ValueError, match="a Parquet file needs columns="):
        sampler("t.parquet")
    with pytest.raises(ValueError, match="There is no file"):
        sampler(tmp_path / "t.parquet", columns=(["a"], ["b"]))


def test_a_parquet_file_cut_in_half_or_without_a_column(tmp_path):
    parquet(tmp_path)
    path = tmp_path / "t.parquet"
    with pytest.raises(ValueError, match=r"t\.parquet has no column 'c'. Known: 'a', 'b'"):
        sampler(path, columns=(["a"], ["c"]))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"t\.parquet is damaged, or no Parquet file"):
        sampler(path, columns=(["a"], ["b"]))
    pl.DataFrame({"a": ["text"] * 400, "b": [1.0] * 400}).write_parquet(path)
    with pytest.raises(TypeError, match="column 'a' holds String where numbers are due"):
        sampler(path, columns=(["a"], ["b"]))(10, torch.Generator())


VALUES = torch.arange(N).float()


@pytest.mark.parametrize(
    "source",
    [
        VALUES,
        VALUES.double()[:, None],
        VALUES.bfloat16().double().requires_grad_(),
        VALUES.to(torch.int16),
        VALUES.numpy(),
        VALUES.long().numpy(),
        VALUES.tolist(),
        pd.Series(VALUES.numpy(), index=range(N, 0, -1)),
        pd.DataFrame(VALUES.numpy()),
        pl.Series(VALUES.numpy()),
    ],
    ids=["1-D", "double", "graph", "short", "array", "integers", "list", "Series", "DataFrame", "polars"],
)
def test_tensors_arrays_and_tables_are_the_same_rows(source):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x, y = sampler(source, VALUES)(300, torch.Generator().manual_seed(0))
    assert x.dtype == torch.float32
    assert x.shape == (300, 1)
    assert not x.requires_grad
    assert torch.equal(x, y) or torch.equal(x, y.bfloat16().float())


def test_tokens_stay_integers_and_text_is_refused():
    x, y = sampler(VALUES.long(), VALUES)(300, torch.Generator())
    assert x.dtype == torch.int64
    assert torch.equal(x.float(), y[:, 0])
    with pytest.raises(TypeError, match="x does not hold real numbers"):
        sampler(np.array(["a"] * N), VALUES)(300, torch.Generator())


def test_rows_of_two_pandas_objects_are_paired_by_one_order_of_their_index():
    x = pd.DataFrame({"a": numbered()[0]})
    y = x.sample(frac=1, random_state=0)
    with pytest.raises(ValueError, match="x and y have the same index in another order"):
        sampler(x, y)


@pytest.mark.parametrize("kind", [float, int])
def test_masked_values_are_missing(kind):
    x, y = numbered()
    draw = Drawn(sampler(np.ma.masked_where(x % 2 == 0, x.astype(kind)), y), torch.device("cpu"))
    with pytest.raises(ValueError, match="x has .* missing or infinite values"):
        draw(500, torch.Generator())


def test_dates_are_days_and_missing_ones_are_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "_BLOCK", 100)
    days = np.datetime64("2024-01-01") + np.arange(N)
    first, second = sampler(days, numbered()[1])(500, torch.Generator())
    assert torch.equal(first - 19_723, second / 2)
    days[::2] = "NaT"
    pl.DataFrame({"a": days, "b": numbered()[1]}).write_parquet(tmp_path / "t.parquet")
    first, second = sampler(tmp_path / "t.parquet", columns=(["a"], ["b"]))(500, torch.Generator())
    assert torch.equal(first.isnan(), second % 4 == 0)
    assert torch.equal((first - 19_723)[~first.isnan()], (second / 2)[~first.isnan()])


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (numbered()[0] + 1j, TypeError, "x is complex"),
        (torch.from_numpy(numbered()[0]) + 1j, TypeError, "x is complex"),
        (2**60 + numbered()[0].astype(np.int64), ValueError, "which single precision does not tell apart"),
        (1e9 + torch.arange(N).double() / 100, ValueError, "which single precision does not tell apart"),
        (1e300 * numbered()[0].astype(float), ValueError, "give them in another unit"),
    ],
)
def test_numbers_that_single_precision_does_not_hold_are_refused(values, error, message):
    with pytest.raises(error, match=message):
        sampler(values, numbered()[1])


def test_complex_tensors_of_a_dataset_are_refused():
    x, y = map(torch.from_numpy, numbered())
    with pytest.raises(TypeError, match="complex numbers"):
        sampler(TensorDataset(x + 1j, y))(300, torch.Generator())


@pytest.mark.parametrize(
    "values",
    [
        2**60 + np.arange(N),
        [Decimal(10) ** 20 + i for i in range(N)],
        1e9 + np.arange(N) / 100,
        (np.datetime64("2024-01-01T00:00") + np.arange(N)).astype("M8[us]"),
    ],
    ids=["whole numbers", "decimals", "floats", "minutes"],
)
def test_numbers_of_a_parquet_file_that_single_precision_does_not_hold_are_refused(tmp_path, values):
    pl.DataFrame({"a": pl.Series(values), "b": numbered()[1]}).write_parquet(tmp_path / "t.parquet")
    sentence = (
        r"column 'a' of t\.parquet lies between .*, which single precision does not tell apart: subtract an offset"
    )
    with pytest.raises(ValueError, match=sentence):
        sampler(tmp_path / "t.parquet", columns=(["a"], ["b"]))


def test_a_column_of_a_parquet_file_may_be_a_single_name(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "_BLOCK", 100)
    x, y = numbered()
    pl.DataFrame({"age": x, "size": y}).write_parquet(tmp_path / "t.parquet")
    monkeypatch.setenv("HOME", str(tmp_path))
    first, second = sampler("~/t.parquet", columns=("age", "size"))(50, torch.Generator())
    assert torch.equal(2 * first, second)


def test_long_whole_numbers_that_floats_do_not_tell_apart_are_refused():
    with pytest.raises(ValueError, match="which single precision does not tell apart"):
        sampler(2**60 + np.arange(N) % 64, numbered()[1])


def test_no_names_of_columns_of_a_parquet_file(tmp_path):
    parquet(tmp_path)
    with pytest.raises(ValueError, match="columns has no names for x or for y: expected some of each"):
        sampler(tmp_path / "t.parquet", columns=([], ["b"]))
