"""What a page says of a result in words: sentences from plain numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mibounds import bounds
from mibounds.warnings import warning_from

__all__ = ["answer", "chosen", "doubts", "meaning", "number", "percent", "sides"]

Record = Mapping[str, Any]

_NAMED = 3  # columns that a heading names
_LISTED = 60  # columns that are named at all
_MEANING = {
    "InfoNCE": "lower bound, calm; at most the logarithm of the rows compared",
    "DonskerVaradhan": "lower bound without a ceiling; noisy where information is high",
    "NWJ": "lower bound without a ceiling, also for a critic as it is; noisy where information is high",
    "SMILE": "Donsker–Varadhan with its outliers cut: calm, and no bound",
    "PlugIn": "mean log-ratio of the rows: extrapolates, and is no bound",
    "Classifier": "entropy of the label less the cross-entropy on unseen rows: lower bound, never above it",
    "lower side": "InfoNCE: a bound for every critic",
    "upper side": "LeaveOneOut and its shortfall: a bound as far as the density is right",
    "LeaveOneOut": "over the density, before its shortfall is added",
    "CLUB": "upper bound, far above the information by nature",
    "DifferenceOfEntropies": "of two densities; neither bound",
    "GaussianCopula": "what a Gaussian dependence of ranked columns holds, read on other rows than it was fitted to",
    "KSG": "nearest neighbors",
    "MixedKSG": "nearest neighbors, where values are tied",
    "Contingency": "counts",
}
_SIDE = {"lower": "lower bound", "upper": "upper bound", "neither": "neither bound"}
_REASONS = {
    "Classifier": "One side is a label, so the critics are read as classifiers of it. ",
    "PlugIn": "InfoNCE cannot certify so much from these rows, so the plug-in stands in its place. ",
}


def number(value: float) -> str:
    """Four significant digits, at most four decimals where there is nearly nothing, and a minus sign that is one."""
    if value == 0:
        return "0"
    text = f"{value:#.4g}" if abs(value) >= 1e-4 else f"{round(value, 4) + 0.0:.4f}"  # no -0.0
    return text.removesuffix(".").replace("-", "−")


def percent(share: float) -> str:
    """A share of one, in per cent."""
    return f"{100 * share:.4g}%"


def sides(record: Record) -> list[str]:
    """What x and y are called in a heading: by their columns where these are few."""
    called = []
    for letter, names, kind in zip("xy", record["columns"], record["kinds"], strict=True):
        count = sum(int(n) for n in re.findall(r"(\d+) (?:continuous|categorical)", kind)) or len(names)
        shown = _plain(names, kind)
        if not names:
            called.append(f"{letter} ({kind})" if kind else letter)
        else:  # a category among other columns has several names
            called.append(", ".join(shown) if count == len(shown) <= _NAMED else f"{count:,} columns")
    return called


def answer(record: Record, bracket: Record | None, test: Record | None) -> list[str]:
    """The answer in sentences: what the rows say, how sure that is, and what it amounts to."""
    unit, level, value = record["unit"], percent(record["level"]), record["value"]
    low, high = (number(end) for end in record["interval"])
    said = [f"The {level} interval for the information reaches from {low} to {high} {unit}."]
    if "maybe-independent" in [warning["code"] for warning in record["warnings"]]:
        said.insert(0, "These rows do not show that one side tells anything of the other.")
    if record["extrapolated"]:
        said.insert(0, "The value is extrapolated: it rests on the critics' smoothness, and not on what rows certify.")
    if record["most"] is not None:
        share = f", and {percent(round(value / record['most'], 3))} of it is read" if value > 0 else ""
        said.append(f"It cannot exceed {number(record['most'])} {unit}, the entropy of a label{share}.")
    elif record["coefficient"] > 0:
        said.append(f"A Gaussian pair shares as much at a correlation of {record['coefficient']:.2f}.")
    if record["lower_bound"] is not None and record["lower_bound"] > 0:
        at_least = number(record["lower_bound"])
        said.append(f"It is at least {at_least} {unit} ({level}, one-sided) for these critics as they are.")
    if bracket is not None:
        lower, upper = number(bracket["lower"]), number(bracket["upper"])
        ends = " to ".join(number(end) for end in bracket["interval"])
        said.append(
            f"Bracket: a lower bound of {lower} and an upper bound of {upper} {unit}, the latter as far as the density "
            f"under it is right; with sampling error {ends} {unit}."
        )
    if test is not None:
        said.append(
            f"Were the two sides independent, critics would do so well with a chance of p = {test['pvalue']:.3g} "
            f"({test['permutations']:,} permutations)."
        )
    return said


def doubts(*records: Record | None) -> list[dict[str, str]]:
    """Every warning once: its code, what that code stands for, and its own text with what was found and what to do."""
    found = {
        (warning["code"], warning["message"]): None
        for record in records
        if record is not None
        for warning in record["warnings"]
    }
    told = []
    for code, message in found:
        stands_for = " ".join((type(warning_from({"code": code, "message": message})).__doc__ or "").split())
        told.append({"code": code, "stands_for": stands_for.replace("`", ""), "message": message})
    return told


def meaning(name: str) -> str:
    """What a reading of that name is, in a few words."""
    side = getattr(getattr(bounds, name, None), "side", None)
    return _MEANING.get(name, _SIDE.get(side, "") if isinstance(side, str) else "")


def chosen(record: Record, given: int | None) -> list[tuple[str, str]]:
    """What was chosen and why, as terms and sentences.

    Arguments:
        record: of a result.
        given: rows that came, if that is known.
    """
    reading = record["reading"]
    told = [
        (
            "Reading",
            f"{reading}. {_REASONS.get(reading, '')}Which bound is reported was fixed before the rows were read; the "
            "largest number is never picked.",
        )
    ]
    for letter, names, kind in zip("xy", record["columns"], record["kinds"], strict=True):
        if names or kind:
            told.append((letter, f"{kind or 'columns'}{f': {_listed(_plain(names, kind))}' if names else ''}"))
    left_out = given - record["rows"] if given is not None else 0
    without = f" Of {given:,} given, {left_out:,} were dropped or not tested." if left_out else ""
    told.append(("Rows", f"{record['rows']:,}, each scored by critics that never saw it.{without}"))
    curves = record["curves"]
    if curves:
        kept, looked = [curve["best_step"] for curve in curves], max(curve["steps"][-1] for curve in curves)
        span = f"{min(kept):,}" if min(kept) == max(kept) else f"{min(kept):,} to {max(kept):,}"
        told.append(
            (
                "Folds",
                f"{len(curves)}. Validation rows kept the weights of step {span}, of at most {looked:,} trained.",
            )
        )
        won = Counter(curve["candidate"] for curve in curves).most_common()
        foremost = won[0][0] if len(won) == 1 else ", ".join(f"{name} ({n} of {len(curves)})" for name, n in won)
        told.append(("Candidate that counts most", f"{foremost}. Validation rows weigh the candidates of each fold."))
    below, above = record["allowance"]
    told.append(
        (
            "Interval",
            f"{percent(record['level'])}, from a standard error of {number(record['stderr'])} {record['unit']}, and "
            f"{number(below)} below and {number(above)} above for what the reading may be off.",
        )
    )
    return told


def _plain(names: Sequence[str], kind: str) -> Sequence[str]:
    """The names of columns; of a label the name without its categories ("city=Ulm", "city=Bonn")."""
    return [names[0].partition("=")[0]] if kind == "1 categorical" else names


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")
