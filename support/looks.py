"""Writing down who looked at what (docs/decisions/0027)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from accounts.models import User
from support.models import Look

# What a page is about, by the name of the part of its address; the first one that it has.
KINDS: Mapping[str, str] = {
    "hardware_id": "device",
    "move_id": "move",
    "alert_id": "alert",
    "key_id": "key",
    "order_id": "order",
    "number": "order",
    "user_id": "person",
    "project_id": "project",
    "company_id": "company",
    "mail_id": "mail",
    "fingerprint": "trust-anchor",
    "key_hash": "device-key",
    # A row in the stock admin, whose page says of which table.
    "object_id": "row",
}
LONGEST = 100


def record(
    *,
    actor: User,
    page: str,
    named: Mapping[str, Any],
    found_by: str,
    company_id: int | None,
    address: str | None,
    now: datetime,
) -> None:
    """Write one look, before the answer leaves: what cannot be written down is not shown.

    :param named: the parts of the page's address, by name.
    :param found_by: what had been searched for, "" if nothing was or if it was a person.
    """
    part = next((name for name in KINDS if name in named), None)
    Look.objects.create(
        at=now,
        actor=actor,
        page=page,
        kind=KINDS[part] if part else "",
        subject=_subject(page, part, named)[:LONGEST] if part else "",
        found_by=found_by[:LONGEST],
        company_id=company_id,
        address=address,
    )


def _subject(page: str, part: str, named: Mapping[str, Any]) -> str:
    subject = str(named[part])
    return f"{page.rpartition('_')[0]} {subject}" if KINDS[part] == "row" else subject
