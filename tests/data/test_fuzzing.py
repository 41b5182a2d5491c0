"""Tables of every kind, put together at random, end in a result that makes sense or in a sentence that says what is
wrong, and are left as they were."""

import datetime as dt
import math
import traceback
import warnings
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mibounds as mi
from mibounds import integrations

TINY = {"folds": 2, "steps": 2, "hidden": (8,), "test_negatives": 32, "workers": 1}
SUPPRESSED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
SUPPRESSED += [HealthCheck.function_scoped_fixture]  # it replaces constants
DAY = dt.datetime(2024, 2, 28, 23, 30)
WORDS = np.array(["yes", "no", "maybe", "Ünïcode", "", "a, b", "c=d", "others"])

# What other libraries say, and nobody who gave a table can use.
FOREIGN = (
    "mat1",
    "object has no attribute",
    "cannot be multiplied",
    "broadcast",
    "dtype('",
    "numpy",
    "narwhals",
    "sklearn",
    "torch.float",
    "linalg",
    "not subscriptable",
    "positional argument",
    "zip()",
    "math domain",
    "ufunc",
    "index out of",
    "invalid literal",
    "could not convert",
    "object is not",
)


def _objects(values):
    column = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        column[i] = value
    return column


def _numbers(n, rng):
    return rng.normal(size=n)


def _hours(n, rng):
    return rng.integers(-5000, 5000, n)


