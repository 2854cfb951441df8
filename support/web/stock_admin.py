"""Django's stock admin, for superusers who have to see a row as it is stored: at its own path, only to read.

Whatever can be changed is changed by an operation, which checks, locks, tells and logs; many rows are never
changed at all. So this has no way to add, change or delete anything (docs/decisions/0022).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.requests import superusers_only

APPS = ("core", "accounts", "devices", "licenses", "orders", "support")
HASHES = frozenset({"pinned_spki", "spki_sha256", "payload_sha256", "sha256", "document_sha256", "log_id"})
"""The bytes that are shown, as hexadecimal digits. All others are secrets, or what a document consists of."""
SECRETS = frozenset({"password", "text", "html", "rest"})
"""Passwords' hashes; mails, which hold links that let somebody in; what goes on in the background."""


class StockAdmin(admin.AdminSite):
    """Only superusers, with a second factor as in the console; each page is written down as a look."""

    site_header = site_title = _("Tables as they are stored")
    index_title = _("For reading only")
    site_url = "/staff/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Also asked by every page itself."""
        return isinstance(request.user, User) and request.user.is_active and request.user.is_superuser

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without a sign-in of its own: that of the portal has a second factor and a limit."""
        urls: list[Any] = [one for one in super().get_urls() if getattr(one, "name", "") not in _LEFT_OUT]
        _guard(urls)
        return urls

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is none here."""
        raise Http404


_LEFT_OUT = frozenset({"login", "logout", "password_change", "password_change_done", "autocomplete"})


def _guard(urls: Sequence[Any]) -> None:
    for one in urls:
        if isinstance(one, URLResolver):
            _guard(one.url_patterns)
        else:
            one.callback = superusers_only(one.callback)


if TYPE_CHECKING:  # only the stubs know of what it is
    _Table = admin.ModelAdmin[Any]
else:
    _Table = admin.ModelAdmin


class ReadOnly(_Table):
    """A table: its rows by falling number, and one of them whole."""

    actions = None
    list_per_page = 50
    ordering = ("-pk",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a row by hand."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever gets here may read."""
        return self.admin_site.has_permission(request)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """No filters by the address: they could ask for a secret letter by letter."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """All that are no secret; hashes by their digits."""
        return list(_shown(self.model))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All of them."""
        return list(_shown(self.model))


def _shown(model: type[models.Model]) -> list[str]:
    names = []
    for field in model._meta.concrete_fields:
        if isinstance(field, models.BinaryField):
            names += [f"{field.name}_in_digits"] if field.name in HASHES else []
        elif field.name not in SECRETS:
            names.append(field.name)
    return names


def _digits(name: str) -> Any:
    @admin.display(description=name)
    def in_digits(_self: ReadOnly, row: models.Model) -> str:
        value = getattr(row, name)
        return bytes(value).hex() if value is not None else "-"

    return in_digits


def _of(model: type[models.Model]) -> type[ReadOnly]:
    shown = {f"{name}_in_digits": _digits(name) for name in HASHES if hasattr(model, name)}
    return type(f"{model.__name__}ReadOnly", (ReadOnly,), shown)


site = StockAdmin(name="admin")
for _label in APPS:
    for _model in apps.get_app_config(_label).get_models():
        site.register(_model, _of(_model))
