"""Lists that people paste: a device a line, its hardware ID and perhaps a name behind it, as text or CSV."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from devices.hardware_id import NotAHardwareID, parse

_SEPARATORS = ";\t,"
# The first line of what programs export is the names of the columns.
_HEADINGS = {"hardwareid", "hwid", "mac", "macaddress", "macadresse", "id", "device", "gerät", "serial"}


@dataclass(frozen=True, kw_only=True)
class PastedLine:
    """One line that is not empty: its number from 1 on, and its first two columns."""

    number: int
    hardware_id: str
    name: str


def read(text: str) -> list[PastedLine]:
    """The lines of a list, without empty ones and a heading. What they hold is for others to judge."""
    lines: list[PastedLine] = []
    for number, line in enumerate(text.splitlines(), start=1):
        columns = _columns(line)
        if not any(columns):
            continue
        if not lines and _plain(columns[0]) in _HEADINGS:
            continue
        lines.append(PastedLine(number=number, hardware_id=columns[0], name=columns[1]))
    return lines


def write(devices: Sequence[tuple[str, str]]) -> str:
    """Such a list, as `read` takes it."""
    quoted = ((hardware_id, name.replace('"', '""')) for hardware_id, name in devices)
    return "\n".join(f'{hardware_id};"{name}"' if name else hardware_id for hardware_id, name in quoted)


def _columns(line: str) -> tuple[str, str]:
    separator = next((one for one in _SEPARATORS if one in line), None)
    if separator is None:
        return _by_blank(line.strip())
    [row] = csv.reader([line.strip()], delimiter=separator, skipinitialspace=True)
    first, second = [*(column.strip() for column in row), "", ""][:2]
    return first, second


def _by_blank(line: str) -> tuple[str, str]:
    """A list without separators: the hardware ID first, and a name behind a blank. Some write blanks into the
    hardware ID itself: it ends as late as it can."""
    words = line.split()
    for count in range(len(words), 0, -1):
        try:
            parse(" ".join(words[:count]))
        except NotAHardwareID:
            continue
        return " ".join(words[:count]), " ".join(words[count:])
    return line, ""


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalpha())
