"""Numbers in text that have something beside them: a unit, a currency, brackets, quotes, the mark of a footnote."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MANY", "Decorated", "decorated_numbers"]

MANY = 10
"""Distinct texts with one number each, up to which they are categories without a word."""

_SIGNS = r"+\-\u2212\u2013"
_SIGNS_OF_NUMBERS = ("+", "-", "\u2212")  # which are parts of numbers that are read
_SPACES = r" \t\xa0\u2007\u2009\u202f"
_OPENING, _CLOSING = r"\[({<'\"\u2018\u201c\u00ab\u201e", r"\])}>'\"\u2019\u201d\u00bb\u201c"
_CURRENCY = r"$€£¥₹₩₽₺₪฿₫₴₦₱₡₲₵₸₼₾¢"
_CODES = (
    "EUR|USD|GBP|CHF|JPY|CNY|RMB|INR|KRW|BRL|RUB|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|TRY|MXN|ZAR|SGD|HKD|TWD|THB|AED"
)
_ONE = rf"(?:[0-9](?:[0-9.,'\u2019{_SPACES}]*[0-9])?[.,]?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?"
_SPLIT = re.compile(rf"(?P<before>[^0-9]*?)(?P<number>{_ONE})(?P<after>.*)", re.DOTALL)
_MARKS_BEFORE = re.compile(rf"[{_OPENING}{_SIGNS}{_SPACES}=~≈≤≥±<>]*")
_MARKS_AFTER = re.compile(rf"[{_CLOSING}{_SIGNS}{_SPACES}*†‡§#^]*")
_UNIT_BEFORE = re.compile(
    rf"(?P<unit>[A-Z]{{0,3}}[{_CURRENCY}]|(?:{_CODES}|[Rr]s[.]?|[Kk]r[.]?|zł|Kč)(?=[{_SPACES}])|EUR|USD|GBP|CHF|Fr[.])"
)
_ERROR = re.compile(rf"[{_SPACES}(]*(?:±|[+]/?-)[{_SPACES}]*{_ONE}[{_SPACES})]*")  # 53±1
_POWER = re.compile(rf"[{_SPACES}]*[x\xd7*·][{_SPACES}]*10\^?[{_SIGNS}]?[0-9]+")  # 5.3 x 10^3
_OUT_OF = re.compile(rf"[{_SPACES}]*/[{_SPACES}]*{_ONE}")  # 53/100
_UNIT_AFTER = re.compile(rf"(?:[%‰°{_CURRENCY}]|[^\W\d_])(?:[^\W_]|[ %°/^·.*-]){{0,24}}")
_SHORT = re.compile(rf"[%‰{_CURRENCY}]|°?[^\W\d_°]{{0,5}}|[A-Za-zµ°/²³]{{1,6}}")
_VERSION = re.compile(r"[0-9]+(?:[.][0-9]+){2,}")  # also addresses of machines
_CODE = re.compile(r"0[0-9]")
_ALIKE = 0.8  # of the texts with a unit, the fewest with the most frequent one that count as numbers of one unit
_TESTED = 1000  # texts that are tested before all
_FEWEST = 0.25  # of these; the others are text of any kind


@dataclass(frozen=True)
class Decorated:
    """What is beside the numbers of a column.

    Attributes:
        example: a text of the column.
        what: is beside the number, for a sentence; "" if nothing is, in a form of number that is not read.
        alike: the same is beside all, or most of them; otherwise there are several units.
    """

    example: str
    what: str
    alike: bool


@dataclass(frozen=True)
class _Parts:
    text: str
    before: str
    after: str
    unit: str  # "" if there are marks only, such as brackets
    is_code: bool


def decorated_numbers(texts: Sequence[str], plain: int = 0, *, versions: bool = True) -> Decorated | None:
    """What is beside the numbers if most of a column's distinct values are numbers, some with something beside them.

    Labels such as "room 12" and "A17" are no such numbers, nor are versions and ranges such as "20-29".

    Arguments:
        texts: distinct values that are no plain numbers.
        plain: how many other distinct values are.
        versions: 1.10.3 is a version, or the address of a machine, and no number with points between its thousands.

    Returns:
        None if the values are anything else, or not more than `MANY`.
    """
    count = len(texts) + plain
    if count <= MANY or not texts:
        return None
    if versions:
        texts = [text for text in texts if not _VERSION.fullmatch(text)]
    tested = texts[:: max(1, len(texts) // _TESTED)]
    if sum(_parts(text) is not None for text in tested) < _FEWEST * len(tested):
        return None
    found = sorted((one for one in map(_parts, texts) if one is not None), key=lambda one: one.text)
    if 2 * (len(found) + plain) <= count or any(one.is_code and not one.unit for one in found):
        return None  # ="01067" keeps the zero of a code
    units = Counter(one.unit for one in found if one.unit)
    if units:
        return _with_units(found, units, plain, count)
    example = next((one for one in found if one.before or one.after), found[0])
    return Decorated(example.text, _beside(example), alike=True)


def _with_units(found: Sequence[_Parts], units: Counter[str], plain: int, count: int) -> Decorated | None:
    """One unit, if most values have it or none; else several, if these are most."""
    unit, times = units.most_common(1)[0]
    others = sum(units.values()) - times
    if times >= _ALIKE * (times + others) and 2 * (len(found) - others + plain) > count:
        example = next(one for one in found if one.unit == unit)
        return Decorated(example.text, _beside(example), alike=True)
    short = [one for one in found if _SHORT.fullmatch(one.unit)]
    if len(units) > MANY or 2 * len(short) <= count:
        return None
    return Decorated(short[0].text, "several units", alike=False)


def _parts(text: str) -> _Parts | None:
    """What is beside the one number of a text; None if it is another text."""
    split = _SPLIT.fullmatch(text)
    if split is None:
        return None
    before, after = _unit_before(split["before"]), _unit_after(split["after"])
    if before is None or after is None:
        return None
    number = split["number"]
    left = "" if split["before"] in _SIGNS_OF_NUMBERS else split["before"].strip()
    return _Parts(text, left, split["after"].strip(), before + after, _CODE.match(number) is not None)


def _unit_before(text: str) -> str | None:
    """The currency before a number, "" if there are marks only, None if it is anything else."""
    rest = _MARKS_BEFORE.sub("", text, count=1)
    unit = _UNIT_BEFORE.match(rest)
    if unit is not None:
        rest = _MARKS_BEFORE.sub("", rest[unit.end() :], count=1)
    if rest:
        return None
    return unit["unit"] if unit is not None else ""


def _unit_after(text: str) -> str | None:
    """The unit behind a number, "" if there are marks only, None if it is anything else."""
    if _ERROR.fullmatch(text) or _POWER.fullmatch(text):
        return ""
    if _OUT_OF.fullmatch(text):
        return text.strip()
    marks = _MARKS_AFTER.match(text)
    rest = text[marks.end() :] if marks is not None else text
    while rest and _MARKS_AFTER.fullmatch(rest[-1]):
        rest = rest[:-1]
    return rest if not rest or _UNIT_AFTER.fullmatch(rest) else None


def _beside(one: _Parts) -> str:
    """What is beside a number, for a sentence."""
    if one.unit and not one.unit.startswith("/"):
        return f"the unit {one.unit!r}"
    sides = [f"{side!r} {where}" for side, where in ((one.before, "before"), (one.after, "after")) if side]
    return f"{' and '.join(sides)} them" if sides else ""
