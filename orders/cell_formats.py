"""How a spreadsheet shows the number in a cell: with leading zeros, as a date, or as it is (no Django here).

Somebody who looks at a table sees `000123` and `24.11.2026`; the file says 123 and 46350, and in another
place how they are shown. What is entered has to be what was seen.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from orders.tables import UnreadableTable

MOST_FORMATS = 100_000
Element = tuple[str, Mapping[str, str], str]
"""The name of an XML element, its attributes, and the name of the element around it."""

# ECMA-376 part 1, section 18.8.30: what these numbers stand for is in no file.
_DATES = {*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58}
_DAY_0, _DAY_0_OF_1904 = datetime(1899, 12, 30, tzinfo=UTC), datetime(1904, 1, 1, tzinfo=UTC)
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].')
_PLAIN = re.compile(r"(-?)(\d{1,400})(?:\.(\d{1,400}))?(?:[eE]([+-]?\d{1,3}))?")
_KEPT_DIGITS = 15
"""So many digits of a number a spreadsheet keeps; the others are lost."""


class RoundedNumber(Exception):
    """A number has more digits than are kept: what was typed can no longer be told."""


def read(styles: Iterable[Element]) -> list[str]:
    """How cells of each style are shown: "date", a text of zeros, or "" for as they are.

    :param styles: the elements of `xl/styles.xml`.
    :raises UnreadableTable: there are too many.
    """
    codes: dict[str, str] = {}
    shown: list[str] = []
    for name, attributes, around in styles:
        number = attributes.get("numFmtId", "")
        if name == "numFmt":
            codes[number] = attributes.get("formatCode", "")
        elif name == "xf" and around == "cellXfs":
            shown.append(number)
        if len(codes) > MOST_FORMATS or len(shown) > MOST_FORMATS:
            raise UnreadableTable("too-large")
    return [_way_of(number, codes.get(number)) for number in shown]


def _way_of(number: str, code: str | None) -> str:
    if code is None:
        return "date" if number.isascii() and number.isdigit() and int(number[:9]) in _DATES else ""
    positive = _QUOTED.sub("", code).partition(";")[0].strip().lower()
    if re.fullmatch(r"0{2,40}", positive):
        return positive
    return "date" if "d" in positive or "y" in positive else ""


def as_shown(text: str, how: str, *, since_1904: bool) -> str:
    """The number of a cell as a text: whole ones without a point, dates as 2026-11-24.

    :raises RoundedNumber: it has more digits than a spreadsheet keeps.
    """
    found = _PLAIN.fullmatch(text)
    if found is None:
        return text
    sign, whole, fraction, exponent = found.groups()
    fraction, power = fraction or "", int(exponent or 0)
    if len(whole.lstrip("0")) + power > _KEPT_DIGITS:
        raise RoundedNumber
    if how == "date":
        return _as_date(float(text), text, since_1904=since_1904)
    if power or (fraction and not fraction.strip("0")):
        number = float(text)
        if not number.is_integer():
            return text
        whole = str(abs(int(number)))
    elif fraction:
        return text
    return sign + whole.rjust(len(how), "0")


def _as_date(days: float, text: str, *, since_1904: bool) -> str:
    # Spreadsheets have a 29 February 1900, and count it; before it the days are those of another first day.
    first = _DAY_0_OF_1904 if since_1904 else _DAY_0 + timedelta(days=days < 60)
    try:
        found = first + timedelta(seconds=round(days * 86_400))
    except OverflowError:
        return text
    return found.strftime("%Y-%m-%d" if float(days).is_integer() else "%Y-%m-%d %H:%M:%S")
