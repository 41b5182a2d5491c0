import json
import re

import pytest

from mibounds.data.json_tables import read_json


def read(text, lines=False):
    return read_json(text, "t.json", lines=lines).to_dict(as_series=False)


ROWS = [{"a": 1, "b": "u"}, {"a": 2, "b": "v"}]
TABLE = {"a": [1, 2], "b": ["u", "v"]}
LINES = "\n".join(map(json.dumps, ROWS))


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        LINES, f"\n{LINES}\n\n", LINES.replace("\n", " "), "\n".join(json.dumps(row, indent=2) for row in ROWS),
        json.dumps(ROWS), json.dumps(ROWS, indent=2),
    ],
)  # fmt: skip
def test_rows_one_after_another_and_lists_of_rows_whatever_the_ending(text, lines):
    assert read(text, lines) == TABLE


def test_a_single_object():
    assert read('{"a": 1, "b": "u"}') == read('{"a": 1, "b": "u"}', lines=True) == {"a": [1], "b": ["u"]}
    assert read('{"a": [1, 2]}') == {"a": [1, 2]}
    assert read('{"a": [1, 2]}', lines=True) == {"a": [[1, 2]]}


@pytest.mark.parametrize("order", [1, -1])
def test_rows_of_columns_are_those_of_all_columns(order):
    columns = {"a": {"0": 1, "2": 3}, "b": {"0": 4, "1": 5, "2": 6, "10": 7}}
    text = json.dumps(dict([*columns.items()][::order]))
    assert read(text) == {"a": [1, None, 3, None], "b": [4, 5, 6, 7]}
    text = json.dumps(dict([*{"a": {"u": 1}, "b": {"u": 2, "v": 3}}.items()][::order]))
    assert read(text) == {"a": [1, None], "b": [2, 3]}
    text = json.dumps({"a": {"2": 1, "1": 2}, "b": {"2": 3, "1": 4}})
    assert read(text) == {"a": [1, 2], "b": [3, 4]}


def test_whole_numbers_beyond_floats():
    assert read(f'[{{"a": {10**400}}}, {{"a": 0.5}}, {{"a": -{10**400}}}]') == {"a": [float("inf"), 0.5, float("-inf")]}
    assert read('[{"a": "' + "1" * 5000 + '"}]') == {"a": ["1" * 5000]}


@pytest.mark.parametrize(
    "text, sentence",
    [
        ('[{"a": 1, "a": 2}]', "t.json has an object with the name 'a' twice, in what begins in line 1: give each"),
        (
            '{"a": 1}\n{"a": 1, "b": 2, "b": 3}',
            "t.json has an object with the name 'b' twice, in what begins in line 2",
        ),
        ('{"a": [1], "a": [2]}', "t.json has an object with the name 'a' twice"),
        ('[{"a": ' + "1" * 5000 + "}]", "t.json has a whole number of more than 4,300 digits: write it as text"),
        ('[{"a": "x\\ud800"}]', "t.json has half a character, '\\ud800', in 'x\\ud800': write the text again"),
        ('[{"\\ud800": 1}]', "t.json has half a character, '\\ud800', in '\\ud800': write the text again"),
        ('{"a": 1}\n{"a": }', "line 2 of t.json is no valid JSON: Expecting value at character 7."),
        ('[{"a": 1}]\nx', "line 2 of t.json is no valid JSON: Expecting value at character 1."),
        ('{"a": 1}\n[2]', "t.json is no table: expected a list of objects"),
        ("[1]\n[2]", "t.json is no table: expected a list of objects"),
        ("[" * 100_000, "t.json is no table but nested too deep"),
    ],
)
@pytest.mark.parametrize("lines", [False, True])
def test_what_is_no_table(text, sentence, lines):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}") as error:
        read(text, lines)
    assert "\n" not in str(error.value)


def test_a_name_may_be_empty():
    assert read('[{"": 1, "column_0": 2, "y": 3}]') == {"": [1], "column_0": [2], "y": [3]}
