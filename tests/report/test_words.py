import pytest

from mibounds.report.words import (
    folds_sentence,
    is_classical,
    kinds_text,
    meaning,
    method_entries,
    number,
    percent,
    plain_sentences,
    summary_sentences,
    variable_names,
    warning_entries,
)

RECORD = {
    "value": 0.5, "stderr": 0.05, "interval": [0.4, 0.7], "level": 0.95, "unit": "nats", "method": "InfoNCE",
    "estimates": {"InfoNCE": 0.5}, "n": 90, "entropy_limit": None, "lower_bound": 0.42,
    "informational_correlation": 0.795, "extrapolated": False, "warnings": [], "columns": [["a", "b"], ["c"]],
    "kinds": [["continuous", "continuous"], ["continuous"]], "interval_bias": [0.0, 0.1], "curves": [],
}  # fmt: skip


@pytest.mark.parametrize(
    "value, text",
    [(0.80993, "0.8099"), (-0.012991, "−0.01299"), (0.041, "0.04100"), (0, "0"), (1.9e-8, "0.0000"),
     (-0.00006, "−0.0001"), (-1e-9, "0.0000"), (1234.0, "1234"), (float("nan"), "nan"), (-float("inf"), "−inf")],
)  # fmt: skip
def test_a_number(value, text):
    assert number(value) == text


def test_percent():
    assert [percent(share) for share in (0.95, 0.999, 0.5)] == ["95%", "99.9%", "50%"]


@pytest.mark.parametrize(
    "kinds, text",
    [
        ([], ""),
        (["continuous"], "1 continuous"),
        (["categorical", "continuous", "categorical"], "2 categorical, 1 continuous"),
        (["sequence of 20 steps x 3"], "sequence of 20 steps x 3"),
        (["continuous"] * 1234, "1,234 continuous"),
    ],
)
def test_kinds(kinds, text):
    assert kinds_text(kinds) == text


@pytest.mark.parametrize(
    "names, kinds, called",
    [
        (["a", "b"], ["continuous"] * 2, "a, b"),
        (["a", "b", "c", "d"], ["continuous"] * 4, "4 columns"),
        (["city=Ulm", "city=Bonn", "city=Wien", "city=Rom"], ["categorical"], "city"),
        (["city=Ulm"], ["categorical"], "city"),
        (["age", "city=Ulm", "city=Bonn", "city=Wien"], ["continuous", "categorical"], "2 columns"),
        ([], ["image 1 x 8 x 8"], "x (image 1 x 8 x 8)"),
        ([], [], "x"),
        (["a"], [], "a"),
    ],
)
def test_the_names_of_variables(names, kinds, called):
    found, other = variable_names({**RECORD, "columns": [names, ["c"]], "kinds": [kinds, []]})
    assert found == called
    assert other == "c"


def test_the_summary_in_sentences():
    assert summary_sentences(RECORD, None, None) == [
        "The 95% confidence interval of the mutual information is 0.4000 to 0.7000 nats.",
        "The 95% one-sided lower confidence bound is 0.4200 nats. It is conditional on the fitted critics, and valid "
        "for poor critics too.",
    ]


def test_a_label_a_bracket_and_a_test():
    bracket = {"lower": 0.5, "upper": 0.6, "interval": [0.4, 0.75], "level": 0.95}
    test = {"pvalue": 0.001, "permutations": 999, "statistic": 0.72, "unit": "nats"}
    text = " ".join(summary_sentences({**RECORD, "entropy_limit": 1.0}, bracket, test))
    assert "It cannot exceed 1.000 nats, the upper confidence limit of the label's entropy." in text
    assert "lower bound 0.5000, upper bound 0.6000 nats" in text
    assert "95% confidence interval 0.4000 to 0.7500 nats" in text
    assert (
        "null hypothesis that the variables are independent: p = 0.001, 999 permutations, InfoNCE 0.7200 nats" in text
    )
    assert "correlation" not in text


def test_independence_and_extrapolation_come_first():
    record = {**RECORD, "warnings": [{"code": "maybe-independent", "message": "m"}], "lower_bound": -0.1}
    assert summary_sentences(record, None, None)[0].startswith("The samples do not show a dependence")
    assert "lower confidence bound" not in " ".join(summary_sentences(record, None, None))
    extrapolated = summary_sentences({**RECORD, "extrapolated": True}, None, None)
    assert extrapolated[0].startswith("The value is extrapolated")


def test_each_warning_once_with_its_meaning_and_remedy():
    one, other = {"code": "ceiling", "message": "near 4.8"}, {"code": "of-another-version", "message": "m"}
    found = warning_entries({"warnings": [one, other]}, {"warnings": [one]}, None)
    assert [(entry["code"], entry["message"]) for entry in found] == [("ceiling", "near 4.8"), (other["code"], "m")]
    assert "largest value" in found[0]["meaning"]
    assert found[0]["remedy"]
    assert found[1]["meaning"]
    assert not any("`" in text for entry in found for text in entry.values())