# A column of n values by its kind. Each is an array of a dtype, or of objects where it has none.
COLUMNS = {
    "numbers": _numbers,
    "float32": lambda n, rng: rng.normal(size=n).astype(np.float32),
    "float16": lambda n, rng: rng.normal(size=n).astype(np.float16),
    "long double": lambda n, rng: rng.normal(size=n).astype(np.longdouble),
    "far tails": lambda n, rng: rng.standard_cauchy(n) ** 3,
    "rounded": lambda n, rng: rng.normal(size=n).round(1),
    "offset": lambda n, rng: 1.7e9 + rng.normal(size=n),
    "tiny": lambda n, rng: 10.0 ** (-60 + 15 * rng.normal(size=n)),
    "subnormal": lambda n, rng: 5e-324 * rng.integers(0, 1000, n),
    "huge": lambda n, rng: rng.choice([-1.0, 1.0], n) * 10.0 ** rng.uniform(200, 308, n),
    "largest": lambda n, rng: np.where(rng.random(n) < 0.5, -1.7e308, 1.7e308) * rng.uniform(0.5, 1, n),
    "one far value": lambda n, rng: np.where(np.arange(n) == n // 2, 0.0, 1.6e9 + 30 * rng.normal(size=n)),
    "spike": lambda n, rng: np.where(np.arange(n) == n // 3, 1, 0),
    "codes": lambda n, rng: rng.integers(0, 4, n),
    "codes of one byte": lambda n, rng: rng.integers(0, 3, n).astype(np.int8),
    "many integers": lambda n, rng: rng.integers(0, 60, n),
    "long codes": lambda n, rng: 10**12 + rng.integers(0, 3, n),
    "account numbers": lambda n, rng: 10**15 + rng.permutation(n),
    "unsigned": lambda n, rng: rng.integers(0, 1000, n).astype(np.uint64) + np.uint64(2**63),
    "extreme integers": lambda n, rng: rng.choice([-(2**63), 2**63 - 1, 0], n),
    "integers of any length": lambda n, rng: _objects([10**30 + int(k) for k in rng.integers(0, 100, n)]),
    "integers beyond floats": lambda n, rng: _objects([10**400 + int(k) for k in rng.integers(0, 100, n)]),
    "row numbers": lambda n, rng: np.arange(n),
    "booleans": lambda n, rng: rng.random(n) < 0.4,
    "decimals": lambda n, rng: _objects([Decimal(f"{v:.3f}") for v in rng.normal(size=n)]),
    "fractions": lambda n, rng: _objects([Fraction(int(k), 7) for k in rng.integers(-99, 99, n)]),
    "complex": lambda n, rng: rng.normal(size=n) + 1j,
    "words": lambda n, rng: WORDS[rng.integers(0, len(WORDS), n)],
    "words as objects": lambda n, rng: _objects(WORDS[rng.integers(0, 3, n)].tolist()),
    "bytes": lambda n, rng: np.array([b"a", b"\xff", b"c"])[rng.integers(0, 3, n)],
    "names of rows": lambda n, rng: np.array([f"row {i}" for i in rng.permutation(n)]),
    "numbers as text": lambda n, rng: np.array([f"{v:.2f}" for v in rng.normal(size=n)]),
    "few numbers as text": lambda n, rng: np.array(["1", "2", "30"])[rng.integers(0, 3, n)],
    "dates as text": lambda n, rng: np.array([f"{DAY + dt.timedelta(days=int(k)):%Y-%m-%d}" for k in _hours(n, rng)]),
    "zip codes": lambda n, rng: np.array(["01067", "00501", "10115"])[rng.integers(0, 3, n)],
    "dates": lambda n, rng: np.datetime64(DAY) + _hours(n, rng).astype("timedelta64[h]"),
    "dates in days": lambda n, rng: np.datetime64("2024-02-28") + _hours(n, rng).astype("timedelta64[D]"),
    "dates as objects": lambda n, rng: _objects([DAY + dt.timedelta(hours=int(k)) for k in _hours(n, rng)]),
    "days as objects": lambda n, rng: _objects([(DAY + dt.timedelta(int(k) % 900)).date() for k in _hours(n, rng)]),
    "times of day": lambda n, rng: _objects([dt.time(int(k) % 24, 5) for k in _hours(n, rng)]),
    "durations": lambda n, rng: _hours(n, rng).astype("timedelta64[m]"),
    "durations as objects": lambda n, rng: _objects([dt.timedelta(minutes=int(k)) for k in _hours(n, rng)]),
    "constant": lambda n, rng: np.full(n, 3.5),
    "constant text": lambda n, rng: np.full(n, "same"),
    "nothing but missing": lambda n, rng: np.full(n, np.nan),
    "numbers and text": lambda n, rng: _objects([float(v) if v > 0 else "low" for v in rng.normal(size=n)]),
    "numbers and dates": lambda n, rng: _objects([float(v) if v > 0 else DAY for v in rng.normal(size=n)]),
    "lists": lambda n, rng: _objects([[float(v), 1.0] for v in rng.normal(size=n)]),
    "objects of no kind": lambda n, rng: _objects([object() for _ in range(n)]),
    "pairs as text": lambda n, rng: np.array([f"{i // 2} and {i // 2}" for i in range(n)]),
}
REFUSED = ["nothing but missing", "numbers and text", "numbers and dates", "lists", "objects of no kind", "complex"]
REFUSED += ["numbers as text", "dates as text", "times of day", "integers beyond floats"]
TAKEN = [kind for kind in COLUMNS if kind not in REFUSED]
NUMERIC = [kind for kind in TAKEN if COLUMNS[kind](4, np.random.default_rng(0)).dtype.kind in "biuf"]
MISSING = ["none"] * 14 + ["nan", "None", "inf", "one", "most"]
NAMES = ["text"] * 3 + ["numbers", "years", "tuples", "repeated", "None", "colliding", "odd"]
CONTAINERS = ["array", "array", "objects", "list", "rows", "tuples", "dictionary", "records", "pandas", "pandas"]
CONTAINERS += ["polars", "pyarrow", "tensor", "masked", "structured", "series", "frozen", "sparse", "categories"]
CONTAINERS += ["bfloat16", "tensors", "records of NumPy", "every second row", "lazy"]
COUNTED = ("contingency", "conditional_contingency", "entropy")
NEIGHBORS = ("ksg", "mixed_ksg", "conditional_ksg", "conditional_mixed_ksg")
CLASSICAL = (*COUNTED, *NEIGHBORS, "gaussian", "conditional_gaussian", "gaussian_copula", "gaussian_copula_full")
SCORERS = ("mi_regression", "mi_classification")
VERBS = ["estimate"] * 8 + ["conditional", "matrix", "bracket", "lagged", "independence_test"] * 2
VERBS += ["learning_curve", "transfer_entropy", "score_pairs", "consistency", *SCORERS, *CLASSICAL]
VERBS += ["trainer", "estimator"] * 2


@dataclass(frozen=True)
class Table:
    """What one variable is made of: the kinds of its columns, what is missing, and what holds it."""

    container: str
    columns: tuple[tuple[str, str], ...]
    names: str

    def made(self, n, seed):
        rng = np.random.default_rng(seed)
        columns = [_with_missing(COLUMNS[kind](n, rng), missing, rng) for kind, missing in self.columns]
        return _held(columns, self.container, _named(self.names, len(columns)))


@dataclass(frozen=True)
class Call:
    """A call, with all that decides it."""

    verb: str
    rows: int
    seed: int
    x: Table
    y: Table
    z: Table
    copied: bool
    nan: str
    kind: object
    groups: str
    weights: str

    def arguments(self):
        x, y, z = (table.made(self.rows, self.seed + i) for i, table in enumerate((self.x, self.y, self.z)))
        rng = np.random.default_rng(self.seed)
        return {
            "x": x,
            "y": x if self.copied else y,
            "z": z,
            "groups": {"": None, "few": rng.integers(0, 7, self.rows), "one": np.zeros(self.rows, dtype=int)}[
                self.groups
            ],
            "weights": {"": None, "even": rng.uniform(0.9, 1, self.rows), "odd": 10.0 ** rng.normal(size=self.rows)}[
                self.weights
            ],
        }


def _with_missing(column, missing, rng):
    if missing == "none" or not len(column):
        return column
    share = {"one": 0.0, "most": 0.9}.get(missing, 0.2)
    gone = rng.random(len(column)) < share
    gone[0] = True
    if missing == "inf" and column.dtype.kind == "f":
        return np.where(gone, rng.choice([-np.inf, np.inf], len(column)), column)
    if missing == "nan" and column.dtype.kind == "f":
        return np.where(gone, np.nan, column)
    if column.dtype.kind in "Mm":
        return np.where(gone, np.array("NaT", dtype=column.dtype), column)
    values = column.astype(object)
    values[gone] = float("nan") if missing == "nan" else None
    return values


def _named(names, count):
    return {
        "text": [f"column {i}" for i in range(count)],
        "numbers": [*range(count)],
        "years": [2020 + i for i in range(count)],
        "tuples": [("level", i) for i in range(count)],
        "repeated": ["same"] * count,
        "None": [None] * count,
        "colliding": ["c", "c=yes", "c=missing", "c=1"][:count],
        "odd": ["", " ", "x[0]", "\u2603"][:count],
    }[names]


def _held(columns, container, names):  # noqa: C901  (one for each container)
    texts = [str(name) for name in names]
    if container == "array" and len(columns) == 1:
        return columns[0]
    if container == "array" and len({column.dtype.kind for column in columns}) == 1:
        return np.column_stack(columns)
    if container in ("array", "objects", "frozen"):
        table = np.empty((len(columns[0]), len(columns)), dtype=object)
        for i, column in enumerate(columns):
            table[:, i] = column.tolist() if column.dtype.kind != "O" else column
        table.flags.writeable = container != "frozen"
        return table
    if container == "list":
        return columns[0].tolist()
    if container in ("rows", "tuples"):
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [list(row) for row in rows] if container == "rows" else [*rows]
    if container == "dictionary":
        return dict(zip(names, columns, strict=False))
    if container == "records":
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]
    if container in ("pandas", "categories"):
        if container == "categories":
            columns = [np.array([str(value) for value in column.tolist()]) for column in columns]
        frame = pd.concat([pd.Series(_plain(column)) for column in columns], axis=1)
        frame = frame.astype("category") if container == "categories" else frame
        frame.columns = pd.MultiIndex.from_tuples(names) if isinstance(names[0], tuple) else names
        return frame
    if container == "series":
        return pd.Series(_plain(columns[0]), name=names[0], index=np.arange(len(columns[0])) + 5)
    if container == "polars":
        unique = dict.fromkeys(texts)
        return pl.DataFrame(
            {name: _native(column) for name, column in zip(unique, columns, strict=False)}, strict=False
        )
    if container == "lazy":
        return _held(columns, "polars", names).lazy()
    if container == "every second row":
        return np.repeat(_held(columns, "array", names), 2, axis=0)[::2]
    if container == "pyarrow":
        return pa.table([pa.array(_native(column)) for column in columns], names=texts)
    numeric = [column for column in columns if column.dtype.kind in "biuf"] or [np.arange(len(columns[0])) % 7 / 2]
    floats = np.column_stack([column.astype(np.float64) for column in numeric])
    if container == "bfloat16":
        return torch.from_numpy(floats).bfloat16()
    if container == "tensors":
        return list(torch.from_numpy(floats))
    if container == "tensor":
        return torch.from_numpy(floats) if len(columns) > 1 else torch.tensor(floats[:, 0], requires_grad=True)
    if container == "masked":
        return np.ma.masked_array(floats, mask=np.arange(floats.size).reshape(floats.shape) % 11 == 3)
    if container == "sparse":
        from scipy.sparse import csr_matrix

        return csr_matrix(np.where(np.abs(floats) > 1, floats, 0))
    kept = {f"f{i}": column for i, column in enumerate(numeric)}
    made = np.empty(len(floats), dtype=[(name, column.dtype) for name, column in kept.items()])
    for name, column in kept.items():
        made[name] = column
    return list(made) if container == "records of NumPy" else made


def _plain(column):
    """A column as pandas takes it: it knows neither half nor long floats everywhere."""
    return column.astype(np.float64) if column.dtype.kind == "f" and column.dtype.itemsize not in (4, 8) else column


def _native(column):
    """A column for polars and pyarrow: what they refuse themselves becomes its text."""
    try:
        values = _plain(column)
        if values.dtype.kind in "OSU":
            values = values.tolist()
        pa.array(values)
        pl.Series("", values, strict=True)
        return values
    except (TypeError, ValueError, OverflowError, pa.ArrowException, pl.exceptions.PolarsError):
        return [None if value is None else str(value) for value in column.tolist()]


def _content(data):
    """All that data hold, as text, to see whether a call has changed them."""
    if isinstance(data, pd.DataFrame):
        columns = [data.iloc[:, i] for i in range(data.shape[1])]
        return repr(
            [[*data.columns], [*data.index], [str(kind) for kind in data.dtypes], [one.tolist() for one in columns]]
        )
    if isinstance(data, pd.Series):
        return repr([data.name, [*data.index], str(data.dtype), data.tolist()])
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.DataFrame):
        return repr([data.schema, data.rows()])
    if isinstance(data, pa.Table):
        return repr([data.schema, data.to_pydict()])
    if isinstance(data, np.ma.MaskedArray):
        return repr([data.data.tolist(), data.mask.tolist()])
    if isinstance(data, np.ndarray):
        return repr([str(data.dtype), data.flags.writeable, data.tolist()])
    if isinstance(data, torch.Tensor):
        return repr([data.dtype, data.requires_grad, data.grad, data.tolist()])
    if hasattr(data, "toarray"):
        return repr([data.data.tolist(), data.indices.tolist(), data.indptr.tolist()])
    if isinstance(data, dict):
        return repr({name: _content(column) for name, column in data.items()})
    return repr(data)


