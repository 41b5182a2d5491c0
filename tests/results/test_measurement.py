"""The contract of all results: every class passes through every method of the base."""

import copy
import html
import inspect
import json
import math
import pickle
import re
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from numbers import Real

import matplotlib.figure
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mibounds import results
from mibounds.results import Measurement, Result
from mibounds.warnings import MIWarning

LN2 = math.log(2)
CLASSES = [
    kind
    for kind in (getattr(results, name) for name in results.__all__)
    if issubclass(kind, Measurement) and kind is not Measurement
]
# The fields in the unit of the result, written a second time on purpose: a field whose metadata is forgotten fails.
IN_UNIT = {
    "Result": ["value", "stderr", "estimates", "cross_checks", "lower_bound_estimate", "entropy_limit",
               "interval_bias", "fold_values"],
    "BracketResult": ["lower", "lower_stderr", "upper", "upper_stderr", "train_test_gap", "estimates",
                      "entropy_limit"],
    "ConditionalResult": ["value", "stderr", "interval_bias", "entropy_limit"],
    "TransferEntropyResult": [],
    "LaggedResult": [],
    "LearningCurveResult": ["values", "stderrs", "limit", "limit_stderr", "slope"],
    "MatrixResult": ["values", "stderr"],
    "IndependenceTestResult": ["statistic"],
    "ConsistencyResult": [],
}  # fmt: skip
NESTED = {
    "ConditionalResult": ["parts"],
    "TransferEntropyResult": ["conditional"],
    "LaggedResult": ["results"],
    "LearningCurveResult": ["estimate"],
    "IndependenceTestResult": ["estimate"],
    "ConsistencyResult": ["independent", "nested", "processed", "single", "double"],
}
WITHOUT_A_NUMBER = {"BracketResult", "MatrixResult", "ConsistencyResult"}
WITHOUT_AN_INTERVAL = {"MatrixResult", "ConsistencyResult", "IndependenceTestResult"}


def flat(entry):
    """All numbers of a field, in order."""
    if isinstance(entry, Measurement):
        return [number for name in IN_UNIT[type(entry).__name__] for number in flat(getattr(entry, name))] + [
            number for name in NESTED.get(type(entry).__name__, ()) for number in flat(getattr(entry, name))
        ]
    if isinstance(entry, dict):
        entry = list(entry.values())
    if isinstance(entry, np.ndarray):
        return entry.ravel().tolist()
    if isinstance(entry, (tuple, list)):
        return [number for one in entry for number in flat(one)]
    return [entry]


def words(text):
    return set(re.findall(r"[^\s:;,()\[\]]+", text))


def test_every_class_has_an_example_and_an_entry_in_the_tables(examples):
    assert {kind.__name__ for kind in CLASSES} == set(examples) == set(IN_UNIT)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_declarations(kind):
    assert is_dataclass(kind)
    assert not inspect.isabstract(kind)
    assert kind.__dataclass_params__.frozen
    for name in ("__eq__", "__hash__", "__repr__", "__float__", "__format__", "__round__", "__lt__", "to", "to_dict",
                 "from_dict", "save", "load", "_repr_html_"):  # fmt: skip
        assert getattr(kind, name).__qualname__ == f"Measurement.{name}"
    assert all(field.kw_only for field in fields(kind))
    assert [field.name for field in fields(kind) if field.metadata.get("information")] == IN_UNIT[kind.__name__]
    documented = set(re.findall(r"^    +(\w+): ", kind.__doc__, re.MULTILINE))
    assert {field.name for field in fields(kind)} <= documented


def test_every_class_carries_the_common_attributes(example):
    assert isinstance(example.n, int)
    assert example.unit == "nats"
    assert example.level in (0.9, 0.95)
    assert all(isinstance(warning, MIWarning) for warning in example.warnings)
    assert example.warnings
    assert example.seed == 3
    assert example.versions["mibounds"] == "0.1.0"


