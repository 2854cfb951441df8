"""What stands in the database, to show that a refusal changed nothing."""

import shutil
from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection

APPS = ("core", "accounts", "devices", "licenses", "orders", "support")


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all models of ours, by model."""
    rows = {}
    with connection.cursor() as cursor:
        for label, sql in _selects():
            cursor.execute(sql)
            rows[label] = [
                tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
                for row in cursor.fetchall()
            ]
    return rows


def forget_what_was_signed() -> None:
    """For tests that take back what they committed: to the portal it would be a restored database."""
    shutil.rmtree(settings.LAST_SIGNED_DIR, ignore_errors=True)


@cache
def _selects() -> list[tuple[str, str]]:
    # Asked a thousand times in a run, of every table: the ORM would compile each anew.
    quote = connection.ops.quote_name
    selects = []
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            # That somebody signed in is no change of the business.
            names = [field.attname for field in model._meta.concrete_fields if field.attname != "last_login"]
            columns = ", ".join(map(quote, names))
            table, key = quote(model._meta.db_table), quote(model._meta.pk.attname)
            selects.append((model._meta.label, f"SELECT {columns} FROM {table} ORDER BY {key}"))
    return selects