def test_every_estimate_has_a_meaning():
    assert meaning("KSG") == "nearest neighbors"
    assert meaning("InfoNCEAnchor") == "neither bound"
    assert meaning("JensenShannon") == ""
    assert meaning("a name of the user") == ""


def test_the_method():
    curves = [{"steps": [0, 25, 50], "best_step": step, "candidate": name} for step, name in ((25, "a"), (50, "b"))]
    entries = dict(method_entries({**RECORD, "curves": curves}, 100))
    assert entries["Estimate"].startswith("InfoNCE. The rule")
    assert entries["x"] == "2 continuous: a, b"
    assert entries["Samples"] == (
        "90, each scored by critics that were not trained on it. Rows that were dropped or not tested: 10 of 100."
    )
    assert entries["Folds"] == "2. The weights of step 25 to 50 were kept by validation loss; 50 steps at most."
    assert entries["Candidate with the largest weight"] == "a (1 of 2), b (1 of 2)"
    assert "a standard error of 0.05000 nats and an allowance for bias of 0 below and 0.1000" in entries["Interval"]
    assert "entropy" not in entries["Interval"]
    limited = dict(method_entries({**RECORD, "method": "Classifier", "entropy_limit": 0.6}, None))
    assert "label" in limited["Estimate"]
    assert limited["Interval"].endswith("not above the entropy of the label.")
    assert limited["Samples"].endswith("not trained on it.")


def test_one_candidate():
    curves = [{"steps": [0, 25], "best_step": 25, "candidate": "a"}] * 2
    entries = dict(method_entries({**RECORD, "curves": curves}, None))
    assert entries["Candidate with the largest weight"] == "a"
    assert "step 25 were kept" in entries["Folds"]


def test_many_columns_are_not_all_named():
    names = [f"c{i}" for i in range(100)]
    record = {**RECORD, "columns": [names, ["y"]], "kinds": [["continuous"] * 100, ["continuous"]]}
    entries = dict(method_entries(record, None))
    assert entries["x"].startswith("100 continuous: c0, c1")
    assert entries["x"].endswith("c58, c59 and 40 more")


def test_plain_words_for_numbers():
    first, second = plain_sentences(RECORD, ["a, b", "c"])
    assert first.startswith(
        "Mutual information says how much knowing a, b tells about c. It is zero if they are independent"
    )
    assert second.startswith("Here it is as strong as the dependence of two normally distributed variables with a ")
    assert "a correlation of 0.80, where" in second
    assert (
        "a correlation of 0.9998, where"
        in plain_sentences({**RECORD, "informational_correlation": 0.9998}, ["a", "c"])[1]
    )


def test_plain_words_for_labels():
    _, second, third = plain_sentences({**RECORD, "entropy_limit": 1.0}, ["a", "c"])
    assert second.startswith(
        "Here knowing one of them removes about 50% of the uncertainty about the label: 0% would be "
    )
    assert "(its entropy, at most 1.000 nats)" in second
    assert third.startswith("That is as strong as")


@pytest.mark.parametrize("change", [{"value": -0.01}, {"warnings": [{"code": "maybe-independent", "message": ""}]}])
def test_plain_words_for_no_dependence(change):
    _, second = plain_sentences({**RECORD, **change}, ["a", "c"])
    assert second == "Here no dependence was found: a tells nothing about c that these samples can show."


def test_a_classical_estimate_is_not_described_as_one_of_the_critics():
    record = {**RECORD, "fold_values": [0.3, 0.4], "stderr": 0.05}
    assert (
        folds_sentence(record)
        == "Estimates of the folds: 0.3000, 0.4000. All samples: 0.5000 nats, standard error 0.05000."
    )
    classical = {**record, "method": "KSG"}
    assert folds_sentence(classical) == (
        "Estimates of the critics of single folds: 0.3000, 0.4000. The reported estimate, 0.5000 nats, is by KSG from "
        "all samples; the standard error of the critics' estimate is 0.05000."
    )
    entries = dict(method_entries(classical, None))
    assert entries["Estimate"].startswith(
        "KSG. It needs no critics, is unbiased or too low, and exceeds their estimate."
    )
    assert entries["Samples"].endswith("KSG takes all of them together.")
    assert "largest number" not in entries["Estimate"]
    assert is_classical("SelectedKSG") and is_classical("BoostedTrees") and not is_classical("InfoNCE")


def test_closed_forms_take_no_training_steps():
    curve = {"candidate": "Gaussian", "steps": [0], "best_step": 0}
    entries = dict(method_entries({**RECORD, "curves": [curve, curve]}, None))
    assert entries["Folds"] == "2. Critics in closed form have the largest weight; they take no training steps."
