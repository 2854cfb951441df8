"""How often somebody may do something."""

from datetime import timedelta

import pytest
import time_machine

from portal.core import throttle
from portal.core.throttle import Limit, RateLimited
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LIMIT = Limit(name="test", times=3, seconds=3600)


class TestHitting:
    def test_it_allows_as_many_as_it_says(self) -> None:
        for _ in range(3):
            throttle.hit(LIMIT, "user:1", now=NOW)

        with pytest.raises(RateLimited):
            throttle.hit(LIMIT, "user:1", now=NOW)

    def test_one_subject_above_the_limit_is_enough(self) -> None:
        for number in range(3):
            throttle.hit(LIMIT, "address:a", f"user:{number}", now=NOW)

        with pytest.raises(RateLimited):
            throttle.hit(LIMIT, "user:new", "address:a", now=NOW)

    def test_all_subjects_are_counted_even_then(self) -> None:
        for _ in range(3):
            throttle.hit(LIMIT, "address:a", now=NOW)
        for _ in range(3):
            with pytest.raises(RateLimited):
                throttle.hit(LIMIT, "address:a", "user:1", now=NOW)

        with pytest.raises(RateLimited):
            throttle.hit(LIMIT, "user:1", now=NOW)

    def test_others_are_not_concerned(self) -> None:
        for _ in range(3):
            throttle.hit(LIMIT, "user:1", now=NOW)

        throttle.hit(LIMIT, "user:2", now=NOW)
        throttle.hit(Limit(name="other", times=3, seconds=3600), "user:1", now=NOW)

    def test_a_repeated_call_is_one_hit(self) -> None:
        for _ in range(9):
            throttle.hit(LIMIT, "user:1", now=NOW, call="first")
        throttle.hit(LIMIT, "user:1", now=NOW, call="second")
        throttle.hit(LIMIT, "user:1", now=NOW)

    def test_a_refused_call_is_refused_again(self) -> None:
        for _ in range(3):
            throttle.hit(LIMIT, "user:1", now=NOW)

        for _ in range(2):
            with pytest.raises(RateLimited):
                throttle.hit(LIMIT, "user:1", now=NOW, call="first")

    def test_it_says_when_it_ends(self) -> None:
        later = NOW + timedelta(minutes=50)
        for _ in range(3):
            throttle.hit(LIMIT, "user:1", now=NOW)

        with pytest.raises(RateLimited) as caught:
            throttle.hit(LIMIT, "user:1", now=later)
        assert caught.value.facts == {"seconds": 600}

    def test_then_it_begins_anew(self) -> None:
        for _ in range(3):
            throttle.hit(LIMIT, "user:1", now=NOW)

        throttle.hit(LIMIT, "user:1", now=NOW + timedelta(hours=1))

    def test_a_counter_lives_as_long_as_its_window(self) -> None:
        """Django's database cache forgets a counter's time to live when it rises."""
        with time_machine.travel(NOW, tick=False) as traveller:
            for _ in range(3):
                throttle.hit(LIMIT, "user:1", now=NOW)
            traveller.shift(timedelta(minutes=59))

            with pytest.raises(RateLimited):
                throttle.hit(LIMIT, "user:1", now=NOW + timedelta(minutes=59))
