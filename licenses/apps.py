from django.apps import AppConfig


class LicensesConfig(AppConfig):
    name = "licenses"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from licenses import checks  # noqa: F401 - importing registers them
