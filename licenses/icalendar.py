"""Calendars as RFC 5545 has them: bytes from values. Times are UTC, an event is an instant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST_LINE = 75
"""Octets, without the line break (RFC 5545, section 3.1)."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens at an instant.

    uid: globally unique, and the same whenever the event is told again.
    stamp: when what is told here became so.
    """

    uid: str
    at: datetime
    stamp: datetime
    summary: str
    description: str
    url: str


def calendar(*, product: str, name: str, events: Sequence[Event]) -> bytes:
    """A whole calendar.

    :param product: what made it, for PRODID.
    :param name: what calendar programs call it.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_text(product)}", "CALSCALE:GREGORIAN"]
    lines += [f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}"]
    # RFC 7986: how often it is worth while to look again.
    lines += ["REFRESH-INTERVAL;VALUE=DURATION:PT6H", "X-PUBLISHED-TTL:PT6H"]
    lines += [line for event in events for line in _event(event)] if events else _NOTHING
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


# A calendar has at least one component (RFC 5545, section 3.6), also when nothing happens.
_NOTHING = [
    "BEGIN:VTIMEZONE",
    "TZID:Etc/UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
]


def _event(event: Event) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"DTSTAMP:{_instant(event.stamp)}"
    yield f"DTSTART:{_instant(event.at)}"
    yield f"SUMMARY:{_text(event.summary)}"
    yield f"DESCRIPTION:{_text(event.description)}"
    yield f"URL:{event.url}"
    yield "TRANSP:TRANSPARENT"  # nobody is busy because a license ends
    yield "END:VEVENT"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A value of type TEXT (RFC 5545, section 3.3.11); other control characters may not be in one."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    escaped = escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")
    return "".join(letter for letter in escaped if letter >= " " and letter != "\x7f")


def _folded(line: str) -> bytes:
    """A line with its break, cut where it is too long, but never inside a letter."""
    parts: list[bytes] = []
    part = b""
    for letter in line:
        octets = letter.encode()
        # Each further line begins with a blank that counts.
        if len(part) + len(octets) > LONGEST_LINE - bool(parts):
            parts.append(part)
            part = b""
        part += octets
    return b"\r\n ".join([*parts, part]) + b"\r\n"
