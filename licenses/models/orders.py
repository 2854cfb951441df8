"""What is licensed, what was sold, and the keys that hold it (mission rules 8 to 10, 15)."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

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
