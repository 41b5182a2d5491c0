"""The report of a `Result` as one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mibounds.report.environment import render
from mibounds.report.figures import draw_curves, draw_estimates, draw_folds, draw_pointwise
from mibounds.report.svg import inline_svg
from mibounds.report.words import (
    folds_sentence,
    is_classical,
    meaning,
    method_entries,
    number,
    plain_sentences,
    summary_sentences,
    variable_names,
    warning_entries,
)

__all__ = ["report_page"]

Record = Mapping[str, Any]
_EXTREME = 5  # samples that are listed at either end


def report_page(
    record: Record,
    pointwise: Sequence[float] | None = None,
    bracket: Record | None = None,
    test: Record | None = None,
    command: str | None = None,
    source: str | None = None,
) -> str:
    """The page about a result: what it means in plain words, the value and its interval in sentences, warnings, all
    estimates, folds and training, the pointwise information, the method, how to reproduce the result, and a glossary.

    The page loads nothing from the network, has a light and a dark color scheme, fits a phone and paper, and every
    figure has alternative text.

    Arguments:
        record: of a `Result`, as its `to_dict` returns it; parts that are empty are left out.
        pointwise: (N,) the log density ratio of every row in the unit of the record, NaN where there is none.
        bracket: of a `BracketResult` in the same unit.
        test: of an `IndependenceTestResult` in the same unit.
        command: what reproduces the result.
        source: what the data are called, for example the name of a file.

    Returns:
        HTML.
    """
    scores = None if pointwise is None else np.asarray(pointwise, dtype=float)
    names = variable_names(record)
    return render(
        "report",
        title=f"Mutual information of {names[0]} and {names[1]}",
        record=record,
        value=number(record["value"]),
        names=names,
        plain=plain_sentences(record, names),
        sentences=summary_sentences(record, bracket, test),
        warnings=warning_entries(record, bracket, test),
        estimates=_estimates(record, bracket),
        bracketed=bracket is not None,
        figures=_figures(record, scores, bracket),
        folds=folds_sentence(record) if len(record["fold_values"]) > 1 else "",
        by_critics=not is_classical(record["method"]),
        rows=None if scores is None else _extremes(scores),
        method=method_entries(record, None if scores is None else len(scores)),
        command=command,
        source=source,
        seed=record["seed"],
        versions=record["versions"],
        number=number,
    )


def _estimates(record: Record, bracket: Record | None) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Groups of estimates: name, number and meaning."""
    names = sorted(record["estimates"], key=lambda name: name != record["method"])  # the reported one first
    numbers = {name: record["estimates"][name] for name in names}
    bounds = {name: value for name, value, _ in _bounds(bracket)}
    groups = {
        "From the same scores": {name: value for name, value in numbers.items() if not is_classical(name)},
        "Bracket": {} if bracket is None else {**bounds, **bracket["estimates"]},
        "Classical estimates": {name: value for name, value in numbers.items() if is_classical(name)}
        | record["cross_checks"],
    }
    return [
        (title, [(name, number(value), meaning(name)) for name, value in group.items()])
        for title, group in groups.items()
        if group
    ]


def _bounds(bracket: Record | None) -> list[tuple[str, float, float]]:
    """Name, value and standard error of the bounds of a bracket."""
    if bracket is None:
        return []
    return [(f"{side} bound", bracket[side], bracket[f"{side}_stderr"]) for side in ("lower", "upper")]


def _figures(record: Record, scores: Any, bracket: Record | None) -> dict[str, str]:
    """The figures for which the record has numbers, by name."""
    unit, interval, checks = record["unit"], record["interval"], record["cross_checks"]
    estimates, bounds = record["estimates"], _bounds(bracket)
    between = f"{number(interval[0])} to {number(interval[1])} {unit}"
    numbers = {**estimates, **{name: value for name, value, _ in bounds}, **checks}
    limits = record["entropy_limit"], record["lower_bound"]
    figures = {
        "estimates": inline_svg(
            draw_estimates(estimates, record["method"], interval, checks, bounds, *limits, unit),
            "estimates",
            "All estimates",
            f"The interval {between}, and the estimates: "
            + ", ".join(f"{name} {number(value)}" for name, value in numbers.items()),
        )
    }
    folds = record["fold_values"]
    if len(folds) > 1:
        figures["folds"] = inline_svg(
            draw_folds(folds, record["value"], interval, unit),
            "folds",
            "The estimate of each fold",
            f"The estimates of {len(folds)} folds are {number(min(folds))} to {number(max(folds))} {unit}; that of all "
            f"samples{' without critics' * is_classical(record['method'])} is {number(record['value'])}, with the "
            f"interval {between}.",
        )
    curves = [
        (curve["steps"], curve["validation_loss"], curve["best_step"], curve["candidate"]) for curve in record["curves"]
    ]
    if any(steps[-1] for steps, *_ in curves):  # closed forms take none
        kept = [best for _, _, best, _ in curves]
        fell = [losses[0] - min(losses) for _, losses, _, _ in curves]
        figures["curves"] = inline_svg(
            draw_curves(curves),
            "curves",
            "The training of each fold",
            f"The validation losses of {len(curves)} folds decreased by {number(min(fell))} to {number(max(fell))} "
            f"nats; the weights of steps {min(kept):,} to {max(kept):,} were kept.",
        )
    known = np.zeros(0) if scores is None else scores[np.isfinite(scores)]
    if len(known):
        low, first, third, high = (number(q) for q in np.quantile(known, (0, 0.25, 0.75, 1)))
        figures["pointwise"] = inline_svg(
            draw_pointwise(known.tolist(), unit),
            "pointwise",
            "The pointwise information of the samples",
            f"{len(known):,} samples from {low} to {high} {unit}; half of them are between {first} and {third}, their "
            f"mean is {number(float(known.mean()))}.",
        )
    return figures


def _extremes(scores: Any) -> dict[str, list[tuple[int, str]]]:
    """The rows with the highest and the lowest pointwise information, by number, and their scores."""
    order = np.argsort(scores, kind="stable")[: int((~np.isnan(scores)).sum())]  # NaN comes last
    lowest, highest = order[:_EXTREME], order[::-1][:_EXTREME]
    return {
        name: [(int(row), number(float(scores[row]))) for row in rows]
        for name, rows in (("Most informative", highest), ("Least informative", lowest))
    }
