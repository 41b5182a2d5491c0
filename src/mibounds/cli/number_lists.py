"""Lists of whole numbers in options."""

from __future__ import annotations

__all__ = ["parse_numbers"]


def parse_numbers(wanted: str, option: str, example: str) -> list[int]:
    """The numbers of a text like "0:3,7", in the order of the text.

    Arguments:
        wanted: numbers and ranges, separated by commas; a range ends before its second number.
        option: where the text is from, for errors.
        example: of what is expected.

    Raises:
        ValueError: if the text is something else, or an empty range.

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
            raise ValueError(
                f"{option} is {part!r}: expected whole numbers and ranges, separated by commas, like {example}."
            ) from None
        chosen += range(first, stop)
    if not chosen:
        raise ValueError(f"{option} is {wanted!r}, an empty range: a range ends before its second number, like 0:11.")
    return chosen
