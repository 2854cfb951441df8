"""Every part that the portal rests on, keys included."""

from datetime import datetime
from functools import partial

from licenses import key_inspection
from portal.core import readiness
from portal.core.readiness import Part, State


def keys() -> Part:
    """Documents can be signed as this release signs them."""
    found = key_inspection.shortcomings()
    if not found:
        return Part(name="keys", state=State.READY)
    return Part(name="keys", state=State.FAILED, detail=f"{found[0].text} {found[0].way_out}")


def parts(*, now: datetime) -> list[Part]:
    """How each part stands; the database first, for the others are asked in it."""
    return readiness.look(
        ("database", readiness.database),
        ("migrations", readiness.migrations),
        ("redis", readiness.redis),
        ("keys", keys),
        ("outbox", partial(readiness.outbox, now=now)),
        ("worker", partial(readiness.worker, now=now)),
    )


def of_all(found: list[Part]) -> State:
    """How the whole stands: as its worst part."""
    order = (State.READY, State.DEGRADED, State.FAILED)
    return max((part.state for part in found), key=order.index)
