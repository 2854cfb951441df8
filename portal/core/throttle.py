"""How often somebody may do something.

Counters live in the shared cache (Redis, or Django's database cache), never in process memory: two workers
would each allow the limit. Windows follow each other in time, the same for everybody, each with
counters of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.base import BaseCache
from django.utils.translation import gettext_lazy as _

from portal.core.errors import Throttled
from portal.core.kept_redis import KeptRedisCache


class RateLimited(Throttled):
    code = "rate-limited"
    title = _("That was too often in a short time.")
    why = _(
        "The limit keeps anybody from guessing keys or sending mails in great numbers, and leaves room for "
        "everybody else."
    )
    way_out = _("Nothing was changed. Please try again in %(seconds)s seconds.")
    source = "mission rule 10"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `times` hits in `seconds` for each subject."""

    name: str
    times: int
    seconds: int


def hit(limit: Limit, *subjects: str, now: datetime, call: str = "") -> None:
    """Count one hit for each of the subjects.

    :param call: a name of the call and all its input (`acts.call_id`). The same one again is no other hit:
        whoever repeats a request for its answer is not refused for that.
    :raises RateLimited: one of them is above the limit; all were counted. Fact `seconds`: until the
        window ends.
    """
    window, gone = divmod(int(now.timestamp()), limit.seconds)
    prefix = f"throttle:{limit.name}:{window}"
    counters = [f"{prefix}:{subject}" for subject in subjects]
    name = f"{prefix}:call:{call}" if call else ""
    shared: Any = caches[DEFAULT_CACHE_ALIAS]
    count = _count_in_redis if isinstance(shared, KeptRedisCache) else _count_in_database
    if count(shared, name, counters, limit.seconds) > limit.times:
        raise RateLimited(seconds=limit.seconds - gone)


def _count_in_redis(shared: KeptRedisCache, call: str, counters: Sequence[str], seconds: int) -> int:
    return shared.count(call, counters, seconds=seconds)


def _count_in_database(shared: BaseCache, call: str, counters: Sequence[str], seconds: int) -> int:
    """The same by Django's database cache, statement by statement."""
    # Not counted, but held all the same: else every try could be made twice, the second for nothing.
    if call and not shared.add(call, 1, timeout=seconds):
        counts: list[int] = [shared.get(key, 0) for key in counters]
        return max(counts)
    highest = 0
    for key in counters:
        shared.add(key, 0, timeout=seconds)
        try:
            highest = max(highest, shared.incr(key))
        except ValueError:  # it was dropped between the two calls, by a full cache
            shared.set(key, 1, timeout=seconds)
        # Django's database cache gives a counter that rises its default time to live, which is shorter. That
        # it lives longer than its window does no harm: the next window has another.
        shared.touch(key, timeout=seconds)
    return highest
