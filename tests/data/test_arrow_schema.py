import io
import random
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest

from mibounds.data.arrow_schema import check_arrow

ONE = pa.array([1, 2])
UNION = pa.UnionArray.from_dense(pa.array([0, 0], pa.int8()), pa.array([0, 1], pa.int32()), [ONE])
LONG = pa.array([Decimal(1), Decimal(2)], type=pa.decimal256(60, 2))
REFUSED = {
    "decimals of 256 bits": pa.table({"ok": ONE, "bad": LONG}),
    "intervals": pa.table({"bad": pa.array([(1, 2, 3)] * 2, type=pa.month_day_nano_interval())}),
    "unions": pa.table({"bad": UNION}),
    "runs": pa.table({"bad": pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([1]))}),
    "decimals of 256 bits ": pa.table({"bad": pa.array([[Decimal(1)]], type=pa.list_(pa.decimal256(60, 2)))}),
}  # fmt: skip
READ = {
    "plain": pa.table({"a": ONE, "b": ["x", None], "c": pa.array(["u", "v"]).dictionary_encode()}),
    "decimal": pa.table({"d": pa.array([Decimal(1)], type=pa.decimal128(38, 2))}),
    "nested": pa.table({"l": [[1], [2]], "s": [{"a": 1}, {"a": 2}]}),
    "named": pa.table({"größe": ONE}),
}


def written(table, stream):
    file = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", [*REFUSED])
def test_columns_that_polars_does_not_read(what, stream):
    with pytest.raises(ValueError, match=f"^column 'bad' of t.arrow holds {what.strip()}, which are not read: save it"):
        check_arrow(written(REFUSED[what], stream), "t.arrow")


@pytest.mark.parametrize("stream", [False, True])
def test_names_that_repeat(stream):
    table = pa.table([ONE, ONE, ONE], names=["b", "a", "a"])
    with pytest.raises(ValueError, match=r"^t.arrow has two columns with the name 'a': give each a name of its own\.$"):
        check_arrow(written(table, stream), "t.arrow")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", [*READ])
def test_columns_that_are_read(what, stream):
    content = written(READ[what], stream)
    check_arrow(content, "t.arrow")
    assert (pl.read_ipc_stream if stream else pl.read_ipc)(io.BytesIO(content)).height == READ[what].num_rows


def test_damaged_files_are_left_to_the_reader():
    content = written(READ["plain"], stream=False)
    rng = random.Random(0)
    for _ in range(2000):
        damaged = bytearray(content[: rng.randrange(len(content))])
        for _ in range(min(4, len(damaged))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            check_arrow(bytes(damaged), "t.arrow")
        except ValueError as error:  # a changed byte may be that of a type or of a name
            assert "t.arrow" in str(error)
    check_arrow(b"", "t.arrow")
    check_arrow(b"ARROW1xxxxx", "t.arrow")