def _images(case, data):
    """What is given for images: the columns of an array or tensor as 4 x 2 pixels each, anything else as it is."""
    if isinstance(data, torch.Tensor) and data.dim() and len(data):
        return data.reshape(len(data), -1, 1, 1).expand(-1, -1, 4, 2)
    if type(data) is np.ndarray and data.dtype.names is None and data.size:
        return np.tile(data.reshape(len(data), -1, 1, 1), (1, 1, 4, 2))
    return data


def call(case, given):  # noqa: C901  (one for each verb)
    """The result of a call."""
    if case.verb in CLASSICAL:
        names = (
            ["x", "y", "z"] if case.verb.startswith("conditional") else ["x", "y"] if case.verb != "entropy" else ["x"]
        )
        return getattr(mi.classical, case.verb)(*[given[name] for name in names])
    if case.verb == "consistency":
        return mi.consistency(_images(case, given["x"]), **TINY)
    if case.verb == "trainer":
        critic = mi.critics.SeparableCritic(len(case.x.columns), len(case.y.columns), hidden=(8,))
        settings = {name: value for name, value in TINY.items() if name != "hidden"}
        trainer = mi.Trainer(nan=case.nan, **settings)
        return trainer.fit(mi.MIEstimator(critic, mi.bounds.InfoNCE()), given["x"], given["y"], groups=given["groups"])
    if case.verb == "estimator":
        model = integrations.MutualInformation(x_type=case.kind, nan=case.nan, **TINY)
        model.fit(given["x"], given["y"], groups=given["groups"], sample_weight=given["weights"])
        assert model.value_ == model.result_.value
        return model.result_
    if case.verb in SCORERS:
        return getattr(integrations, case.verb)(given["x"], given["y"], nan=case.nan, **TINY)
    types = {} if case.kind is None else {"x_type": case.kind}
    more = {"nan": case.nan}
    if case.verb not in ("lagged", "matrix", "transfer_entropy"):
        more |= {"groups": given["groups"], "sample_weight": given["weights"]}
    if case.verb == "matrix":
        return mi.matrix(given["x"], nan=case.nan, folds=2, workers=1)
    if case.verb == "conditional":
        return mi.conditional(given["x"], given["y"], given["z"], **types, **more, **TINY)
    if case.verb == "lagged":
        return mi.lagged(given["x"], given["y"], [0, 2], **types, **more, **TINY)
    if case.verb == "transfer_entropy":
        return mi.transfer_entropy(given["x"], given["y"], **types, **more, **TINY)
    if case.verb == "learning_curve":
        return mi.learning_curve(given["x"], given["y"], sizes=[50, 55, 60], repeats=1, **types, **more, **TINY)
    if case.verb == "score_pairs":
        fitted = mi.estimate(given["x"], given["y"], **types, **more, **TINY).fitted
        other = replace(case, seed=case.seed + 7, copied=False).arguments()  # with categories that did not occur
        return fitted.score_pairs(other["x"], other["y"], nan="drop") if fitted is not None else torch.zeros(1)
    if case.verb == "independence_test":
        return mi.independence_test(given["x"], given["y"], permutations=9, **types, **more, **TINY)
    if case.verb == "bracket":
        return mi.bracket(given["x"], given["y"], **types, **more, **TINY)
    return mi.estimate(given["x"], given["y"], **types, **more, **TINY)


