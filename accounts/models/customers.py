"""The vendor's customer list."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models.companies import Company


class CustomerAccount(models.Model):
    """One entry of the vendor's customer list (mission rule 2). A company is linked to at most one."""

    number = models.CharField(max_length=40, unique=True)
    postal_code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    town = models.CharField(max_length=100)
    country = models.CharField(max_length=2)  # ISO 3166-1 alpha-2
    email = models.EmailField(max_length=254, blank=True)
    company = models.OneToOneField(
        Company, on_delete=models.PROTECT, null=True, related_name="customer_account"
    )
    linked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(company__isnull=True, linked_at__isnull=True)
                | Q(company__isnull=False, linked_at__isnull=False),
                name="a_linked_account_says_since_when",
            ),
            models.CheckConstraint(condition=~Q(number=""), name="a_customer_account_has_a_number"),
        ]

    def __str__(self) -> str:
        return self.number


class CustomerLink(models.Model):
    """A link mailed to the address in the customer list: whoever opens it links the company. One use."""

    token_sha256 = models.BinaryField()
    account = models.ForeignKey(CustomerAccount, on_delete=models.CASCADE, related_name="links")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token_sha256"], name="a_customer_link_is_one_link"),
            models.CheckConstraint(
                condition=Q(token_sha256__length=32), name="a_customer_link_keeps_a_hash_of_its_token"
            ),
        ]

    def __str__(self) -> str:
        return f"link of {self.company_id} to {self.account_id}"
