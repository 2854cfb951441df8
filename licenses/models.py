"""What: products, activation keys, the ledger's rows, license documents, the log's leaves.

Only licenses/ledger.py writes holdings, transfers and grants. Names of constraints are sentences that hold.
"""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Company, Project
from devices.models import Device
from portal.core.models import Act, random_id


def random_bytes() -> bytes:
    """128 random bits: holder ids and salts of the public log."""
    return secrets.token_bytes(16)


class Product(models.Model):
    """What is licensed: a code in one major version (mission rule 15)."""

    class Kind(models.TextChoices):
        GATEWAY = "gateway"
        PBX = "pbx"
        APP = "app"
        SERVICE = "service"
        WARRANTY = "warranty"

    code = models.CharField(max_length=40)
    version = models.IntegerField()
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    returnable = models.BooleanField()
    user_assignable = models.BooleanField()
    unit = models.CharField(max_length=20)
    weight = models.IntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="a_product_is_its_code_and_version"),
            models.CheckConstraint(
                condition=Q(kind__in=["gateway", "pbx", "app", "service", "warranty"]),
                name="a_product_has_a_known_kind",
            ),
            models.CheckConstraint(condition=Q(version__gt=0), name="a_product_has_a_version"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="a_product_has_a_weight"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"


class Order(models.Model):
    """What the vendor sold: the number in the vendor's books, the customer's reference, the customer."""

    number = models.CharField(max_length=40, unique=True)
    reference = models.CharField(max_length=100, blank=True)
    customer = models.CharField(max_length=200)
    placed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number


class ActivationKey(models.Model):
    """A single-use code that holds one whole order (mission rules 8 to 10). The code itself is not here."""

    class State(models.TextChoices):
        ISSUED = "issued"
        ACTIVATED = "activated"
        BLOCKED = "blocked"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="activation_keys")
    fingerprint = models.BinaryField()
    last_four = models.CharField(max_length=4)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ISSUED)
    issued_at = models.DateTimeField()
    activated_by = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fingerprint"], name="an_activation_code_is_one_key"),
            models.CheckConstraint(condition=Q(fingerprint__length=32), name="a_key_is_stored_as_a_hash"),
            models.CheckConstraint(
                condition=Q(state__in=["issued", "blocked"], activated_by__isnull=True)
                | Q(state="activated", activated_by__isnull=False),
                name="an_activated_key_knows_its_act",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["last_four"], name="keys_by_last_characters")]

    def __str__(self) -> str:
        return f"…{self.last_four}"


class KeyDelivery(models.Model):
    """The code, encrypted, until its delivery is confirmed or seven days are over (mission rule 8)."""

    activation_key = models.OneToOneField(
        ActivationKey, on_delete=models.CASCADE, primary_key=True, related_name="delivery"
    )
    ciphertext = models.BinaryField()
    kept_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"delivery of {self.activation_key_id}"


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
                | Q(kind="project", activation_key=None, company=None, project__isnull=False, device=None)
                | Q(kind="device", activation_key=None, company=None, project=None, device__isnull=False),
                name="a_holder_is_what_its_kind_says",
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


