"""`manage.py load_catalogue`: idempotent; no data in migrations."""

from typing import Any

from django.core.management.base import BaseCommand

from licenses.catalogue import CATALOGUE, VERSIONS
from licenses.models import Product


class Command(BaseCommand):
    help = "Load the starting catalogue. Products that are there stay as they are."

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
                )
                for version in VERSIONS
                for entry in CATALOGUE
            ],
            ignore_conflicts=True,
        )
        self.stdout.write(f"{Product.objects.count() - before} products added.")
