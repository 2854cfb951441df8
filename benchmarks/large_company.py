"""A company with much in it, for the rows about pages: 2,000 devices and 100,000 transfers in one project."""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Project
from licenses import balances
from licenses.models import Product, Transfer
from portal.core import acts
from portal.core.acts import Caller
from portal.core.models import Act, AuditEntry, random_id

DEVICES = 2000
TRANSFERS = 100_000
BATCH = 5000
APART = timedelta(minutes=1)


def hardware_ids() -> list[str]:
    """Of devices that are not the fleet's."""
    numbers = (f"{number:06X}" for number in range(DEVICES))
    return [f"00-90-34-{text[:2]}-{text[2:4]}-{text[4:]}" for text in numbers]


def transfer_to_and_fro(project: Project, *, product: Product, now: datetime, count: int = TRANSFERS) -> None:
    """One unit from the project into the company's balance and back again, over and over, a minute apart.

    The rows that `licenses.balances.transfer_licenses` writes, in bulk; `manage.py ledger verify`, run at the
    end of every benchmark, holds them to the books.
    """
    here, there = project.holder, project.company.holder
    for start in range(0, count, BATCH):
        moments = [now - (count - number) * APART for number in range(start, min(start + BATCH, count))]
        with transaction.atomic():
            made = Act.objects.bulk_create(_act(number, at) for number, at in enumerate(moments, start=start))
            pairs = [(here, there) if place % 2 == 0 else (there, here) for place in range(len(made))]
            Transfer.objects.bulk_create(
                Transfer(act=act, product=product, quantity=1, source=source, destination=destination)
                for act, (source, destination) in zip(made, pairs, strict=True)
            )
            AuditEntry.objects.bulk_create(_entries(made, project, product))


def _act(number: int, at: datetime) -> Act:
    key = f"to-and-fro-{number}"
    return Act(
        id=random_id(),
        operation="transfer-licenses",
        scope="benchmark",
        key=key,
        input_hash=hashlib.sha256(key.encode()).digest(),
        actor_name="benchmark",
        at=at,
        outcome={},
    )


def _entries(made: Iterable[Act], project: Project, product: Product) -> Iterable[AuditEntry]:
    names = (project.name, project.company.name)
    for place, act in enumerate(made):
        source, destination = names if place % 2 == 0 else names[::-1]
        yield AuditEntry(
            at=act.at,
            event="licenses-transferred",
            act=act,
            actor_name="benchmark",
            company_id=project.company_id,
            project_id=project.pk,
            facts={"product": str(product), "quantity": 1, "source": source, "destination": destination},
        )


def load(
    project: Project,
    *,
    product: Product,
    now: datetime,
    add_devices: Callable[[list[str], list[Project]], None],
    signed_in: Callable[[Project], dict[str, Any]],
) -> dict[str, Any]:
    """Fill the project, and return what a client needs to ask for its pages."""
    names = hardware_ids()
    add_devices(names, [project])
    # By the operation once, which makes the holdings that the others are between.
    balances.transfer_licenses(
        source=project,
        destination=project.company,
        product=product,
        quantity=1,
        caller=Caller(scope="benchmark", key=acts.new_key(), name="benchmark"),
        now=now,
    )
    transfer_to_and_fro(project, product=product, now=now)
    return {**signed_in(project), "company": project.company_id, "device": names[DEVICES // 2]}
