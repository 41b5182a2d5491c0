"""The sentences of a report, from plain numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mibounds import bounds
from mibounds.warnings import MIWarning, warning_from

__all__ = [
    "how_made",
    "kinds_text",
    "meaning",
    "method_entries",
    "number",
    "percent",
    "plain_sentences",
    "summary_sentences",
    "variable_names",
    "warning_entries",
]

Record = Mapping[str, Any]

_NAMED = 3  # columns that a heading names
_LISTED = 60  # columns that are named at all
_MEANING = {
    "InfoNCE": "lower bound with low variance; at most the logarithm of the number of samples compared",
    "DonskerVaradhan": "lower bound without a ceiling; high variance where the information is high",
    "NWJ": "lower bound without a ceiling, valid for all critics; high variance where the information is high",
    "SMILE": "Donsker–Varadhan with clipped scores: low variance, not a bound",
    "PlugIn": "mean log density ratio of the samples: extrapolates, not a bound",
    "Classifier": "entropy of the label minus the held-out cross-entropy: lower bound, at most the entropy",
    "lower bound": "InfoNCE: valid for all critics",
    "upper bound": "LeaveOneOut plus the train-test gap: valid as far as the density is right",
    "LeaveOneOut": "from the density, before the train-test gap is added",
    "CLUB": "upper bound, far above the information by construction",
    "DifferenceOfEntropies": "of two densities; neither bound",
    "constant": "exact, because a variable is constant",
}
_CLASSICAL = {  # what it is, and how it was made
    "GaussianCopula": ("Gaussian dependence of ranked columns, held out", "fitted to all samples"),
    "RegularizedCopula": ("Gaussian dependence of ranked columns, sparse or of few factors", "fitted to all samples"),
    "StudentCopula": ("linear dependence and a common scale of ranked columns", "fitted to all samples"),
    "KSG": ("nearest neighbors", "nearest neighbors"),
    "MixedKSG": ("nearest neighbors, for tied values", "nearest neighbors"),
    "SelectedKSG": ("nearest neighbors in the columns that matter most", "nearest neighbors"),
    "PredictionKSG": (
        "nearest neighbors of a variable and what was predicted of it",
        "nearest neighbors of predictions",
    ),
    "BoostedTrees": ("what predictions of boosted trees certify on held-out samples", "held-out boosted trees"),
    "Contingency": ("counts of categories", "counts"),
}
_SIDE = {"lower": "lower bound", "upper": "upper bound", "neither": "neither bound"}
_REASONS = {
    "Classifier": "One variable is a label, so the critics are evaluated as its classifiers. ",
    "PlugIn": "The information is too high to be certified by InfoNCE with this number of samples, so the plug-in "
    "estimate is reported. ",
}


def number(value: float) -> str:
    """A number with four significant digits, or four decimals if it is very small, and a true minus sign.

    Example:
        >>> number(0.5), number(-0.00001), number(0)
        ('0.5000', '0.0000', '0')
    """
    if value == 0:
        return "0"
    text = f"{value:#.4g}" if abs(value) >= 1e-4 else f"{round(value, 4) + 0.0:.4f}"  # no -0.0
    return text.removesuffix(".").replace("-", "−")


def percent(share: float) -> str:
    """A fraction of one in percent.

    Example:
        >>> percent(0.95), percent(0.999)
        ('95%', '99.9%')
    """
    return f"{100 * share:.4g}%"


def kinds_text(kinds: Sequence[str]) -> str:
    """Kinds of columns with their numbers; the kind of a whole variable as it is.

    Example:
        >>> kinds_text(["continuous", "continuous", "categorical"]), kinds_text(["image 1 x 8 x 8"])
        ('2 continuous, 1 categorical', 'image 1 x 8 x 8')
    """
    counts = Counter(kinds)
    return ", ".join(kind if count == 1 and " " in kind else f"{count:,} {kind}" for kind, count in counts.items())


def variable_names(record: Record) -> list[str]:
    """What x and y are called in a heading: by their columns where these are few."""
    called = []
    for letter, names, kinds in zip("xy", record["columns"], record["kinds"], strict=True):
        source = _source_names(names, kinds)
        if not names:
            called.append(f"{letter} ({kinds_text(kinds)})" if kinds else letter)
        elif len(source) <= _NAMED and len(source) == (len(kinds) or len(names)):
            called.append(", ".join(source))
        else:
            called.append(f"{len(kinds) or len(names):,} columns")
    return called


def plain_sentences(record: Record, names: Sequence[str]) -> list[str]:
    """What the value means, for readers who do not know mutual information: what it measures, and what it amounts to,
    as a share of the label's entropy and as a correlation.

    Arguments:
        record: of a `Result`.
        names: of x and y.
    """
    x, y = names
    value, unit, limit = record["value"], record["unit"], record["entropy_limit"]
    sentences = [
        f"Mutual information says how much knowing {x} tells about {y}. It is zero if they are independent, it counts "
        "every kind of dependence, and it does not say which of them is the cause."
    ]
    if value <= 0 or "maybe-independent" in [warning["code"] for warning in record["warnings"]]:
        return [*sentences, f"Here no dependence was found: {x} tells nothing about {y} that these samples can show."]
    if limit is not None and limit > 0:
        share = percent(round(min(value / limit, 1), 2))
        sentences.append(
            f"Here knowing one of them removes about {share} of the uncertainty about the label: 0% would be no better "
            f"than its frequencies alone, 100% certain knowledge (its entropy, at most {number(limit)} {unit})."
        )
    correlation = f"{min(record['informational_correlation'], 0.9999):.4g}"
    if record["informational_correlation"] < 0.995:
        correlation = f"{record['informational_correlation']:.2f}"
    sentences.append(
        f"{'That' if limit is not None else 'Here it'} is as strong as the dependence of two normally distributed "
        f"variables with a correlation of {correlation}, where 0 is none and 1 determines the other."
    )
    return sentences


def summary_sentences(record: Record, bracket: Record | None, test: Record | None) -> list[str]:
    """The result in sentences: the interval, the limits, a bracket and a test.

    Arguments:
        record: of a `Result`.
        bracket: of a `BracketResult` in the same unit, if there is one.
        test: of an `IndependenceTestResult` in the same unit, if there is one.
    """
    unit, level = record["unit"], percent(record["level"])
    low, high = (number(end) for end in record["interval"])
    sentences = [f"The {level} confidence interval of the mutual information is {low} to {high} {unit}."]
    if "maybe-independent" in [warning["code"] for warning in record["warnings"]]:
        sentences.insert(0, "The samples do not show a dependence: the value is within the error of zero.")
    if record["extrapolated"]:
        sentences.insert(
            0, "The value is extrapolated: it depends on the smoothness of the critics and is not certified by samples."
        )
    if record["entropy_limit"] is not None:
        limit = record["entropy_limit"]
        sentences.append(f"It cannot exceed {number(limit)} {unit}, the upper confidence limit of the label's entropy.")
    if record["lower_bound"] is not None and record["lower_bound"] > 0:
        sentences.append(
            f"The {level} one-sided lower confidence bound is {number(record['lower_bound'])} {unit}. It is "
            "conditional on the fitted critics, and valid for poor critics too."
        )
    if bracket is not None:
        lower, upper = number(bracket["lower"]), number(bracket["upper"])
        ends = " to ".join(number(end) for end in bracket["interval"])
        sentences.append(
            f"Bracket: lower bound {lower}, upper bound {upper} {unit} (valid as far as the fitted density is right), "
            f"{percent(bracket['level'])} confidence interval {ends} {unit}."
        )
    if test is not None:
        sentences.append(
            f"Test of the null hypothesis that the variables are independent: p = {test['pvalue']:.3g}, "
            f"{test['permutations']:,} permutations, InfoNCE {number(test['statistic'])} {test['unit']}."
        )
    return sentences


def warning_entries(*records: Record | None) -> list[dict[str, str]]:
    """Every warning once: its code, its meaning, its message and the remedy.

    Arguments:
        records: of results, each with its "warnings"; None is left out.
    """
    found = {
        (warning["code"], warning["message"]): None
        for record in records
        if record is not None
        for warning in record["warnings"]
    }
    entries = []
    for code, message in found:
        kind = type(warning_from({"code": code, "message": message}))
        meaning = kind.condition if kind is MIWarning else " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
        texts = {"meaning": meaning, "remedy": kind.remedy if kind is not MIWarning else ""}
        entries.append({"code": code, "message": message} | {key: text.replace("`", "") for key, text in texts.items()})
    return entries


def meaning(name: str) -> str:
    """What an estimate of this name is, in a few words; empty if it is not known."""
    if name in _CLASSICAL:
        return _CLASSICAL[name][0]
    side = getattr(getattr(bounds, name, None), "side", None)
    return _MEANING.get(name, _SIDE.get(side, "") if isinstance(side, str) else "")


def how_made(name: str) -> str:
    """How the reported estimate of this name was made, in a few words."""
    return _CLASSICAL[name][1] if name in _CLASSICAL else "exact" if name == "constant" else "cross-fitted"


def is_classical(name: str) -> bool:
    """Is an estimate of this name made without critics?"""
    return name in _CLASSICAL


def folds_sentence(record: Record) -> str:
    """The estimates of single folds, which are those of the critics."""
    values = ", ".join(number(value) for value in record["fold_values"])
    value, stderr = f"{number(record['value'])} {record['unit']}", number(record["stderr"])
    if is_classical(record["method"]):
        return (
            f"Estimates of the critics of single folds: {values}. The reported estimate, {value}, is by "
            f"{record['method']} from all samples; the standard error of the critics' estimate is {stderr}."
        )
    return f"Estimates of the folds: {values}. All samples: {value}, standard error {stderr}."


def method_entries(record: Record, given: int | None) -> list[tuple[str, str]]:
    """How the result was computed, as terms and their texts.

    Arguments:
        record: of a `Result`.
        given: number of rows of the data, if known.
    """
    method = record["method"]
    entries = [
        (
            "Estimate",
            f"{method}. {_reason(method)}The rule that selects the reported estimate is fixed in advance.",
        )
    ]
    for letter, names, kinds in zip("xy", record["columns"], record["kinds"], strict=True):
        if names or kinds:
            listed = f": {_listed(_source_names(names, kinds))}" if names else ""
            entries.append((letter, f"{kinds_text(kinds) or 'columns'}{listed}"))
    left_out = given - record["n"] if given is not None else 0
    without = f" Rows that were dropped or not tested: {left_out:,} of {given:,}." if left_out else ""
    together = f" {method} takes all of them together." if is_classical(method) else ""
    entries.append(
        ("Samples", f"{record['n']:,}, each scored by critics that were not trained on it.{together}{without}")
    )
    entries += _training_entries(record["curves"])
    below, above = record["interval_bias"]
    entries.append(
        (
            "Interval",
            f"{percent(record['level'])}, from a standard error of {number(record['stderr'])} {record['unit']} and an "
            f"allowance for bias of {number(below)} below and {number(above)} above the value"
            + ("; not above the entropy of the label." if record["entropy_limit"] is not None else "."),
        )
    )
    return entries


def _training_entries(curves: Sequence[Record]) -> list[tuple[str, str]]:
    if not curves:
        return []
    kept, trained = [curve["best_step"] for curve in curves], max(curve["steps"][-1] for curve in curves)
    steps = f"The weights of step {_span(kept)} were kept by validation loss; {trained:,} steps at most."
    if not trained:
        steps = "Critics in closed form have the largest weight; they take no training steps."
    counts = Counter(curve["candidate"] for curve in curves).most_common()
    names = ", ".join(f"{name} ({count} of {len(curves)})" for name, count in counts)
    return [
        ("Folds", f"{len(curves)}. {steps}"),
        ("Candidate with the largest weight", counts[0][0] if len(counts) == 1 else names),
    ]


def _span(steps: Sequence[int]) -> str:
    """The smallest and the largest of them, or the one that all are."""
    return f"{min(steps):,}" if min(steps) == max(steps) else f"{min(steps):,} to {max(steps):,}"


def _reason(method: str) -> str:
    """Why this estimate is the reported one."""
    if is_classical(method):
        return "It needs no critics, is unbiased or too low, and exceeds their estimate. "
    return _REASONS.get(method, "")


def _source_names(names: Sequence[str], kinds: Sequence[str]) -> Sequence[str]:
    """The names of columns; of a single categorical column its own name and not those of its categories ("city" for
    "city=Ulm" and "city=Bonn")."""
    return [names[0].partition("=")[0]] if names and list(kinds) == ["categorical"] else names


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")