class LicenseDocument(models.Model):
    """One issue of a device's license document: payload and `seq` from the change, signatures from later.

    `signed` is null until the document is first wanted; the first signed bytes that are stored win, and
    those bytes go out unchanged for ever (trust.md 4).
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="license_documents")
    seq = models.BigIntegerField()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="license_documents")
    payload = models.BinaryField()
    payload_sha256 = models.BinaryField(unique=True)
    issued_at = models.DateTimeField()
    # When the first of its items ends; then the next document lacks it (trust.md 4).
    outdated_at = models.DateTimeField(null=True)
    signed = models.BinaryField(null=True)
    signed_under = models.IntegerField(null=True)  # the version of the key set whose keys signed
    handed_out_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "seq"], name="a_seq_is_given_once"),
            models.CheckConstraint(condition=Q(seq__gt=0), name="seq_starts_at_one"),
            models.CheckConstraint(condition=Q(payload_sha256__length=32), name="a_document_has_a_hash"),
            models.CheckConstraint(
                condition=Q(signed__isnull=True, signed_under__isnull=True)
                | Q(signed__isnull=False, signed_under__isnull=False),
                name="a_signature_names_its_key_set",
            ),
            models.CheckConstraint(
                condition=Q(handed_out_at__isnull=True) | Q(signed__isnull=False),
                name="only_signed_documents_are_handed_out",
            ),
        ]

    def __str__(self) -> str:
        return f"seq {self.seq} of {self.device_id}"


class Return(models.Model):
    """A return that was accepted, and its receipt: payload from the act, signatures from soon after.

    As with documents, the first signed bytes that are stored win (trust.md 5).
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="returns")
    act = models.OneToOneField(Act, on_delete=models.PROTECT, related_name="license_return")
    jti = models.CharField(max_length=22)
    payload_sha256 = models.BinaryField(unique=True)
    next_seq = models.BigIntegerField()
    received_at = models.DateTimeField()
    receipt_payload = models.BinaryField()
    signed = models.BinaryField(null=True)
    signed_under = models.IntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "jti"], name="a_device_names_a_return_once"),
            models.CheckConstraint(condition=Q(payload_sha256__length=32), name="a_return_has_a_hash"),
            models.CheckConstraint(
                condition=Q(signed__isnull=True, signed_under__isnull=True)
                | Q(signed__isnull=False, signed_under__isnull=False),
                name="a_receipt_names_its_key_set",
            ),
        ]

    def __str__(self) -> str:
        return f"return {self.jti} of {self.device_id}"


class Acknowledged(models.Model):
    """What a device said is installed and in effect: the highest numbers it ever named (trust.md 3)."""

    device = models.OneToOneField(
        Device, on_delete=models.PROTECT, primary_key=True, related_name="acknowledged"
    )
    installed_seq = models.BigIntegerField()
    effective_seq = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.device_id}: installed {self.installed_seq}, in effect {self.effective_seq}"


class ClaimCode(models.Model):
    """A code that a device signs to prove whose hands it is in (mission rule 7). Only its hash is kept."""

    code_sha256 = models.BinaryField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    hardware_id = models.CharField(max_length=17)
    expires_at = models.DateTimeField()
    used_by = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code_sha256"], name="a_claim_code_is_one_claim"),
            models.CheckConstraint(condition=Q(code_sha256__length=32), name="a_claim_code_is_a_hash"),
        ]

    def __str__(self) -> str:
        return f"claim of {self.hardware_id} for {self.project_id}"


class KeySetVersion(models.Model):
    """A published key set: the bytes the roots signed (trust.md 6). Every version stays for ever."""

    version = models.IntegerField(primary_key=True)
    signed = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(version__gt=0), name="key_sets_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"key set {self.version}"


class LogLeaf(models.Model):
    """A leaf of the public log, written with its act; a sequencer gives it its index later (trust.md 8)."""

    act = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="log_leaves")
    type = models.CharField(max_length=20)
    at = models.DateTimeField()
    document_sha256 = models.BinaryField(null=True)
    body = models.BinaryField()
    index = models.BigIntegerField(null=True, unique=True)

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class LogLine(models.Model):
    """What stands behind one hash of a leaf: the line's bytes and its salt."""

    leaf = models.ForeignKey(LogLeaf, on_delete=models.PROTECT, related_name="lines")
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, null=True, related_name="log_line")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, null=True, related_name="log_lines")
    salt = models.BinaryField()
    line = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(salt__length=16), name="a_line_has_a_salt_of_its_own"),
            models.CheckConstraint(
                condition=Q(transfer__isnull=False) | Q(grant__isnull=False),
                name="a_line_tells_of_a_transfer_or_a_grant",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.pk} of leaf {self.leaf_id}"
