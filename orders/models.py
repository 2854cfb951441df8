"""Sums of months that are over, so that nobody has to add up years of transfers to look at them."""

from typing import ClassVar

from django.db import models

from licenses.models import Product


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
