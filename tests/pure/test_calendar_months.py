"""Three months later: month ends, leap years, time of day, zones (mission rule 21)."""

import calendar
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licenses.calendar_months import months_after

moments = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 (hypothesis puts the zone on)
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001
    timezones=st.builds(
        timezone, st.timedeltas(min_value=timedelta(hours=-14), max_value=timedelta(hours=14))
    ),
)
months = st.integers(min_value=0, max_value=120)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


class TestThreeMonths:
    @pytest.mark.parametrize(
        ("start", "end"),
        [
            ("2026-11-30T12:34:56+00:00", "2027-02-28T12:34:56+00:00"),
            ("2026-11-29T12:34:56+00:00", "2027-02-28T12:34:56+00:00"),
            ("2026-11-28T12:34:56+00:00", "2027-02-28T12:34:56+00:00"),
            ("2027-11-30T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
            ("2027-11-29T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
            ("2099-11-30T00:00:00+00:00", "2100-02-28T00:00:00+00:00"),
            ("1999-11-30T00:00:00+00:00", "2000-02-29T00:00:00+00:00"),
            ("2026-01-31T23:59:59+00:00", "2026-04-30T23:59:59+00:00"),
            ("2026-03-31T00:00:00+00:00", "2026-06-30T00:00:00+00:00"),
            ("2026-05-31T00:00:00+00:00", "2026-08-31T00:00:00+00:00"),
            ("2028-02-29T08:00:00+00:00", "2028-05-29T08:00:00+00:00"),
            ("2026-10-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
            ("2026-12-31T23:59:59+00:00", "2027-03-31T23:59:59+00:00"),
        ],
    )
    def test_end_on_the_same_day_or_the_last_one_the_month_has(self, start: str, end: str) -> None:
        assert months_after(at(start), 3) == at(end)

    def test_are_counted_in_utc_whatever_the_zone_of_the_start(self) -> None:
        # In Berlin it is the first of December already.
        assert months_after(at("2026-12-01T00:30:00+01:00"), 3) == at("2027-02-28T23:30:00+00:00")

    def test_begin_at_a_whole_second(self) -> None:
        assert months_after(at("2026-11-24T12:00:00.999999+00:00"), 3) == at("2027-02-24T12:00:00+00:00")


class TestAnyNumberOfMonths:
    @given(moments, months)
    def test_keeps_the_time_of_day_and_moves_to_that_month(self, moment: datetime, count: int) -> None:
        start, end = moment.astimezone(UTC), months_after(moment, count)

        assert end.tzinfo is UTC
        assert end.time() == start.replace(microsecond=0).time()
        assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == count

    @given(moments, months)
    def test_keeps_the_day_where_the_month_has_it(self, moment: datetime, count: int) -> None:
        start, end = moment.astimezone(UTC), months_after(moment, count)

        last = calendar.monthrange(end.year, end.month)[1]
        assert end.day == min(start.day, last)

    @given(moments, moments, months)
    def test_never_lets_the_earlier_one_end_later(self, one: datetime, other: datetime, count: int) -> None:
        first, second = sorted((one, other))

        assert months_after(first, count) <= months_after(second, count)

    @given(moments)
    def test_none_is_the_moment_itself(self, moment: datetime) -> None:
        assert months_after(moment, 0) == moment.astimezone(UTC).replace(microsecond=0)


class TestWhatMakesNoSense:
    def test_a_moment_without_a_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="zone"):
            months_after(datetime(2026, 11, 24), 3)  # noqa: DTZ001

    def test_a_negative_number_of_months_is_refused(self) -> None:
        with pytest.raises(ValueError, match="before its start"):
            months_after(datetime(2026, 11, 24, tzinfo=UTC), -1)
