"""A result as one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mibounds.report.environment import render
from mibounds.report.figures import draw_curves, draw_folds, draw_pointwise, draw_readings
from mibounds.report.svg import inline_svg
from mibounds.report.words import answer, chosen, doubts, meaning, number, sides

__all__ = ["report_page"]

Record = Mapping[str, Any]
_EXTREME = 5  # rows that are named at either end


def report_page(
    record: Record,
    pointwise: Sequence[float] | None = None,
    bracket: Record | None = None,
    test: Record | None = None,
    command: str | None = None,
) -> str:
    """The page about a result: the answer, the doubts, what every bound reads, how the folds agree and learnt, the most
    and least informative rows, what was chosen and why, and how to make it again.

    The page asks the network for nothing, follows the reader's light or dark, fits a phone and paper, and every figure
    in it has a text.

    Arguments:
        record: as `Result.to_dict` writes it, with the `coefficient`; parts that are empty are left out.
        pointwise: (N,) the log-ratio of every row in the unit of the record, nan where there is none.
        bracket: as `BracketResult.to_dict` writes it, in the same unit.
        test: as `IndependenceTest.to_dict` writes it.
        command: what to type to make the result again.

    Returns:
        HTML.
    """
    scores = None if pointwise is None else np.asarray(pointwise, dtype=float)
    called = sides(record)
    return render(
        "report",
        title=f"Mutual information of {called[0]} and {called[1]}",
        record=record,
        value=number(record["value"]),
        sides=called,
        sentences=answer(record, bracket, test),
        doubts=doubts(record, bracket),
        readings=_readings(record, bracket),
        bracketed=bracket is not None,
        figures=_figures(record, scores, bracket),
        folds=[number(value) for value in record["fold_values"]],
        rows=None if scores is None else _extremes(scores),
        chosen=chosen(record, None if scores is None else len(scores)),
        command=command,
        number=number,
    )


def _readings(record: Record, bracket: Record | None) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Groups of readings: name, number and what it is."""
    names = sorted(record["bounds"], key=lambda name: name != record["reading"])  # the reported one first
    sides = {name: value for name, value, _ in _sides(bracket)}
    groups = {
        "Bounds on the same scores": {name: record["bounds"][name] for name in names},
        "BracketResult": {} if bracket is None else {**sides, **bracket["readings"]},
        "Second opinions": record["cross_checks"],
    }
    return [
        (title, [(name, number(value), meaning(name)) for name, value in numbers.items()])
        for title, numbers in groups.items()
        if numbers
    ]


def _sides(bracket: Record | None) -> list[tuple[str, float, float]]:
    """Name, value and standard error of the sides of a bracket."""
    if bracket is None:
        return []
    return [(f"{side} side", bracket[side], bracket[f"{side}_stderr"]) for side in ("lower", "upper")]


def _figures(record: Record, scores: Any, bracket: Record | None) -> dict[str, str]:
    """The figures that the record holds numbers for, by name."""
    unit, interval, checks = record["unit"], record["interval"], record["cross_checks"]
    between = f"{number(interval[0])} to {number(interval[1])} {unit}"
    sides = _sides(bracket)
    everything = {**record["bounds"], **{name: value for name, value, _ in sides}, **checks}
    found = {
        "readings": inline_svg(
            draw_readings(record["bounds"], record["reading"], interval, checks, sides, record["most"], unit),
            "readings",
            "What every bound reads",
            f"The interval {between}, and in it or around it: "
            + ", ".join(f"{name} {number(value)}" for name, value in everything.items()),
        )
    }
    folds = record["fold_values"]
    if len(folds) > 1:
        found["folds"] = inline_svg(
            draw_folds(folds, record["value"], interval, unit),
            "folds",
            "The value of each fold",
            f"{len(folds)} folds read {number(min(folds))} to {number(max(folds))} {unit}; all rows together "
            f"{number(record['value'])}, with the interval {between}.",
        )
    curves = [(curve["steps"], curve["score"], curve["best_step"]) for curve in record["curves"]]
    if curves:
        kept = [best for _, _, best in curves]
        fell = [losses[0] - min(losses) for _, losses, _ in curves]
        found["curves"] = inline_svg(
            draw_curves(curves),
            "curves",
            "How each fold learnt",
            f"The validation losses of {len(curves)} folds fell by {number(min(fell))} to {number(max(fell))} nats; "
            f"the weights of steps {min(kept):,} to {max(kept):,} were kept.",
        )
    read = np.zeros(0) if scores is None else scores[np.isfinite(scores)]
    if len(read):
        low, first, third, high = (number(q) for q in np.quantile(read, (0, 0.25, 0.75, 1)))
        found["pointwise"] = inline_svg(
            draw_pointwise(read.tolist(), unit),
            "pointwise",
            "The information of each row",
            f"{len(read):,} rows from {low} to {high} {unit}; half of them lie between {first} and {third}, their mean "
            f"is {number(float(read.mean()))}.",
        )
    return found


def _extremes(scores: Any) -> dict[str, list[tuple[int, str]]]:
    """The rows with the most and the least information, by number, and their scores."""
    order = np.argsort(scores, kind="stable")[: int((~np.isnan(scores)).sum())]  # nan comes last
    least, most = order[:_EXTREME], order[::-1][:_EXTREME]
    return {
        name: [(int(row), number(float(scores[row]))) for row in rows]
        for name, rows in (("Most informative", most), ("Least informative", least))
    }