def test_bits_are_nats_over_ln_2_in_every_field_and_nowhere_else(example):
    bits = example.to("bits")
    name = type(example).__name__
    assert type(bits) is type(example)
    assert bits.unit == "bits"
    for field in fields(example):
        before, after = getattr(example, field.name), getattr(bits, field.name)
        if field.name in IN_UNIT[name] or field.name in NESTED.get(name, ()):
            numbers = np.array(flat(before), dtype=float)
            assert np.count_nonzero(np.nan_to_num(numbers))
            np.testing.assert_allclose(np.array(flat(after), dtype=float), numbers / LN2, rtol=1e-14)
            assert type(after) is type(before)
            if isinstance(before, dict):
                assert list(after) == list(before)
        elif field.name != "unit":
            assert after is before


def test_to_bits_and_back(example):
    back = example.to("bits").to("nats")
    assert back.unit == example.unit
    np.testing.assert_allclose(
        np.array(flat(back), dtype=float), np.array(flat(example), dtype=float), rtol=1e-14, equal_nan=True
    )
    assert repr(back) == repr(example)
    assert example.to() == example
    assert example.to("nats") == example


def test_nested_results_follow_the_unit_and_the_level(example):
    converted = example.to("bits", level=0.5)
    assert converted.unit == "bits"
    for _, part in converted._named_parts():
        assert (part.unit, part.level) == ("bits", 0.5)
    assert len(list(converted._named_parts())) == len(list(example._named_parts()))


def test_another_level(example):
    narrow, wide = example.to(level=0.5), example.to(level=0.99)
    assert narrow.level == 0.5
    assert example.to(level=0.5).unit == example.unit
    if type(example).__name__ not in WITHOUT_AN_INTERVAL:
        assert wide.interval[0] < example.interval[0] < narrow.interval[0]
        assert wide.interval[1] >= example.interval[1] >= narrow.interval[1]


def test_a_wrong_unit_or_level_is_refused(example):
    with pytest.raises(ValueError, match="unit is 'bit': expected 'nats' or 'bits'"):
        example.to("bit")
    with pytest.raises(ValueError, match="level is 95, and must lie strictly between 0 and 1"):
        example.to(level=95)
    with pytest.raises(TypeError, match=r"level is '0.9' \(a str\): expected a number strictly between 0 and 1"):
        example.to(level="0.9")


def test_through_a_dictionary_and_json(example):
    record = example.to_dict()
    assert record["type"] == type(example).__name__
    text = json.dumps(record, allow_nan=False)
    for reader in (type(example), Measurement):
        back = reader.from_dict(json.loads(text))
        assert type(back) is type(example)
        assert back == example
        assert back.to_dict() == record
        assert repr(back) == repr(example)
        assert [type(warning) for warning in back.warnings] == [type(warning) for warning in example.warnings]
    for field in fields(example):
        assert (field.name in record) == (field.name not in ("pointwise", "fitted"))


def test_interval_and_unit_are_in_the_record(example):
    record = example.to_dict()
    assert record["unit"] == "nats"
    if type(example).__name__ not in WITHOUT_AN_INTERVAL:
        assert record["interval"] == list(example.interval)


def test_save_and_load(example, tmp_path):
    path = tmp_path / "result.json"
    example.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]
    for reader in (type(example), Measurement):
        back = reader.load(path)
        assert type(back) is type(example)
        assert back == example


def test_another_class_is_not_loaded(example, examples, tmp_path):
    other = next(one for name, one in examples.items() if name != type(example).__name__)
    path = tmp_path / "result.json"
    other.save(path)
    name, found = type(example).__name__, type(other).__name__
    with pytest.raises(ValueError, match=rf"cannot be loaded as a {name}: the record is of a {found}, and not of a"):
        type(example).load(path)


@pytest.mark.parametrize(
    "text, what",
    [
        ("{", "Expecting property name"),
        ("[1, 2]", "it holds a list, and not a record"),
        ("{}", "unknown type None. Known: "),
        ('{"type": "Resul"}', "unknown type 'Resul'. Did you mean 'Result'?"),
        ('{"type": "Result", "value": 1}', "lacks stderr, estimates, method, n"),
    ],
)
def test_a_damaged_file_gives_one_sentence(text, what, tmp_path):
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(what)) as caught:
        Measurement.load(path)
    assert str(caught.value).startswith(f"{str(path)!r} cannot be loaded as a Measurement: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name, wrong", [("value", "0.5"), ("n", 0.5), ("unit", "bans"), ("estimates", [1]),
                                         ("interval_bias", [0.1]), ("extrapolated", 1), ("curves", [{}])])  # fmt: skip
