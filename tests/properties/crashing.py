"""Lets an operation die at a place of its own choosing, as a process that is killed there would."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from licenses import documents, ledger, transparency
from portal.core import acts, audit, outbox


class Crash(BaseException):
    """The process died. No Exception: nothing in the portal may catch it."""


@dataclass(frozen=True)
class Point:
    """A call at which to die, before or after it did its work."""

    module: ModuleType
    function: str
    after: bool

    def __repr__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.module.__name__}.{self.function}"

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Die at the first call inside."""
        work = getattr(self.module, self.function)

        def die(*args: Any, **kwargs: Any) -> None:
            if self.after:
                work(*args, **kwargs)
            raise Crash

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.module, self.function, die)
            yield


POINTS = tuple(
    Point(module, function, after)
    for module, function in (
        (acts, "begin"),
        (ledger, "transfer"),
        (ledger, "_change_balances"),
        (ledger, "grant"),
        (ledger, "end_grants"),
        (documents, "issue"),
        (outbox, "put"),
        (transparency, "record"),
        (audit, "record"),
        (acts, "finish"),
    )
    for after in (False, True)
)
