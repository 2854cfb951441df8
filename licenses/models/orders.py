"""What is licensed, what was sold, and the keys that hold it (mission rules 8 to 10, 15)."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import Company, CustomerAccount, User
from portal.core.models import Act


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
    # Whether test licenses of this version hold it (mission rule 20), and how many units: null where the
    # one who creates it says how many.
    in_test_set = models.BooleanField(default=False)
    test_quantity = models.IntegerField(null=True)
    # What to order in its place: the same code in a later version (licenses.catalogue_changes).
    successor = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="predecessors")
    # Since when no order takes it any more; whatever was sold goes on as before.
    discontinued_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="a_product_is_its_code_and_version"),
            models.CheckConstraint(
                condition=Q(kind__in=["gateway", "pbx", "app", "service", "warranty"]),
                name="a_product_has_a_known_kind",
            ),
            models.CheckConstraint(condition=Q(version__gt=0), name="a_product_has_a_version"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="a_product_has_a_weight"),
            models.CheckConstraint(
                condition=Q(in_test_set=False, test_quantity__isnull=True)
                | Q(in_test_set=True, kind="gateway", test_quantity__isnull=False, test_quantity__gt=0)
                | Q(in_test_set=True, kind__in=["pbx", "app", "service"], test_quantity__isnull=True),
                name="a_test_set_gives_gateways_a_number_and_asks_for_others",
            ),
            models.CheckConstraint(
                condition=Q(successor=None) | ~Q(successor=F("id")), name="a_successor_is_another_product"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"


class Order(models.Model):
    """What the vendor sold: the number in the vendor's books, the customer's reference, the customer.

    Its lines are the transfers from the issuer to its keys: one key holds them all, or each has its own.
    """

    class KeysPer(models.TextChoices):
        ORDER = "order"
        LINE = "line"

    number = models.CharField(max_length=40, unique=True)
    reference = models.CharField(max_length=100, blank=True)
    customer = models.CharField(max_length=200)
    # Null where the vendor's books gave none. The company linked to it sees the order (mission rule 2).
    account = models.ForeignKey(CustomerAccount, on_delete=models.PROTECT, null=True, related_name="orders")
    keys_per = models.CharField(max_length=5, choices=KeysPer.choices, default=KeysPer.ORDER)
    placed_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    canceled_by = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(keys_per__in=["order", "line"]), name="an_order_has_a_key_or_one_for_each_line"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-placed_at", "-id"], name="orders_latest_first")]

    def __str__(self) -> str:
        return self.number


class ActivationKey(models.Model):
    """A single-use code that holds an order, or a line of one (mission rules 8 to 10). The code itself is
    not here.

    A key that was canceled or replaced is blocked for good, and holds nothing any more.
    """

    class State(models.TextChoices):
        ISSUED = "issued"
        ACTIVATED = "activated"
        BLOCKED = "blocked"

    class Ending(models.TextChoices):
        CANCELED = "canceled"
        REPLACED = "replaced"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="activation_keys")
    fingerprint = models.BinaryField()
    last_four = models.CharField(max_length=4)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ISSUED)
    issued_at = models.DateTimeField()
    activated_by = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="+")
    ending = models.CharField(max_length=10, choices=Ending.choices, blank=True)
    ended_by = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="+")
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ending="", ended_by__isnull=True)
                | Q(ending__in=["canceled", "replaced"], ended_by__isnull=False, state="blocked"),
                name="a_key_that_ended_is_blocked_for_good",
            ),
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


class ReplacementRequest(models.Model):
    """An admin of the linked company lost a key, and asks fulfilment for another one (mission rule 2)."""

    class State(models.TextChoices):
        OPEN = "open"
        REPLACED = "replaced"
        REFUSED = "refused"

    activation_key = models.ForeignKey(ActivationKey, on_delete=models.PROTECT, related_name="replacements")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # An order that is canceled decides about all its keys at once.
    decided_by = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["activation_key"],
                condition=Q(state="open"),
                name="one_open_request_to_replace_a_key",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_by__isnull=True)
                | Q(state__in=["replaced", "refused"], decided_by__isnull=False),
                name="a_decided_replacement_knows_its_act",
            ),
        ]

    def __str__(self) -> str:
        return f"replacement of {self.activation_key_id} ({self.state})"
