"""The stock admin: superusers read whatever is stored, nobody else gets in, and nothing is changed there."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.permissions import Role
from support.models import Look
from support.web.stock_admin import APPS, site
from tests import factories
from tests.guards.rows import Rows
from tests.rows import everything


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def superuser(db: None) -> User:
    user = factories.make_user(name="Root", is_staff=True, roles=[])
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    user.refresh_from_db()
    return user


def tables() -> Iterator[tuple[Any, str]]:
    """Each model, and how the names of its pages begin."""
    for model in site._registry:
        yield model, f"admin:{model._meta.app_label}_{model._meta.model_name}"


def pages() -> list[str]:
    """Those of every table, about a row that need not be there."""
    found = [reverse("admin:index")]
    for _model, name in tables():
        found += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=["1"])]
    return found


def test_every_table_of_ours_is_there() -> None:
    ours = {model for label in APPS for model in apps.get_app_config(label).get_models()}

    assert set(site._registry) == ours


def test_to_everybody_else_it_is_not_there(alice: User, superuser: User) -> None:
    supporter = factories.make_user(name="Sam", is_staff=True, roles=list(Role))
    assert {browser(alice).get(page).status_code for page in pages()[:9]} == {404}
    client = browser(supporter)
    assert {client.get(page).status_code for page in pages()} == {404}
    assert {client.post(page, {"post": "yes"}).status_code for page in pages()} == {404}
    nobody = Client()
    for page in pages():
        signs_in = f"{reverse('sign-in')}?{REDIRECT_FIELD_NAME}={page}"
        assert nobody.get(page).headers["Location"] == signs_in


def test_without_a_second_factor_nobody_gets_in(superuser: User, settings: LazySettings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    client, led = browser(superuser), reverse("staff-second-factor")

    assert {client.get(page).headers.get("Location") for page in pages()} == {led}
    assert not Look.objects.filter(actor=superuser).exists()


def test_it_has_no_sign_in_of_its_own(superuser: User) -> None:
    for page in ("/admin/login/", "/admin/logout/", "/admin/password_change/"):
        signs_in = f"{reverse('sign-in')}?{REDIRECT_FIELD_NAME}={page}"
        assert Client().post(page, {"username": superuser.email}).headers["Location"] == signs_in
        assert browser(superuser).get(page).status_code == 404


def test_a_superuser_reads_every_row_and_changes_none(rows: Rows, superuser: User) -> None:
    client = browser(superuser)
    before = all_but_looks()
    seen = 0

    for model, name in tables():
        assert client.get(reverse(f"{name}_changelist")).status_code == 200, name
        row = model._default_manager.order_by("pk").first()
        number = str(row.pk) if row is not None else "1"
        sent = {"_save": "1", "post": "yes", "action": "delete_selected", "_selected_action": number}
        tried = [
            client.post(reverse(f"{name}_changelist"), sent),
            client.get(reverse(f"{name}_add")),
            client.post(reverse(f"{name}_add"), sent),
        ]
        if row is not None:
            seen += 1
            page = client.get(reverse(f"{name}_change", args=[number]))
            assert page.status_code == 200, name
            assert 'name="_save"' not in page.text
            tried += [
                client.post(reverse(f"{name}_change", args=[number]), sent),
                client.get(reverse(f"{name}_delete", args=[number])),
                client.post(reverse(f"{name}_delete", args=[number]), sent),
            ]
        # The list answers what it does not know with itself.
        assert {answer.status_code for answer in tried[1:]} == {403}, name
    assert all_but_looks() == before
    assert seen > 40
    assert Look.objects.filter(kind="row").count() == seen


def all_but_looks() -> Any:
    return {table: stored for table, stored in everything().items() if table != "support.Look"}
