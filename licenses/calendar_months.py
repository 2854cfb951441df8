"""Calendar months: when three of them are over (mission rule 21). Pure."""

import calendar
from datetime import UTC, datetime


def months_after(moment: datetime, months: int) -> datetime:
    """The same day of the month and time of day, so many months later, in UTC, at a whole second.

    A month that has no such day gives its last one: 2026-11-30 and three months are 2027-02-28. Whole
    seconds, because documents write ends in seconds: portal and device let go at the same one.

    :param moment: an aware datetime in whichever zone.
    :param months: 0 or more.
    :raises ValueError: the moment has no zone, or months is negative.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone is no moment")
    if months < 0:
        raise ValueError("an end is not before its start")
    start = moment.astimezone(UTC).replace(microsecond=0)
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    last_day = calendar.monthrange(year, month)[1]
    return start.replace(year=year, month=month, day=min(start.day, last_day))
