"""Moving the numbers in use, so that the counters live: a device on a desk has no calls."""

import random
from collections.abc import Mapping

from appliance.counters import Counter
from appliance.kinds import COUNTED
from appliance.refusals import Refusal

_STEP = 3
_WITHOUT_LIMIT = 30
"""How many of a product are wanted at most in test mode."""


def moved(counters: Mapping[str, Counter], chance: random.Random) -> dict[str, int]:
    """Return the numbers wanted next: each goes up or down by a few, by one at most beyond what is installed.

    :param counters: every counted product by its name.
    """
    wanted = {}
    for product in COUNTED:
        counter = counters[product]
        most = _WITHOUT_LIMIT if counter.installed is None else counter.installed + bool(counter.installed)
        wanted[product] = max(0, min(most, counter.wanted + chance.randint(-_STEP, _STEP)))
    return wanted


def read_wanted(words: list[str]) -> dict[str, int]:
    """Read numbers as people type them: `Channels=5`.

    :raises Refusal: `not-counted`, `too-many-calls`.
    """
    wanted = {}
    for word in words:
        product, _, count = word.partition("=")
        if not (count.isascii() and count.isdigit()):
            raise Refusal("too-many-calls", word[:40])
        wanted[product] = int(count)
    return wanted