def _parts(result):
    """The results that a result is made of."""
    if isinstance(result, mi.results.LaggedResult):
        return result.results
    return (result.independent, *result.nested.values(), result.processed, result.single, result.double)


def check_result(result):
    """Finite, in order, and at most what a label can tell."""
    if isinstance(result, float):
        assert not math.isnan(result)
        return
    if isinstance(result, np.ndarray):  # of columns
        assert np.isfinite(result).all()
        return
    if isinstance(result, torch.Tensor):  # rows with missing values have none
        assert not torch.isinf(result).any()
        return
    if isinstance(result, mi.results.MatrixResult):
        off = ~np.eye(len(result.names), dtype=bool)
        if result.counts is not None:  # of pairs with 50 common rows
            off &= np.nan_to_num(result.counts) >= 50
        # A column that varies in one row has no value, and a warning names the pairs.
        told = any("of the pairs have no value" in str(one) for one in result.warnings)
        assert np.isfinite(np.asarray(result.values)[off]).all() or told
        assert not (np.asarray(result.stderr)[off] < 0).any()
        return
    if isinstance(result, mi.results.LaggedResult | mi.results.ConsistencyResult):
        for one in _parts(result):
            check_result(one)
        return
    if isinstance(result, mi.results.IndependenceTestResult):
        assert 0 < result.pvalue <= 1
        check_result(result.estimate)
        return
    low, high = result.interval
    assert low <= high
    if isinstance(result, mi.results.LearningCurveResult):
        assert np.isfinite(result.values).all()
        return
    if isinstance(result, mi.results.BracketResult):
        assert math.isfinite(result.lower) and math.isfinite(result.upper)
        return
    assert math.isfinite(result.value) and math.isfinite(result.stderr)
    assert low - 1e-6 <= result.value <= high + 1e-6
    assert result.stderr >= 0
    if result.entropy_limit is not None:
        assert result.value <= result.entropy_limit + 1e-6
        assert high <= result.entropy_limit + 1e-6


