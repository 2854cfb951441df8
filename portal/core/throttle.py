"""How often somebody may do something.

Counters live in the shared cache (Redis, or Django's database cache), never in process memory: two workers
would each allow the limit. A window starts with the first hit.
"""

from dataclasses import dataclass

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from portal.core.errors import Throttled


class RateLimited(Throttled):
    code = "rate-limited"
    title = _("That was too often in a short time.")
    way_out = _("Nothing was changed. Please try again in %(seconds)s seconds.")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `times` hits in `seconds` for each subject."""

    name: str
    times: int
    seconds: int


def hit(limit: Limit, *subjects: str) -> None:
    """Count one hit for each of the subjects.

    :raises RateLimited: one of them is above the limit; all were counted.
    """
    over = False
    for subject in subjects:
        key = f"throttle:{limit.name}:{subject}"
        cache.add(key, 0, timeout=limit.seconds)
        try:
            over |= cache.incr(key) > limit.times
        except ValueError:  # the window ended between the two calls: this hit is the first of the next one
            cache.set(key, 1, timeout=limit.seconds)
    if over:
        raise RateLimited(seconds=limit.seconds)
