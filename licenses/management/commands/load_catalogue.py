"""`manage.py load_catalogue`: idempotent; no data in migrations."""

from typing import Any

from django.core.management.base import BaseCommand

from licenses.catalogue import CATALOGUE, VERSIONS
from licenses.models import Product


class Command(BaseCommand):
    help = (
        "Load the starting catalogue. Products that are there stay as they are; a version without a "
        "test set gets one."
    )

    def handle(self, **options: Any) -> None:
        before = Product.objects.count()
        Product.objects.bulk_create(
            [
                Product(
                    code=entry.code,
                    version=version,
                    name=entry.name,
                    kind=entry.kind,
                    returnable=entry.returnable,
                    user_assignable=entry.user_assignable,
                    unit=entry.unit,
                    weight=entry.weight,
                    in_test_set=entry.in_test_set,
                    test_quantity=entry.test_quantity,
                )
                for version in VERSIONS
                for entry in CATALOGUE
            ],
            ignore_conflicts=True,
        )
        self._give_test_sets()
        self.stdout.write(f"{Product.objects.count() - before} products added.")

    def _give_test_sets(self) -> None:
        """For catalogues that were loaded before there were test licenses."""
        have_one = set(Product.objects.filter(in_test_set=True).values_list("version", flat=True))
        for entry in CATALOGUE:
            if entry.in_test_set:
                Product.objects.filter(
                    code=entry.code, kind=entry.kind, version__in=[v for v in VERSIONS if v not in have_one]
                ).update(in_test_set=True, test_quantity=entry.test_quantity)
