"""Lists of orders that were uploaded, until they are entered; and sums of months that are over."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import User
from licenses.models import Product
from portal.core.models import LongJob, random_id


class OrderUpload(models.Model):
    """A list of orders: checked, and if it is found right, entered when that is confirmed (mission rule 8).

    rows, orders, keys, problems: what was found in it, 0 until it is read.
    checking: the job that checks it; none for a short one, which is checked at once.
    unreadable: a word of `orders.order_sheet.UNREADABLE`, with the line, where it is no list at all.
    """

    id = models.UUIDField(primary_key=True, default=random_id, editable=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    name = models.CharField(max_length=100)
    rows = models.IntegerField()
    orders = models.IntegerField()
    keys = models.IntegerField()
    problems = models.IntegerField(default=0)
    checking = models.OneToOneField(LongJob, on_delete=models.SET_NULL, null=True, related_name="+")
    checked_at = models.DateTimeField(null=True)
    unreadable = models.CharField(max_length=40, blank=True)
    unreadable_line = models.IntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    job = models.OneToOneField(LongJob, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(checked_at=None)
                | Q(problems__gt=0)
                | ~Q(unreadable="")
                | Q(orders__gt=0, rows__gte=F("orders")),
                name="an_upload_has_orders",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(checked_at__isnull=False, problems=0, unreadable=""),
                name="only_what_was_found_right_is_entered",
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


class OrderUploadPiece(models.Model):
    """What a list that is being checked is made of: first the bytes of its file, then its lines, until each
    is checked. A piece of lines is JSON, deflated."""

    upload = models.ForeignKey(OrderUpload, on_delete=models.CASCADE, related_name="pieces")
    position = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["upload", "position"], name="pieces_of_an_upload_are_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.upload_id}"


class OrderUploadProblem(models.Model):
    """What is wrong with a line of a list: a word of `orders.order_sheet.PROBLEMS`, and the number of its
    order."""

    upload = models.ForeignKey(OrderUpload, on_delete=models.CASCADE, related_name="faults")
    line = models.IntegerField()
    reason = models.CharField(max_length=40)
    number = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["upload", "line", "id"], name="orders_problem_by_line")]

    def __str__(self) -> str:
        return f"{self.reason} in line {self.line}"


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
