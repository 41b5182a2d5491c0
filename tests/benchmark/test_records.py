import pytest

from mibounds.benchmark.records import (
    Failed,
    Key,
    Measured,
    append_line,
    append_record,
    drop_half_line,
    read_lines,
    read_records,
)

KEY = Key("quick", "task", "default", 100, 0)
MEASURED = Measured(*KEY, 0.5, 2.0, {"mibounds": "1"}, 0.75, 0.1, 0.45, 0.9, "InfoNCE", False, ["extrapolated"])
FAILED = Failed(*KEY._replace(seed=1), 0.5, 2.0, {"mibounds": "1"}, "ValueError: no")


def test_lines_come_back(tmp_path):
    path = tmp_path / "results.jsonl"
    assert read_records(path) == []
    append_record(path, MEASURED)
    append_record(path, FAILED)
    assert read_records(path) == [MEASURED, FAILED]
    assert path.read_text().count("\n") == 2
    assert MEASURED.key == KEY


def test_error_and_hit():
    assert MEASURED.deviation == 0.25
    assert MEASURED.hit


def test_a_half_written_line_is_no_record_and_goes(tmp_path):
    path = tmp_path / "results.jsonl"
    drop_half_line(path)
    append_record(path, MEASURED)
    with path.open("a") as file:
        file.write('{"suite": "qui')
    assert read_records(path) == [MEASURED]
    drop_half_line(path)
    append_record(path, FAILED)
    assert read_records(path) == [MEASURED, FAILED]
    drop_half_line(path)
    assert read_records(path) == [MEASURED, FAILED]


def test_lines_of_scripts_are_any_records(tmp_path):
    path = tmp_path / "results.jsonl"
    assert read_lines(path) == []
    append_line(path, {"n": 1})
    with path.open("a") as file:
        file.write('{"n"')
    assert read_lines(path) == [{"n": 1}] and path.read_text() == '{"n": 1}\n'


@pytest.mark.parametrize("line", ["not JSON", "[1]", "3", '{"value": 1}', ""])
def test_a_foreign_line_is_named(tmp_path, line):
    path = tmp_path / "results.jsonl"
    append_record(path, MEASURED)
    with path.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ValueError, match=r"results.jsonl, line 2 is not a record of a benchmark"):
        read_records(path)
