"""Lists of orders that were uploaded, until they are entered; and sums of months that are over."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import User
from licenses.models import Product
from portal.core.models import LongJob, random_id


class OrderUpload(models.Model):
    """A list that was checked and found right; it is entered when that is confirmed (mission rule 8)."""

    id = models.UUIDField(primary_key=True, default=random_id, editable=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    name = models.CharField(max_length=100)
    rows = models.IntegerField()
    orders = models.IntegerField()
    keys = models.IntegerField()
    confirmed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    job = models.OneToOneField(LongJob, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(orders__gt=0, rows__gte=F("orders")), name="an_upload_has_orders"
            ),
            models.CheckConstraint(
                condition=Q(taken_at=None) | Q(confirmed_at__isnull=False),
                name="only_a_confirmed_upload_has_a_result",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class OrderUploadChunk(models.Model):
    """Some orders of a list: what one transaction enters.

    refusals: null until then; afterwards number and code of each order that was refused.
    """

    upload = models.ForeignKey(OrderUpload, on_delete=models.CASCADE, related_name="chunks")
    position = models.IntegerField()
    orders = models.JSONField()
    refusals = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["upload", "position"], name="chunks_of_an_upload_are_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.upload_id}"


class ProductMonth(models.Model):
    """What happened with a product in a month that is over, in units. Written once: books do not change."""

    month = models.DateField()  # its first day; months are those of UTC
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    issued = models.BigIntegerField()
    canceled = models.BigIntegerField()
    activated = models.BigIntegerField()
    assigned = models.BigIntegerField()
    undone = models.BigIntegerField()
    returned = models.BigIntegerField()
    moved = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["month", "product"], name="a_month_of_a_product_is_summed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} in {self.month:%Y-%m}"


class MonthsSummed(models.Model):
    """How far the sums go: all months before `until`. Every transfer of a later month has an id above
    `last_transfer`; the row with the latest month counts."""

    until = models.DateField()
    last_transfer = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["until"], name="months_are_summed_up_to_a_month_once"),
        ]

    def __str__(self) -> str:
        return f"until {self.until:%Y-%m}"
