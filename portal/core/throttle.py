"""How often somebody may do something.

Counters live in the shared cache (Redis, or Django's database cache), never in process memory: two workers
would each allow the limit. Windows follow each other in time, the same for everybody, each with
counters of its own.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.utils.translation import gettext_lazy as _

from portal.core.errors import Throttled
from portal.core.kept_redis import KeptRedisCache, count_in_turn


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
    if isinstance(shared, KeptRedisCache):
        highest = shared.count(name, counters, seconds=limit.seconds)
    else:
        highest = count_in_turn(shared, name, counters, seconds=limit.seconds)
    if highest > limit.times:
        raise RateLimited(seconds=limit.seconds - gone)
