"""The shared cache, and what stands in for it while Redis is away.

What is kept here may be lost: counters of limits, and nonces that were used (a statement that comes twice
has no effect twice, with or without them). So no request fails because Redis does. Without it each process
counts by itself: limits hold still, times the number of processes. After a failure Redis is asked again
only when some seconds are over, so that a Redis that hangs costs one request its time-out, not every one.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import structlog
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TookTooLong

from portal.core.kept_redis import KeptRedisCache, count_in_turn

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

ASKED_AGAIN_AFTER = 5.0
"""Seconds."""
AWAY = (NoConnection, TookTooLong, ResponseError)
"""It cannot be reached, it hangs, or it refuses: loading its data, or full (`noeviction`)."""

_away_until = 0.0
_own = LocMemCache("while-redis-is-away", {"OPTIONS": {"MAX_ENTRIES": 100_000}})


def redis_is_away() -> bool:
    """Whether this process counts by itself at the moment."""
    return time.monotonic() < _away_until


class RedisOrOwn(KeptRedisCache):
    """Redis, or this process's own memory while Redis is away.

    A counter does not go along from one to the other: a window begins anew.
    """

    def add(self, *args: Any, **options: Any) -> bool:
        """As in Django."""
        return self._ask(super().add, _own.add, *args, **options)

    def get(self, *args: Any, **options: Any) -> Any:
        """As in Django."""
        return self._ask(super().get, _own.get, *args, **options)

    def set(self, *args: Any, **options: Any) -> None:
        """As in Django."""
        self._ask(super().set, _own.set, *args, **options)

    def touch(self, *args: Any, **options: Any) -> bool:
        """As in Django."""
        return self._ask(super().touch, _own.touch, *args, **options)

    def delete(self, *args: Any, **options: Any) -> bool:
        """As in Django."""
        return self._ask(super().delete, _own.delete, *args, **options)

    def has_key(self, *args: Any, **options: Any) -> bool:
        """As in Django."""
        return self._ask(super().has_key, _own.has_key, *args, **options)

    def incr(self, *args: Any, **options: Any) -> int:
        """As in Django.

        :raises ValueError: there is no such counter; also after Redis went or came back.
        """
        return self._ask(super().incr, _own.incr, *args, **options)

    def count(self, call: str, counters: Sequence[str], *, seconds: int) -> int:
        """As in KeptRedisCache."""
        own = partial(count_in_turn, _own)
        return self._ask(super().count, own, call, counters, seconds=seconds)

    def get_many(self, *args: Any, **options: Any) -> dict[Any, Any]:
        """As in Django."""
        return self._ask(super().get_many, _own.get_many, *args, **options)

    def set_many(self, *args: Any, **options: Any) -> list[Any]:
        """As in Django."""
        return self._ask(super().set_many, _own.set_many, *args, **options)

    def delete_many(self, *args: Any, **options: Any) -> None:
        """As in Django."""
        self._ask(super().delete_many, _own.delete_many, *args, **options)

    def clear(self) -> None:
        """As in Django."""
        _own.clear()
        self._ask(super().clear, _own.clear)

    def _ask(
        self, redis: Callable[..., Result], own: Callable[..., Result], *args: Any, **options: Any
    ) -> Result:
        global _away_until  # noqa: PLW0603 -- what one thread found out spares the others the wait
        if redis_is_away():
            return own(*args, **options)
        try:
            return redis(*args, **options)
        except AWAY as error:
            _away_until = time.monotonic() + ASKED_AGAIN_AFTER
            log.warning(
                "redis is away, this process counts by itself", error=f"{type(error).__name__}: {error}"
            )
            return own(*args, **options)
