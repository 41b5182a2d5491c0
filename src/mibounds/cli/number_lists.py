"""Lists of whole numbers in options."""

from __future__ import annotations

__all__ = ["parse_numbers"]

_MOST = 1_000_000  # numbers of a range, which are held in memory


def parse_numbers(wanted: str, option: str, example: str, *, of: str = "") -> list[int]:
    """The numbers of a text like "0:3,7", in the order of the text.

    Arguments:
        wanted: numbers and ranges, separated by commas; a range ends before its second number.
        option: where the text is from, for errors.
        example: of what is expected.
        of: what has the numbers, for errors.

    Raises:
        ValueError: if the text is something else, or has an empty range.

    Example:
        >>> parse_numbers("-1:2,7", "--lags", "0:11")
        [-1, 0, 1, 7]
    """
    chosen: list[int] = []
    for part in wanted.split(","):
        try:
            ends = [int(end) for end in part.split(":")]
            first, stop = ends if len(ends) > 1 else (ends[0], ends[0] + 1)
        except ValueError:
            what = f"whole numbers and ranges{of and f' of {of}'}"
            raise ValueError(f"{option} is {part!r}: expected {what}, separated by commas, like {example}.") from None
        if stop - first > _MOST:
            raise ValueError(f"{option} is {part!r}, {stop - first:,} numbers: expected at most {_MOST:,}.")
        if stop <= first:
            raise ValueError(f"{option} is {part!r}, an empty range: a range ends before its second number, like 0:11.")
        chosen += range(first, stop)
    return chosen