def test_a_field_of_another_type_gives_one_sentence(name, wrong, examples, tmp_path):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(examples["Result"].to_dict() | {name: wrong}))
    with pytest.raises(ValueError, match=f"cannot be loaded as a Result: {name} of a Result: "):
        Result.load(path)


def test_bytes_and_a_missing_file(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\xff\xfe")
    with pytest.raises(ValueError, match="cannot be loaded as a Result"):
        Result.load(tmp_path / "picture.png")
    with pytest.raises(FileNotFoundError, match=r"There is no file '.*none.json' to load a result from"):
        Result.load(tmp_path / "none.json")


def test_a_folder_that_does_not_exist(example, tmp_path):
    for write in (example.save, example.report):
        with pytest.raises(FileNotFoundError, match="There is no folder '.*nowhere'"):
            write(tmp_path / "nowhere" / "r")


def test_a_folder_is_no_file(example, tmp_path):
    for make in (example.save, example.report, type(example).load, Measurement.load):
        with pytest.raises(IsADirectoryError, match=r"is a folder: expected the path of an? .*\.?$") as caught:
            make(tmp_path)
        assert repr(str(tmp_path)) in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("record", [None, [], "result.json"])
def test_a_record_is_a_dictionary(record):
    with pytest.raises(TypeError, match=r"^the record is .*: expected the dictionary that to_dict returned\.$"):
        Result.from_dict(record)


def test_text_fits_88_columns_and_names_every_warning_code(example):
    lines = repr(example).splitlines()
    assert max(map(len, lines)) <= 88
    assert str(example) == format(example, "") == f"{example}" == repr(example)
    for warning in example.warnings:
        assert warning.code in repr(example)
    assert f"{example.n:,}" in repr(example) or isinstance(example, results.LearningCurveResult)


def test_html_holds_all_that_print_shows(example):
    page = example._repr_html_()
    assert words(repr(example)) <= words(html.unescape(re.sub(r"<[^>]*>", " ", page)))
    assert "<x>" not in page
    assert "<near>" not in page
    assert page.count("<h4>") == 1
    assert page.count("<table>") == page.count("</table>")
    content = example._content()
    assert page.count("<li>") == len(content.warnings)
    for warning in content.warnings:
        assert f"<code>{warning.code}</code>: {html.escape(str(warning))}" in page


def test_numbers_are_printed_in_the_unit_of_the_result(example):
    assert "bits" in repr(example.to("bits"))
    assert "nats" not in re.sub(r"warning [\s\S]*", "", repr(example.to("bits")))


def test_the_number(example):
    if type(example).__name__ in WITHOUT_A_NUMBER:
        for use in (float, round, "{:.2f}".format, lambda one: one > 0.3, lambda one: sorted([one, one])):
            with pytest.raises(TypeError, match=f"A {type(example).__name__} is not a single number: use "):
                use(example)
        assert example != 0.5
        return
    number = float(example)
    assert isinstance(number, float)
    assert f"{example:.3f}" == f"{number:.3f}"
    assert f"{example:>10.2e}" == f"{number:>10.2e}"
    assert round(example, 2) == round(number, 2)
    assert isinstance(round(example, 2), float)
    assert round(example) == round(number)
    assert np.float64(example) == number


def test_comparison_with_numbers(example):
    if type(example).__name__ in WITHOUT_A_NUMBER:
        pytest.skip("not a single number")
    number = float(example)
    low, high = number - 0.1, number + 0.1
    assert example > low and example >= low and low < example and low <= example
    assert example < high and example <= high and high > example and high >= example
    assert not example < low and not example <= low and not example > high and not example >= high
    assert example == number and number == example and example != low
    assert example >= number and example <= number and not example > number and not example < number
    assert example > np.float64(low) and example < np.float32(high)
    assert hash(example) == hash(number)
    with pytest.raises(TypeError):
        _ = example < "0.5"
    assert example != "0.5"


def test_comparison_is_in_one_unit(examples):
    result = examples["Result"]
    bits = result.to("bits")
    larger = replace(result, value=0.9)
    assert float(bits) > float(larger)
    assert bits < larger and larger > bits
    assert sorted([larger, bits]) == [bits, larger]
    assert max(bits, larger) is larger


def test_equality_is_that_of_all_fields_but_transient_ones(example):
    assert example == copy.copy(example)
    assert example != example.to("bits")
    assert example != object()
    assert (example == 1) is False
    for field in fields(example):
        value = getattr(example, field.name)
        if field.name in ("pointwise", "fitted"):
            assert replace(example, **{field.name: object()}) == example
        elif isinstance(value, (Real, np.ndarray)) and not isinstance(value, bool):
            assert replace(example, **{field.name: value + 1}) != example


def test_equality_of_warnings_and_nan(examples):
    result = examples["Result"]
    one, other = result.warnings
    assert result == replace(result, warnings=(type(one)(str(one)), other))
    assert result != replace(result, warnings=(type(other)(str(one)), other))
    assert result != replace(result, warnings=(type(one)("text"), other))
    assert result != replace(result, warnings=(one,))
    undefined = replace(result, value=math.nan, estimates={"a": math.nan})
    assert undefined == replace(result, value=float("nan"), estimates={"a": float("nan")})
    assert hash(undefined) == hash(replace(result, value=float("nan"), estimates={"a": float("nan")}))
    assert undefined != result
    assert replace(result, estimates={"b": 0.5}) != replace(result, estimates={"a": 0.5})


def test_hash_pickle_and_copies(example):
    assert hash(example) == hash(copy.copy(example))
    assert len({example, copy.copy(example)}) == 1
    for twin in (pickle.loads(pickle.dumps(example)), copy.copy(example), copy.deepcopy(example)):
        assert type(twin) is type(example)
        assert twin == example
        assert repr(twin) == repr(example)


def test_nothing_can_be_assigned(example):
    with pytest.raises(AttributeError):
        example.unit = "bits"


def test_the_interval(example):
    if type(example).__name__ in WITHOUT_AN_INTERVAL:
        assert not hasattr(example, "interval")
        with pytest.raises(AttributeError, match=f"{type(example).__name__} has no interval"):
            _ = example.interval
        return
    low, high = example.interval
    assert low < high
    bits = example.to("bits").interval
    assert bits == pytest.approx([end / LN2 for end in (low, high)], rel=1e-12)


def test_a_figure_shows_itself(example):
    figure = example.plot()
    assert isinstance(figure, matplotlib.figure.Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert figure.axes
    assert any("bits" in label for axis in example.to("bits").plot().axes for label in texts(axis))


def texts(axis):
    return [axis.get_xlabel(), axis.get_ylabel(), axis.get_title(), axis.get_title(loc="left")]


def test_a_figure_is_drawn_into_given_axes(example):
    figure = matplotlib.figure.Figure()
    FigureCanvasAgg(figure)
    first, second = figure.subplots(1, 2)
    assert example.plot(ax=second) is figure
    assert second.has_data()
    assert not first.has_data()
    figure.canvas.draw()


def test_a_report_is_one_page_with_all_that_print_shows(example, tmp_path):
    path = tmp_path / "report.html"
    example.report(path, command="mi.verb(x, <y>)")
    page = path.read_text(encoding="utf-8")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    assert "mi.verb(x, &lt;y&gt;)" in page
    assert "<svg" in page
    assert "Seed 3" in page
    assert "torch 2.13.0" in page
    assert not re.search(r"<script|<link|src=", page)
    for warning in example.warnings:
        assert html.escape(str(warning), quote=False) in page
        assert warning.code in page
    if not isinstance(example, Result):  # which has its own page, with more digits
        printed = words(repr(example)) - {"warning"}  # which is the heading of a section
        assert printed <= words(html.unescape(re.sub(r"<[^>]*>", " ", page)))
        for _, part in example._named_parts():
            assert words(part._content().heading) <= words(html.unescape(page))


def test_a_level_of_any_type_of_number_can_be_saved(tmp_path):
    result = Result(value=0.5, stderr=0.01, estimates={}, method="InfoNCE", n=1000).to(level=Fraction(9, 10))
    result.save(tmp_path / "r.json")
    assert Result.load(tmp_path / "r.json").level == 0.9


def test_a_file_of_fitted_critics_is_told_from_one_of_a_result(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      \xaa")
    with pytest.raises(ValueError, match=r"it is no text.*result\.fitted\.save\(path\) wrote is loaded by mi\.load"):
        Result.load(tmp_path / "model.safetensors")
