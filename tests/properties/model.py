"""What the books must say, kept with plain dictionaries: the simplest portal that could be right."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model as Row
from django.db.models import Q

from accounts.models import Company, Project
from devices.models import Device
from licenses import queries
from licenses.document import LicenseDocumentV1
from licenses.models import Grant, Holding, KeySetVersion, Product
from portal.core.acts import Caller
from tests.rows import APPS, forget_what_was_signed

TRACES = """
    SELECT
        (SELECT COUNT(*) FROM core_act), (SELECT COUNT(*) FROM core_auditentry),
        (SELECT COUNT(*) FROM core_outboxjob), (SELECT COUNT(*) FROM licenses_activationkey),
        (SELECT COUNT(*) FROM licenses_activationkey WHERE state = 'activated'),
        (SELECT COUNT(*) FROM licenses_keydelivery), (SELECT COUNT(*) FROM licenses_holder),
        (SELECT COUNT(*) FROM licenses_holding), (SELECT SUM(balance * id) FROM licenses_holding),
        (SELECT COUNT(*) FROM licenses_transfer), (SELECT COUNT(*) FROM licenses_grant),
        (SELECT COUNT(*) FROM licenses_grant WHERE state = 'live'),
        (SELECT COUNT(*) FROM licenses_licensedocument),
        (SELECT COUNT(*) FROM licenses_licensedocument WHERE handed_out_at IS NOT NULL),
        (SELECT COUNT(*) FROM licenses_logleaf), (SELECT COUNT(*) FROM licenses_logline),
        (SELECT COUNT(*) FROM licenses_return)
"""

Balance = Company | Project
Owner = Balance | Device
RETURNABLE = {"Port": True, "UC": True, "Channels": False}
Operation = Callable[..., Any]
Fate = Literal["live", "returned", "revoked"]


def empty_tables(*, but: tuple[type[Row], ...] = (Product, KeySetVersion)) -> None:
    """Forget earlier histories; the catalogue and the key sets stay."""
    stay = {model._meta.db_table for model in but}
    tables = [
        model._meta.db_table
        for model in apps.get_models()
        if model._meta.app_label in APPS and model._meta.db_table not in stay
    ]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables, allow_cascade=True))
    forget_what_was_signed()


def traces() -> tuple[int, ...]:
    """Numbers that no act leaves as they are: the same before and after shows that nothing was done."""
    with connection.cursor() as cursor:
        cursor.execute(TRACES)
        row: tuple[int, ...] = cursor.fetchone()
    return row


@dataclass
class ModelKey:
    """An activation key: its lines, and whether it was activated."""

    code: str
    lines: Mapping[str, int]
    used: bool = False
    number: str = ""
    target: Balance | None = None
    taken_back: bool = False


@dataclass
class ModelGrant:
    """A grant and its fate; `first_seq` is the first document that lists it."""

    grant: Grant
    device: Device
    code: str
    quantity: int
    first_seq: int
    fate: Fate = "live"


@dataclass(frozen=True)
class Request:
    """A request that was accepted: to be made again, or under its name with other input."""

    operation: Operation
    given: dict[str, Any]
    other: dict[str, Any]
    by: Caller
    answer: Any


@dataclass
class Model:
    """Holdings by owner and product, keys, grants, and how far each device's documents are."""

    companies: list[Company]
    projects: list[Project]
    devices: list[Device]
    held: Counter[tuple[Owner, str]] = field(default_factory=Counter)
    issued: Counter[str] = field(default_factory=Counter)
    keys: list[ModelKey] = field(default_factory=list)
    grants: list[ModelGrant] = field(default_factory=list)
    seq: Counter[Device] = field(default_factory=Counter)
    handed_out: Counter[Device] = field(default_factory=Counter)

    @property
    def balances(self) -> list[Balance]:
        return [*self.companies, *self.projects]

    def project_of(self, device: Device) -> Project:
        return next(project for project in self.projects if project.pk == device.project_id)

    def issue(self, code: str, lines: Mapping[str, int], number: str) -> None:
        self.keys.append(ModelKey(code, lines, number=number))
        self.issued.update(lines)

    def activate(self, key: ModelKey, target: Balance) -> None:
        key.used, key.target = True, target
        for code, quantity in key.lines.items():
            self.held[target, code] += quantity

    def correct(self, key: ModelKey) -> None:
        """What the key brought is out of the world: taken from where it was activated, and from the sum."""
        assert key.target is not None, "it was activated"
        key.taken_back = True
        for code, quantity in key.lines.items():
            self.held[key.target, code] -= quantity
            self.issued[code] -= quantity

    def move(self, source: Owner, destination: Owner, code: str, quantity: int) -> None:
        self.held[source, code] -= quantity
        self.held[destination, code] += quantity

    def assign(self, grant: Grant, device: Device, code: str) -> None:
        self.move(self.project_of(device), device, code, grant.quantity)
        self.seq[device] += 1
        self.grants.append(ModelGrant(grant, device, code, grant.quantity, self.seq[device]))

    def take_back(self, device: Device, ended: list[ModelGrant]) -> None:
        """A return: its receipt needs a document to come with, also where nothing came back."""
        self.end(ended, "returned")
        if not ended:
            self.seq[device] += 1

    def end(self, ended: list[ModelGrant], fate: Fate) -> None:
        """Give back what is named, in one document."""
        for one in ended:
            self.move(one.device, self.project_of(one.device), one.code, one.quantity)
            one.fate = fate
        for device in {one.device for one in ended}:
            self.seq[device] += 1

    def hand_out(self, device: Device) -> None:
        self.seq[device] = self.seq[device] or 1
        self.handed_out[device] = self.seq[device]

    def can_be_undone(self, one: ModelGrant) -> bool:
        return one.first_seq > self.handed_out[one.device]

    # --- What is stored, in the same words ---

    def stored_balances(self) -> dict[tuple[Owner, str], int]:
        """What owners of this model hold by the database, zeros left out."""
        owners = Q(holder__company__in=self.companies) | Q(holder__project__in=self.projects)
        rows = Holding.objects.filter(owners | Q(holder__device__in=self.devices), balance__gt=0)
        found: dict[tuple[Owner, str], int] = {}
        for row in rows.select_related("holder__company", "holder__project", "holder__device", "product"):
            owner = row.holder.company or row.holder.project or row.holder.device
            assert owner is not None, "the query names their kinds"
            found[owner, row.product.code] = row.balance
        return found

    def in_keys(self) -> Counter[str]:
        """What keys that were not activated still hold."""
        rest: Counter[str] = Counter()
        for key in self.keys:
            if not key.used:
                rest.update(key.lines)
        return rest

    def check(self) -> None:
        """The database says what the model says."""
        expected = {place: quantity for place, quantity in self.held.items() if quantity}
        assert self.stored_balances() == expected
        out_of_keys: Counter[str] = Counter()
        for (_, code), quantity in expected.items():
            out_of_keys[code] += quantity
        assert out_of_keys + self.in_keys() == +self.issued, "nothing is created or lost"
        for device in self.devices:
            self.check_document(device)

    def check_document(self, device: Device) -> None:
        """The device's current document lists exactly its live grants, which are what it holds."""
        live = {
            (queries.grant_id(one.grant), one.code, one.quantity)
            for one in self.grants
            if one.device == device and one.fate == "live"
        }
        row = queries.current_document(device)
        assert (row.seq if row else 0) == self.seq[device]
        document = LicenseDocumentV1.from_payload(bytes(row.payload)) if row else None
        listed = {(item.id, item.product, item.qty) for item in document.items} if document else set()
        assert listed == live
