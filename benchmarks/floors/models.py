"""Tables of the redeem floor: what redeeming a code needs at the least, without any guard."""

from typing import ClassVar, Self

from django.db import models


class Code(models.Model):
    """A code that is good once."""

    text = models.CharField(max_length=25, unique=True)
    quantity = models.IntegerField()
    redeemed_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        app_label = "floors"

    def __str__(self) -> str:
        return self.text


class Balance(models.Model):
    """Where redeemed quantities add up."""

    amount = models.BigIntegerField(default=0)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        app_label = "floors"

    def __str__(self) -> str:
        return f"{self.amount}"


class Movement(models.Model):
    """The first of two inserts: what moved."""

    code = models.ForeignKey(Code, on_delete=models.PROTECT)
    balance = models.ForeignKey(Balance, on_delete=models.PROTECT)
    quantity = models.IntegerField()

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        app_label = "floors"

    def __str__(self) -> str:
        return f"movement {self.pk}"


class Entry(models.Model):
    """The second of two inserts: who, what, when."""

    at = models.DateTimeField()
    event = models.CharField(max_length=60)
    actor = models.CharField(max_length=200)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        app_label = "floors"

    def __str__(self) -> str:
        return self.event
