"""Redis as a cache, with a client that is kept.

Django makes a client for each call, and redis-py spends more on making one than on asking Redis.
"""

from collections.abc import Sequence
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

_COUNT = """
local repeated = ARGV[2] == '1' and not redis.call('SET', KEYS[1], '1', 'EX', ARGV[1], 'NX')
local highest = 0
for place = 2, #KEYS do
    local count
    if repeated then
        count = tonumber(redis.call('GET', KEYS[place]) or '0')
    else
        count = redis.call('INCR', KEYS[place])
        redis.call('EXPIRE', KEYS[place], ARGV[1])
    end
    highest = math.max(highest, count)
end
return highest
"""


class _KeptClient(RedisCacheClient):
    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options)
        self._kept: dict[int, Any] = {}
        self._count: Any = None

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        index: int = self._get_connection_pool_index(write)  # type: ignore[attr-defined]
        if index not in self._kept:
            self._kept[index] = super().get_client(key, write=write)
        return self._kept[index]

    def count(self, keys: Sequence[str], *, named: bool, seconds: int) -> int:
        if self._count is None:
            self._count = self.get_client(write=True).register_script(_COUNT)
        highest: int = self._count(keys=keys, args=[seconds, int(named)])
        return highest


class KeptRedisCache(RedisCache):
    """Django's cache in Redis; beside it, counters that are counted in one round trip."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _KeptClient

    def count(self, call: str, counters: Sequence[str], *, seconds: int) -> int:
        """Add one to each of the counters, unless `call` was in the last `seconds`; the highest.

        :param call: a name of the call; "" for one that has none, and counts each time.
        """
        keys = [self.make_and_validate_key(key) for key in (call or "-", *counters)]
        cache: Any = self._cache
        highest: int = cache.count(keys, named=bool(call), seconds=seconds)
        return highest


def count_in_turn(cache: BaseCache, call: str, counters: Sequence[str], *, seconds: int) -> int:
    """The same with any other cache, by one call of it after the other."""
    # Not counted, but held all the same: else every try could be made twice, the second for nothing.
    if call and not cache.add(call, 1, timeout=seconds):
        counts: list[int] = [cache.get(key, 0) for key in counters]
        return max(counts)
    highest = 0
    for key in counters:
        cache.add(key, 0, timeout=seconds)
        try:
            highest = max(highest, cache.incr(key))
        except ValueError:  # it was dropped between the two calls, by a full cache
            cache.set(key, 1, timeout=seconds)
        # Django's database cache gives a counter that rises its default time to live, which is shorter. That
        # it lives longer than its window does no harm: the next window has another.
        cache.touch(key, timeout=seconds)
    return highest
