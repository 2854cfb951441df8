"""The floors' tables are an app of their own, without migrations: `migrate --run-syncdb` makes them."""

from django.apps import AppConfig


class FloorsConfig(AppConfig):
    name = "benchmarks.floors"
    default_auto_field = "django.db.models.BigAutoField"