def check_sentence(error):
    """One of this package's own sentences."""
    said = str(error)
    assert said.endswith((".", "?")), said
    assert len(said) > 20, said
    for phrase in FOREIGN:
        assert phrase not in said.lower(), said


def _is_said_by_scikit_learn(error):
    """Does it come from scikit-learn's own checks, which its estimators share?"""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return last.filename.endswith(("sklearn/utils/validation.py", "sklearn/utils/_array_api.py"))


def check(case):
    """A call, its outcome, and its data afterwards."""
    given = case.arguments()
    before = {name: _content(data) for name, data in given.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", mi.MIWarning)
        try:
            result = call(case, given)
        except (TypeError, ValueError) as error:
            if case.verb != "estimator" or not _is_said_by_scikit_learn(error):
                check_sentence(error)
        else:
            check_result(result)
    after = {name: _content(data) for name, data in given.items()}
    assert after == before, "the data are as they were"


@st.composite
def tables(draw, most=4):
    """A table of up to four columns, in most cases of columns that can be measured."""
    kinds = st.sampled_from(draw(st.sampled_from([NUMERIC, TAKEN, TAKEN, TAKEN, [*COLUMNS]])))
    columns = draw(st.lists(st.tuples(kinds, st.sampled_from(MISSING)), min_size=1, max_size=most))
    return Table(draw(st.sampled_from(CONTAINERS)), tuple(columns), draw(st.sampled_from(NAMES)))


calls = st.builds(
    Call,
    verb=st.sampled_from(VERBS),
    rows=st.sampled_from([60, 70, 80, 90, 101, 110, 120, 130] * 4 + [49, 1, 0]),
    seed=st.integers(0, 10**6),
    x=tables(),
    y=tables(most=2),
    z=tables(most=2),
    copied=st.sampled_from([False] * 7 + [True]),
    nan=st.sampled_from(["raise", "drop", "drop", "indicator"]),
    kind=st.sampled_from([None] * 6 + ["categorical", "continuous"]),
    groups=st.sampled_from([""] * 6 + ["few", "one"]),
    weights=st.sampled_from([""] * 6 + ["even", "odd"]),
)


@pytest.mark.usefixtures("one_regularization")
@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=SUPPRESSED, database=None)
@given(calls)
def test_any_table_gives_a_result_or_a_sentence_and_stays_as_it_is(case):
    check(case)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, suppress_health_check=SUPPRESSED, database=None)
@given(calls)
def test_two_thousand_tables_give_a_result_or_a_sentence_and_stay_as_they_are(case):
    check(case)


@pytest.mark.slow
@pytest.mark.supervised
@settings(max_examples=200, deadline=None, suppress_health_check=SUPPRESSED, database=None)
@given(calls)
def test_learners_take_two_hundred_of_them(case):
    check(case)
