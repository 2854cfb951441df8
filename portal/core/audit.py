"""Every change says who, what, when, why (mission rule 38): entries for histories and for auditors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.core import batches
from portal.core.acts import Caller
from portal.core.models import Act, AuditEntry


def record(
    event: str,
    *,
    caller: Caller,
    now: datetime,
    act: Act | None = None,
    company_id: int | None = None,
    project_id: int | None = None,
    hardware_id: str = "",
    **facts: Any,
) -> None:
    """Write one entry. Inside an operation it is part of the operation's transaction.

    `facts` are shown to people; they must hold no secret: no key, no token, no password. Entries are never
    changed, and people may leave: facts name a person by the id of the user, never by name or address.
    """
    entry = AuditEntry(
        at=now,
        event=event,
        act=act,
        actor_id=caller.user_id,
        actor_name=caller.kept_name,
        address=caller.address,
        company_id=company_id,
        project_id=project_id,
        hardware_id=hardware_id,
        facts=facts,
    )
    batches.write([entry], batch=act.batch if act else None)


@dataclass(frozen=True, kw_only=True)
class Happened:
    """What one of many entries of one event tells."""

    act: Act
    company_id: int | None
    facts: Mapping[str, Any]


def record_all(event: str, entries: Iterable[Happened], *, caller: Caller, now: datetime) -> None:
    """Write many entries of one event in one statement. The rules are those of `record`."""
    AuditEntry.objects.bulk_create(
        AuditEntry(
            at=now,
            event=event,
            act=entry.act,
            actor_id=caller.user_id,
            actor_name=caller.kept_name,
            address=caller.address,
            company_id=entry.company_id,
            facts=dict(entry.facts),
        )
        for entry in entries
    )
