"""`manage.py load_catalogue`: idempotent; no data in migrations."""

from typing import Any

from django.core.management.base import BaseCommand

from licenses.catalogue import CATALOGUE, VERSIONS, CatalogueEntry
from licenses.models import Product

COMPARED = (
    "name",
    "kind",
    "returnable",
    "user_assignable",
    "unit",
    "weight",
    "in_test_set",
    "test_quantity",
)


class Command(BaseCommand):
    help = (
        "Load the starting catalogue. Products that are there stay as they are, since they are kept in the "
        "staff console; what differs from the starting catalogue is listed."
    )

    def handle(self, **options: Any) -> None:
        there = {(product.code, product.version): product for product in Product.objects.all()}
        missing = [
            Product(code=entry.code, version=version, **_says(entry))
            for version in VERSIONS
            for entry in CATALOGUE
            if (entry.code, version) not in there
        ]
        # Two who load it at once: the second one finds what the first one added.
        Product.objects.bulk_create(missing, ignore_conflicts=True)
        self.stdout.write(f"{len(missing)} products added.")
        for version in VERSIONS:
            for entry in CATALOGUE:
                if product := there.get((entry.code, version)):
                    self._tell(product, entry)

    def _tell(self, product: Product, entry: CatalogueEntry) -> None:
        for name, starting in _says(entry).items():
            if (now := getattr(product, name)) != starting:
                self.stdout.write(
                    f"{product}: {name} is {now}, in the starting catalogue {starting}; left as it is."
                )
        if product.discontinued_at is not None:
            self.stdout.write(f"{product}: discontinued; left as it is.")


def _says(entry: CatalogueEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in COMPARED}
