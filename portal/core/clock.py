"""The one place that reads the clock.

Doors call `now()` once and hand the instant on; everything below takes it as an argument, so that a test,
a replay and a request late at night all tell the same story.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """This instant, in UTC, with microseconds."""
    return datetime.now(tz=UTC)


def posix(instant: datetime) -> int:
    """The instant as whole POSIX seconds, as signed documents write times (trust.md 2)."""
    return int(instant.timestamp())


def instant(posix_seconds: int) -> datetime:
    """The other way round: the instant that a signed document names."""
    return datetime.fromtimestamp(posix_seconds, tz=UTC)
