"""Fills the database of a production that runs: `python -m tests.production.stock`, JSON in, JSON out."""

import json
import os
import secrets
import sys
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.permissions import Role  # noqa: E402
from devices import trust_anchors  # noqa: E402
from portal.core import clock  # noqa: E402
from tests import factories  # noqa: E402
from tests.web.codes import second_factor  # noqa: E402

UNITS = 3
"""Of each device."""
EVERYTHING = ("read", "operate", "activate", "transfer", "manage")


def stock(given: dict[str, Any]) -> dict[str, Any]:
    """Keys, catalogue, trust anchor, a company with devices and licenses, support, activation keys."""
    factories.NOW = clock.now()  # processes of their own live today, whatever day the tests live in
    call_command("load_catalogue", verbosity=0, stdout=sys.stderr)
    call_command("keys", "make-roots", given["roots"], stdout=sys.stderr)
    call_command("keys", "publish", given["roots"], stdout=sys.stderr)
    trust_anchors.add_trust_anchor(
        certificate=given["anchor"].encode(),
        manufacturer="Example Networks",
        prefixes=["00-90-33"],
        hardware_id_in="serialNumber",
        caller=factories.caller(),
        now=clock.now(),
    )
    password = secrets.token_urlsafe(16)
    alice = factories.make_user(name="Alice", email="alice@example.com", password=password)
    sam = factories.make_user(name="Sam", is_staff=True)
    company = factories.make_company(founder=alice, name="Alice Networks")
    project = factories.first_project(company)
    factories.activated(project, {"Port": len(given["devices"]) * UNITS + 1000})
    for hardware_id in given["devices"]:
        factories.assigned(factories.make_device(project=project, hardware_id=hardware_id), UNITS)
    charlie = factories.make_user(name="Charlie")
    elsewhere = factories.first_project(
        factories.make_company(founder=charlie, name="Charlie Communications")
    )
    taken = factories.make_device(project=elsewhere)
    frank = factories.make_user(name="Frank", is_staff=True, roles=[Role.FULFILMENT])
    second_factor(frank)
    return {
        "project": project.pk,
        "company": company.pk,
        "devices": given["devices"],
        "taken": taken.hardware_id,
        "keys": [factories.make_key() for _ in range(given["keys"])],
        "email": alice.email,
        "password": password,
        "session": _session(alice),
        "staff_session": _session(sam),
        "vendor_token": factories.make_vendor_token(frank, "ERP").secret,
        "token": factories.make_token(*EVERYTHING, company=company, maker=alice).secret,
    }


def _session(user: User) -> str:
    """A session as signing in makes it."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    assert session.session_key is not None
    return session.session_key


if __name__ == "__main__":
    json.dump(stock(json.load(sys.stdin)), sys.stdout)
