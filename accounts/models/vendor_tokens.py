"""What the vendor's own programs sign in with, such as the ERP."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models.people import User


class VendorToken(models.Model):
    """A token of the vendor's: it belongs to no company, and no company's door lets it in
    (docs/decisions/0026). Of the token itself only the hash is here."""

    class Scope(models.TextChoices):
        ORDERS = "orders"
        CUSTOMERS = "customers"

    name = models.CharField(max_length=100)
    scopes = models.CharField(max_length=100)
    secret_sha256 = models.BinaryField()
    last_four = models.CharField(max_length=4)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["secret_sha256"], name="a_secret_is_one_vendor_token"),
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(revoked_at=None),
                name="vendor_tokens_in_force_have_names_of_their_own",
            ),
            models.CheckConstraint(
                condition=Q(secret_sha256__length=32), name="a_vendor_token_is_stored_as_a_hash"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="a_vendor_token_has_a_name"),
        ]

    def __str__(self) -> str:
        return f"olpv_…{self.last_four}"

    @property
    def name_in_histories(self) -> str:
        """What acts and histories keep as who did it."""
        return f"vendor token {self.name}"

    @property
    def granted(self) -> list[str]:
        """The scopes, each a word."""
        return self.scopes.split()
