"""How often somebody may do something.

Counters live in the shared cache (Redis, or Django's database cache), never in process memory: two workers
would each allow the limit. Windows follow each other in time, the same for everybody, each with
counters of its own.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from portal.core.errors import Throttled


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
    over = False
    prefix = f"throttle:{limit.name}:{window}"
    repeated = bool(call) and not cache.add(f"{prefix}:call:{call}", 1, timeout=limit.seconds)
    for subject in subjects:
        key = f"{prefix}:{subject}"
        if repeated:
            # Not counted, but held all the same: else every try could be made twice, the second for nothing.
            over |= cache.get(key, 0) > limit.times
            continue
        cache.add(key, 0, timeout=limit.seconds)
        try:
            over |= cache.incr(key) > limit.times
        except ValueError:  # it was dropped between the two calls, by a full cache
            cache.set(key, 1, timeout=limit.seconds)
        # Django's database cache gives a counter that rises its default time to live, which is shorter. That
        # it lives longer than its window does no harm: the next window has another.
        cache.touch(key, timeout=limit.seconds)
    if over:
        raise RateLimited(seconds=limit.seconds - gone)
