"""A device that licenses are assigned to, locked and read in one statement (docs/decisions/0036)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from accounts.models import Project
from devices.models import Device
from devices.queries import NoSuchDevice
from licenses import ledger
from licenses.models import Grant, Holder, Holding, LicenseDocument, LogLeaf, LogLine, Product, Transfer
from portal.core.batches import Batch
from portal.core.kept_queries import Columns, KeptSteps, columns_of, listed
from portal.core.models import AuditEntry, OutboxJob

_DEVICE = columns_of(
    Device, "id", "hardware_id", "project_id", "name", "pinned_spki", "seq_floor", "released_at"
)
_PROJECT = columns_of(Project, "id", "company_id", "name", "archived_at")
_GRANT = columns_of(Grant, "id", "product_id", "quantity", "license_class", "made_at", "expires_at")
_PRODUCT = columns_of(Product, "id", "code", "version", "returnable")
STEPS = KeptSteps(
    function="licenses_locked_device",
    parameters=("device_id", "company_id", "product_id", "now"),
    steps=(
        # Whatever changes a device's grants, documents or project holds this lock (ledger.lock_device).
        "SELECT 1 FROM devices_device WHERE id = %(device_id)s FOR NO KEY UPDATE",
        # So that the company is not imported meanwhile, nor the project archived (accounts.scopes).
        "SELECT 1 FROM accounts_company WHERE id = %(company_id)s FOR KEY SHARE",
        # Both holdings, in the order of (holder, product); the update to the same value takes the lock.
        """
        INSERT INTO licenses_holding (holder_id, product_id, balance, moved)
        SELECT holder.id, %(product_id)s, 0, 0
        FROM devices_device device
        JOIN licenses_holder taker ON taker.device_id = device.id
        JOIN licenses_holder giver ON giver.project_id = device.project_id
        JOIN licenses_holder holder ON holder.id IN (taker.id, giver.id)
        WHERE device.id = %(device_id)s AND device.released_at IS NULL
        ORDER BY 1
        ON CONFLICT (holder_id, product_id) DO UPDATE SET balance = licenses_holding.balance
        """,
    ),
    sql=f"""
    SELECT {listed("device", _DEVICE)},
           {listed("project", _PROJECT)},
           giver.id, giver.log_id, taker.id, taker.log_id, free.id, free.balance, has.id, has.balance,
           (SELECT MAX(seq) FROM licenses_licensedocument WHERE device_id = device.id),
           EXISTS (SELECT 1 FROM licenses_move WHERE broken_id = device.id AND state = 'open'),
           EXISTS (SELECT 1 FROM licenses_testlicense WHERE device_id = device.id AND started_at IS NULL),
           {listed("held", _GRANT)},
           {listed("product", _PRODUCT)}
    FROM devices_device device
    JOIN accounts_project project ON project.id = device.project_id
    LEFT JOIN licenses_holder giver ON giver.project_id = device.project_id
    LEFT JOIN licenses_holder taker ON taker.device_id = device.id
    LEFT JOIN licenses_holding free ON free.holder_id = giver.id AND free.product_id = %(product_id)s
    LEFT JOIN licenses_holding has ON has.holder_id = taker.id AND has.product_id = %(product_id)s
    LEFT JOIN licenses_grant held
      ON held.device_id = device.id AND held.state = 'live'
     AND (held.expires_at IS NULL OR held.expires_at > %(now)s)
    LEFT JOIN licenses_product product ON product.id = held.product_id
    WHERE device.id = %(device_id)s
    """,  # noqa: S608 (the columns are the constants above)
)
"""A change of it is a migration as well: PostgreSQL has it as a function."""


@dataclass(frozen=True, kw_only=True)
class LockedDevice:
    """A device with its project, the holders of both, and their holdings of one product."""

    device: Device
    giver: Holder
    taker: Holder
    held: Mapping[tuple[int, int], Holding]
    grants: Sequence[Grant]
    """What it holds now, with their products."""
    next_seq: int
    may_be_in_move: bool
    """A move from it was not ended; it may be too old to count."""
    may_have_test: bool
    """A test license of it was never started; it may count no more."""


def lock_to_assign(*, device: Device, product: Product, now: datetime, batch: Batch) -> LockedDevice:
    """Lock a device, hold the company it is in, and lock both holdings that an assignment changes.

    :raises NoSuchDevice: it was released: no project has it.
    :raises ProjectArchived: its project is archived, and never held anything.
    """
    given = {
        "device_id": device.pk,
        "company_id": device.project.company_id,
        "product_id": product.pk,
        "now": connection.ops.adapt_datetimefield_value(now),
    }
    ids_of = (Transfer, LicenseDocument, LogLeaf, LogLine, AuditEntry, OutboxJob)
    while True:
        rows = STEPS.rows(given, batch=batch, ids_of=ids_of)
        read = Columns(rows[0])
        locked, project = read.row(Device, _DEVICE), read.row(Project, _PROJECT)
        if locked.released_at is not None:
            raise NoSuchDevice
        locked.project = project
        if project.company_id != given["company_id"]:
            # The project came over to another company, or the device to another project: hold that company.
            given["company_id"] = project.company_id
            batch.forget_ids()
            continue
        giver, giver_log, taker, taker_log, free, free_balance, has, has_balance = read.values(8)
        if giver is not None and taker is not None:
            break
        # One of the two has no holder yet.
        ledger.project_holder(project)
        ledger.device_holder(locked)
        batch.forget_ids()
    highest_seq, may_be_in_move, may_have_test = read.values(3)
    return LockedDevice(
        device=locked,
        giver=Holder(pk=giver, kind=Holder.Kind.PROJECT, log_id=giver_log),
        taker=Holder(pk=taker, kind=Holder.Kind.DEVICE, log_id=taker_log),
        held={
            (giver, product.pk): Holding(pk=free, balance=free_balance),
            (taker, product.pk): Holding(pk=has, balance=has_balance),
        },
        grants=[_grant(Columns(row, after=read), locked) for row in rows if row[-1] is not None],
        next_seq=max(highest_seq or 0, locked.seq_floor) + 1,
        may_be_in_move=bool(may_be_in_move),
        may_have_test=bool(may_have_test),
    )


def _grant(read: Columns, device: Device) -> Grant:
    grant = read.row(Grant, _GRANT)
    grant.device, grant.product = device, read.row(Product, _PRODUCT)
    return grant
