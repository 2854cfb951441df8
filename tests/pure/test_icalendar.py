"""Calendars as RFC 5545 has them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from licenses.icalendar import Event, calendar

AT = datetime(2027, 2, 28, 12, 0, tzinfo=UTC)


def event(**changes: Any) -> Event:
    values: dict[str, Any] = {
        "uid": "test-license-7@licenses.example.com",
        "at": AT,
        "stamp": AT - timedelta(days=90),
        "summary": "The test license ends",
        "description": "Example / DEFAULT",
        "url": "https://licenses.example.com/devices/00-90-33-01-0A-FF",
    }
    return Event(**(values | changes))


def made(*events: Event) -> bytes:
    return calendar(product="-//License Portal//EN", name="Endings", events=events)


def unfolded(content: bytes) -> list[str]:
    return content.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


class TestCalendar:
    def test_an_event_is_an_instant_in_utc(self) -> None:
        elsewhere = AT.astimezone(timezone(timedelta(hours=5)))

        lines = unfolded(made(event(at=elsewhere)))

        assert lines[:3] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//License Portal//EN"]
        assert "DTSTART:20270228T120000Z" in lines
        assert "DTSTAMP:20261130T120000Z" in lines
        assert "UID:test-license-7@licenses.example.com" in lines
        assert lines[-2:] == ["END:VEVENT", "END:VCALENDAR"]

    def test_the_same_events_give_the_same_bytes(self) -> None:
        assert made(event()) == made(event())

    def test_signs_that_mean_something_are_escaped(self) -> None:
        lines = unfolded(made(event(description="a;b,c\\d\ne\r\nf\rg\x07h")))

        assert "DESCRIPTION:a\\;b\\,c\\\\d\\ne\\nf\\ngh" in lines

    def test_without_events_there_is_a_component_all_the_same(self) -> None:
        lines = unfolded(made())

        assert "BEGIN:VTIMEZONE" in lines
        assert "BEGIN:VEVENT" not in lines

    @given(st.text(max_size=300))
    def test_no_line_is_too_long_and_no_letter_is_cut(self, text: str) -> None:
        content = made(event(summary=text.encode(errors="replace").decode()))

        assert content.endswith(b"\r\n")
        lines = content[:-2].split(b"\r\n")
        assert max(len(line) for line in lines) <= 75
        for line in lines:
            line.decode()
        [summary] = [line for line in unfolded(content) if line.startswith("SUMMARY:")]
        kept = "".join(letter for letter in text if letter >= " " and letter not in "\\;,\x7f\r\n")
        said = summary.removeprefix("SUMMARY:").replace("\\n", "").replace("\\", "")
        assert said.replace(";", "").replace(",", "") == kept.encode(errors="replace").decode()
