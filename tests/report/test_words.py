import pytest

from mibounds.report.words import answer, chosen, doubts, meaning, number, percent, sides

RECORD = {
    "value": 0.5, "stderr": 0.05, "interval": [0.4, 0.7], "level": 0.95, "unit": "nats", "reading": "InfoNCE",
    "bounds": {"InfoNCE": 0.5}, "rows": 90, "most": None, "lower_bound": 0.42, "coefficient": 0.795,
    "extrapolated": False, "warnings": [], "columns": [["a", "b"], ["c"]], "kinds": ["2 continuous", "1 continuous"],
    "allowance": [0.0, 0.1], "curves": [],
}  # fmt: skip


@pytest.mark.parametrize(
    "value, text",
    [(0.80993, "0.8099"), (-0.012991, "−0.01299"), (0.041, "0.04100"), (0, "0"), (1.9e-8, "0.0000"),
     (-0.00006, "−0.0001"), (-1e-9, "0.0000"), (1234.0, "1234"), (float("nan"), "nan"), (-float("inf"), "−inf")],
)  # fmt: skip
def test_a_number(value, text):
    assert number(value) == text


def test_per_cent():
    assert [percent(share) for share in (0.95, 0.999, 0.5)] == ["95%", "99.9%", "50%"]


@pytest.mark.parametrize(
    "names, kind, called",
    [
        (["a", "b"], "2 continuous", "a, b"),
        (["a", "b", "c", "d"], "4 continuous", "4 columns"),
        (["city=Ulm", "city=Bonn", "city=Wien", "city=Rom"], "1 categorical", "city"),
        (["age", "city=Ulm", "city=Bonn", "city=Wien"], "1 continuous, 1 categorical", "2 columns"),
        ([], "images 1 x 8 x 8", "x (images 1 x 8 x 8)"),
        ([], "", "x"),
        (["a"], "", "a"),
    ],
)
def test_what_sides_are_called(names, kind, called):
    found, _ = sides({**RECORD, "columns": [names, ["c"]], "kinds": [kind, ""]})
    assert found == called


def test_the_answer_in_sentences():
    assert answer(RECORD, None, None) == [
        "The 95% interval for the information reaches from 0.4000 to 0.7000 nats.",
        "A Gaussian pair shares as much at a correlation of 0.80.",
        "It is at least 0.4200 nats (95%, one-sided) for these critics as they are.",
    ]


def test_a_label_a_bracket_and_a_test_are_told():
    bracket = {"lower": 0.5, "upper": 0.6, "interval": [0.4, 0.75]}
    test = {"pvalue": 0.001, "permutations": 999}
    said = " ".join(answer({**RECORD, "most": 1.0}, bracket, test))
    assert "cannot exceed 1.000 nats, the entropy of a label, and 50% of it is read" in said
    assert "a lower bound of 0.5000 and an upper bound of 0.6000 nats" in said
    assert "with sampling error 0.4000 to 0.7500 nats" in said
    assert "p = 0.001 (999 permutations)" in said
    assert "correlation" not in said


def test_nothing_and_too_much_are_said_first():
    record = {**RECORD, "warnings": [{"code": "maybe-independent", "message": "m"}], "lower_bound": -0.1}
    assert answer(record, None, None)[0] == "These rows do not show that one side tells anything of the other."
    assert "at least" not in " ".join(answer(record, None, None))
    assert answer({**RECORD, "extrapolated": True}, None, None)[0].startswith("The value is extrapolated")


def test_each_doubt_once_with_what_its_code_stands_for():
    one, other = {"code": "ceiling", "message": "near 4.8"}, {"code": "of-another-version", "message": "m"}
    found = doubts({"warnings": [one, other]}, {"warnings": [one]}, None)
    assert [doubt["message"] for doubt in found] == ["near 4.8", "m"]
    assert found[0]["stands_for"] == "A value is at the ceiling of its bound."
    assert found[1]["stands_for"]


def test_every_reading_has_a_meaning():
    assert meaning("KSG") == "nearest neighbors"
    assert meaning("InfoNCEAnchor") == "neither bound"
    assert meaning("JensenShannon") == ""
    assert meaning("of one's own") == ""


def test_what_was_chosen():
    curves = [{"steps": [0, 25, 50], "best_step": step, "candidate": name} for step, name in ((25, "a"), (50, "b"))]
    told = dict(chosen({**RECORD, "curves": curves}, 100))
    assert told["Reading"].startswith("InfoNCE. Which bound")
    assert told["x"] == "2 continuous: a, b"
    assert told["Rows"] == "90, each scored by critics that never saw it. Of 100 given, 10 were dropped or not tested."
    assert told["Folds"] == "2. Validation rows kept the weights of step 25 to 50, of at most 50 trained."
    assert told["Candidate that counts most"].startswith("a (1 of 2), b (1 of 2).")
    assert "a standard error of 0.05000 nats, and 0 below and 0.1000 above" in told["Interval"]
    assert "label" in dict(chosen({**RECORD, "reading": "Classifier"}, None))["Reading"]


def test_many_columns_are_not_all_named():
    names = [f"c{i}" for i in range(100)]
    told = dict(chosen({**RECORD, "columns": [names, ["y"]], "kinds": ["100 continuous", "1 continuous"]}, None))
    assert told["x"].endswith("c58, c59 and 40 more")
