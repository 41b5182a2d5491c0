"""What every encoding of a column does; the kinds are in `mibounds.data.encoding`."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

from mibounds.data.values import Array
from mibounds.warnings import MIWarning

__all__ = ["Encoding", "SharedColumn"]


class SharedColumn(NamedTuple):
    """The name of an encoded column that stands for several values, their number, the fraction of the rows that have
    one of them, and the entropy in nats of all values of the given column, each counted on its own."""

    column: str
    number: int
    fraction: float
    entropy: float


@dataclass(frozen=True)
class Encoding(ABC):
    """How one column becomes numbers.

    Attributes:
        name: of the column.
        suffix: added to the names of encoded columns that another column has already.
        kind: what `x_type` calls it.
        is_label: values are labels without order, whose entropy limits the information.
        has_density: values have a density, which an upper bound over a conditional density needs.
    """

    name: str
    suffix: str = dataclasses.field(default="", kw_only=True)
    kind: ClassVar[str]
    is_label: ClassVar[bool] = False
    has_density: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def fit(cls, column: Array, name: str, indicator: bool = False) -> Encoding:
        """The encoding of a column (N,); with `indicator`, missing values get a column of their own, if there are any.

        Raises:
            TypeError, ValueError: if the column cannot be encoded so.
        """

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""

    @property
    def title(self) -> str:
        """What the names of the encoded columns start with."""
        return self.name + self.suffix

    @abstractmethod
    def __call__(self, column: Array) -> Array:
        """The encoded columns of a column (N,): (N, K) float32. What is missing is NaN unless it has its indicator."""

    def is_identifier(self, rows: int) -> bool:
        """Does it have a value of its own in most of so many rows?"""
        return False

    def shown(self, values: Array) -> str:
        """The value that encoded values (K,) stand for, as text; different values are different texts."""
        return ", ".join(str(value) for value in values.tolist())

    def shared(self) -> SharedColumn | None:
        """The encoded column that several values share; None if every value has its own."""
        return None

    def warnings(self, values: Array, variable: str) -> list[MIWarning]:
        """The warnings that the encoded values (N, K) of a variable's column give rise to."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """The encoding as numbers, text and lists, for JSON; `encoding_from` reads it."""
        return {"kind": self.kind, **asdict(self)}
