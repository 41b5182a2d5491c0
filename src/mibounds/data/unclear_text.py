"""Text that may be meant as numbers or as categories: what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["UnclearTextError"]


class UnclearTextError(ValueError):
    """Text that is mostly numbers or dates, so that it may be meant as these or as categories.

    Arguments:
        what: was found; the sentence up to its advice.
        remedies: what to do if numbers or dates are meant.
        declaring: what to do if categories are meant.
    """

    def __init__(self, what: str, remedies: Sequence[str] = (), declaring: str = ""):
        super().__init__(_advised(what, [*remedies, declaring]) if remedies else what)
        self.what, self.remedies = what, remedies

    @property
    def undeclared(self) -> str:
        """The sentence where no column can be declared."""
        return _advised(self.what, self.remedies)


def _advised(what: str, remedies: Sequence[str]) -> str:
    *others, last = remedies
    return f"{what}{', '.join(others)}, or {last}." if others else f"{what}{last}."
