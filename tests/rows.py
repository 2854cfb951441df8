"""What stands in the database, to show that a refusal changed nothing."""

from typing import Any

from django.apps import apps
from django.db.models import Model

APPS = ("core", "accounts", "devices", "licenses", "orders", "support")


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all models of ours, by model."""
    return {
        model._meta.label: [
            tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
            for row in model._base_manager.order_by("pk").values_list(*_columns(model))
        ]
        for app in APPS
        for model in apps.get_app_config(app).get_models()
    }


def _columns(model: type[Model]) -> list[str]:
    # That somebody signed in is no change of the business.
    return [field.attname for field in model._meta.concrete_fields if field.attname != "last_login"]
