import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Optional

import numpy as np
import pytest

from mibounds.results.records import decode, decode_fields, encode
from mibounds.warnings import CeilingWarning, MIWarning

Unit = Literal["nats", "bits"]


@dataclass
class Point:
    x: float
    names: tuple[str, ...] = ()
    none: float | None = None
    extra: Mapping[int, tuple[float, float]] = field(default_factory=dict)


@pytest.mark.parametrize(
    "value, hint, record",
    [
        (0.5, float, 0.5),
        (math.inf, float, "inf"),
        (-math.inf, float, "-inf"),
        (3, int, 3),
        (True, bool, True),
        ("a", str, "a"),
        (None, Optional[float], None),  # noqa: UP045
        (None, float | None, None),
        (0.5, float | None, 0.5),
        ("bits", Unit, "bits"),
        ((1.0, 2.0), tuple[float, float], [1.0, 2.0]),
        (("a", "b"), tuple[str, ...], ["a", "b"]),
        ((("a",), ()), tuple[tuple[str, ...], tuple[str, ...]], [["a"], []]),
        ({"a": 1.0}, Mapping[str, float], {"a": 1.0}),
        ({3: "a"}, Mapping[int, str], {"3": "a"}),
        ({"any": [1, None]}, Any, {"any": [1, None]}),
        (Point(1.0, ("a",), None, {2: (0.5, 1.5)}), Point, {"x": 1.0, "names": ["a"], "none": None,
                                                            "extra": {"2": [0.5, 1.5]}}),
    ],
)  # fmt: skip
def test_there_and_back(value, hint, record):
    assert encode(value) == record
    back = decode(record, hint)
    assert back == value
    assert type(back) is type(value)


def test_nan_and_arrays():
    table = np.array([[math.nan, 0.5], [math.inf, -math.inf]])
    record = encode(table)
    assert record == [[None, 0.5], ["inf", "-inf"]]
    back = decode(record, np.ndarray[tuple[Any, ...], np.dtype[np.float64]])
    assert back.dtype == np.float64
    np.testing.assert_array_equal(back, table)
    assert math.isnan(decode(encode(math.nan), float))
    assert math.isnan(encode(math.nan, strict=False))
    assert encode((math.inf,), strict=False) == [math.inf]


def test_numpy_numbers_become_plain_ones():
    for value, kind in ((np.float32(0.5), float), (np.int64(3), int), (np.bool_(True), bool), (np.float64(0.5), float)):
        assert type(encode(value)) is kind


def test_warnings():
    record = encode((CeilingWarning("near"),))
    assert record == [{"code": "ceiling", "message": "near"}]
    (back,) = decode(record, tuple[MIWarning, ...])
    assert type(back) is CeilingWarning
    assert str(back) == "near"


@pytest.mark.parametrize(
    "value, hint, message",
    [
        ("0.5", float, "expected int or float, found '0.5'"),
        (True, float, "expected int or float, found True"),
        (1, bool, "expected bool, found 1"),
        (1.5, int, "expected int, found 1.5"),
        ("bans", Unit, "expected one of 'nats', 'bits', found 'bans'"),
        ([1.0], tuple[float, float], "expected 2 entries, found 1"),
        ({}, tuple[float, ...], "expected list or tuple, found {}"),
        ([], Mapping[str, float], r"expected Mapping, found \[\]"),
        (0.5, MIWarning, "expected Mapping, found 0.5"),
    ],
)
def test_what_does_not_fit_is_refused(value, hint, message):
    with pytest.raises((TypeError, ValueError), match=message):
        decode(value, hint)


def test_fields():
    assert decode_fields(Point, {"x": 1, "unknown": 3}) == {"x": 1.0}
    with pytest.raises(ValueError, match="the record of a Point lacks x"):
        decode_fields(Point, {"names": []})
    with pytest.raises(ValueError, match="names of a Point: expected str, found 1"):
        decode_fields(Point, {"x": 1, "names": [1]})


def test_what_json_cannot_hold():
    with pytest.raises(TypeError, match="A set has no form in JSON"):
        encode({"a": {1}})
