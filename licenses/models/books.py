"""The books: holders, holdings, transfers, grants. Only licenses/ledger.py writes the last three."""

import secrets
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import Company, Project
from devices.models import Device
from licenses.models.orders import ActivationKey, Product
from portal.core.models import Act, random_id


def random_bytes() -> bytes:
    """128 random bits: holder ids and salts of the public log."""
    return secrets.token_bytes(16)


class Holder(models.Model):
    """Who can hold licenses. Issuer and retired are one row each; the others belong to their row.

    `log_id` stands for the holder in the public log; all balances of a company share its company's
    (trust.md 8).
    """

    class Kind(models.TextChoices):
        ISSUER = "issuer"
        KEY = "key"
        COMPANY = "company"
        PROJECT = "project"
        DEVICE = "device"
        RETIRED = "retired"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    activation_key = models.OneToOneField(ActivationKey, on_delete=models.PROTECT, null=True)
    company = models.OneToOneField(Company, on_delete=models.PROTECT, null=True)
    project = models.OneToOneField(Project, on_delete=models.PROTECT, null=True)
    device = models.OneToOneField(Device, on_delete=models.PROTECT, null=True)
    log_id = models.BinaryField(default=random_bytes)
    # A project that came over with another company got a new holder. This is the one it had before: it
    # keeps its transfers and holds nothing any more (mission rule 3).
    former_project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, related_name="former_holders"
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(
                    Q(kind__in=["issuer", "retired"])
                    & Q(activation_key__isnull=True, company__isnull=True)
                    & Q(project__isnull=True, device__isnull=True)
                )
                | Q(kind="key", activation_key__isnull=False, company=None, project=None, device=None)
                | Q(kind="company", activation_key=None, company__isnull=False, project=None, device=None)
                | (
                    Q(kind="project", activation_key=None, company=None, device=None)
                    & (
                        Q(project__isnull=False, former_project__isnull=True)
                        | Q(project__isnull=True, former_project__isnull=False)
                    )
                )
                | Q(kind="device", activation_key=None, company=None, project=None, device__isnull=False),
                name="a_holder_is_what_its_kind_says",
            ),
            models.CheckConstraint(
                condition=Q(kind="project") | Q(former_project__isnull=True),
                name="only_a_project_has_a_former_holder",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(kind__in=["issuer", "retired"]),
                name="there_is_one_issuer_and_one_retired",
            ),
            models.CheckConstraint(condition=Q(log_id__length=16), name="a_holder_has_an_id_in_the_log"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def keeps_a_balance(self) -> bool:
        """Nobody spends from a check on the issuer or the retired, and nobody shall queue for them."""
        return self.kind not in {Holder.Kind.ISSUER, Holder.Kind.RETIRED}


class Holding(models.Model):
    """How many of one product a holder has.

    `balance` is changed by F() only. On PostgreSQL a trigger keeps `moved` from the inserted transfers, and
    a deferred trigger refuses a commit in which the two differ (migration 0002).
    """

    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="holdings")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    balance = models.BigIntegerField(default=0)
    moved = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["holder", "product"], name="one_holding_for_holder_and_product"),
            models.CheckConstraint(condition=Q(balance__gte=0), name="nobody_holds_less_than_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.balance} x {self.product_id} with {self.holder_id}"


class Transfer(models.Model):
    """An immutable movement of a quantity from one holder to another, as a line of an act."""

    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="transfers")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = models.BigIntegerField()
    source = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="transfers_out")
    destination = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="transfers_in")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_transfer_moves_something"),
            models.CheckConstraint(condition=~Q(source=F("destination")), name="a_transfer_goes_somewhere"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}: {self.source_id} to {self.destination_id}"


class Grant(models.Model):
    """One assignment of a quantity of one product to one device; what a license document lists."""

    class Class(models.TextChoices):
        BOUGHT = "bought"
        TEST = "test"
        BRIDGE = "bridge"

    class State(models.TextChoices):
        LIVE = "live"
        RETURNED = "returned"
        MOVED = "moved"
        REVOKED = "revoked"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=random_id, editable=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="grants")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = models.BigIntegerField()
    license_class = models.CharField(max_length=10, choices=Class.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.LIVE)
    made_by = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="grants_made")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="grants_ended")
    ended_at = models.DateTimeField(null=True)
    # The first document of the device that lists this grant; null while none does.
    first_seq = models.BigIntegerField(null=True)
    bridge_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="bridges")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_grant_is_of_something"),
            models.CheckConstraint(
                condition=Q(state="live", ended_at__isnull=True, ended_by__isnull=True)
                | Q(
                    state__in=["returned", "moved", "revoked"], ended_at__isnull=False, ended_by__isnull=False
                )
                | Q(state="expired", ended_at__isnull=False),
                name="a_grant_ends_once_and_says_how",
            ),
            models.CheckConstraint(
                condition=Q(license_class="bought", expires_at__isnull=True)
                | Q(license_class__in=["test", "bridge"], expires_at__isnull=False),
                name="only_bought_grants_have_no_end",
            ),
            models.CheckConstraint(
                condition=Q(license_class="bridge", bridge_of__isnull=False)
                | Q(license_class__in=["bought", "test"]),
                name="a_bridge_bridges_a_grant",
            ),
            models.UniqueConstraint(
                fields=["bridge_of"],
                condition=Q(license_class="bridge", state="live"),
                name="one_live_bridge_for_a_grant",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["device"], condition=Q(state="live"), name="live_grants_of_a_device"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id} on {self.device_id} ({self.state})"
