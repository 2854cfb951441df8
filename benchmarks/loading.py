"""Fills the database before a run: `python -m benchmarks.loading`, JSON in, JSON out.

Through the portal's operations wherever that takes seconds; in bulk where it would take minutes.
"""

import json
import secrets
import sys
from collections.abc import Sequence
from typing import Any

import django

django.setup()

from allauth.mfa.models import Authenticator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH  # noqa: E402
from django.utils.crypto import get_random_string  # noqa: E402

from accounts import companies  # noqa: E402
from accounts.models import Project, StaffRole, User  # noqa: E402
from accounts.permissions import Role  # noqa: E402
from benchmarks import large_company, orders  # noqa: E402
from benchmarks.floors.models import Balance, Code  # noqa: E402
from devices import trust_anchors  # noqa: E402
from devices.models import Device  # noqa: E402
from licenses import activation, assignment, fulfilment, queries  # noqa: E402
from licenses.issuing import OrderLine  # noqa: E402
from portal.core import acts, clock  # noqa: E402
from portal.core.acts import Caller  # noqa: E402

DEVICES_PER_PROJECT = 50
PRODUCT, VERSION = "Port", 14
UNITS_PER_PROJECT = 500_000
UNITS_PER_KEY = 10
UNITS_PER_DEVICE = 8


def load(given: dict[str, Any]) -> dict[str, Any]:
    """Make tables, keys, people and data, and return what a client needs to know of them."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("load_catalogue", stdout=sys.stderr)
    call_command("keys", "make-roots", given["roots"], stdout=sys.stderr)
    call_command("keys", "publish", given["roots"], stdout=sys.stderr)
    trust_anchors.add_trust_anchor(
        certificate=given["anchor"].encode(),
        manufacturer="Example Networks",
        prefixes=[given["prefix"]],
        hardware_id_in="serialNumber",
        caller=_caller(),
        now=clock.now(),
    )
    projects = _projects(1 + (len(given["devices"]) - 1) // DEVICES_PER_PROJECT)
    _devices(given["devices"], projects)
    product = queries.get_product(code=PRODUCT, version=VERSION)
    large = {}
    if given["large"]:
        [project] = _projects(1, first=len(projects))
        large = large_company.load(
            project, product=product, now=clock.now(), add_devices=_devices, signed_in=_signed_in
        )
    codes = orders.issue_keys(count=given["keys"], product=product, quantity=UNITS_PER_KEY, now=clock.now())
    loaded = {
        "projects": [_signed_in(project) for project in projects],
        "devices": _dealt_out(projects),
        "large": large,
        "staff": _staff(),
        "keys": codes,
        "codes": _floor_codes(given["codes"]),
    }
    Balance.objects.bulk_create(Balance() for _ in projects)
    # As autovacuum would have done by the time so much had grown by itself.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return loaded


def _projects(count: int, *, first: int = 0) -> list[Project]:
    """Companies, each with its first project, and licenses in the project's balance."""
    made = []
    for number in range(first, first + count):
        founder = User(
            email=f"founder.{number}@example.com",
            forename="Founder",
            surname=f"No. {number}",
            terms_version=settings.TERMS_VERSION,
        )
        founder.set_unusable_password()
        founder.save()
        company = companies.create_company(
            name=f"Example Telecom {number}", founder=founder, caller=_caller(), now=clock.now()
        )
        project = Project.objects.select_related("company").get(company=company)
        issued = fulfilment.issue_key(
            number=f"STOCK-{number}",
            reference="",
            customer=company.name,
            lines=[OrderLine(code=PRODUCT, version=VERSION, quantity=UNITS_PER_PROJECT)],
            caller=_caller(),
            now=clock.now(),
        )
        assert issued.code is not None, "a new order has a code"
        activation.activate_key(code=issued.code, target=project, caller=_caller(), now=clock.now())
        made.append(project)
    return made


def _devices(hardware_ids: Sequence[str], projects: Sequence[Project]) -> None:
    """Devices, dealt out to the projects in turn, each with one assignment."""
    devices = Device.objects.bulk_create(
        Device(
            hardware_id=hardware_id,
            project=projects[place % len(projects)],
            name=f"Gateway {place}",
            added_at=clock.now(),
        )
        for place, hardware_id in enumerate(hardware_ids)
    )
    product = queries.get_product(code=PRODUCT, version=VERSION)
    for device in devices:
        assignment.assign(
            device=device, product=product, quantity=UNITS_PER_DEVICE, caller=_caller(), now=clock.now()
        )


def _dealt_out(projects: Sequence[Project]) -> list[dict[str, Any]]:
    """The devices of these projects, each with its project."""
    devices = Device.objects.filter(project__in=projects).order_by("hardware_id")
    return [dict(device) for device in devices.values("hardware_id", "project")]


def _signed_in(project: Project) -> dict[str, Any]:
    """A session of the company's admin, as signing in makes it."""
    admin = User.objects.get(memberships__company=project.company)
    token = get_random_string(CSRF_SECRET_LENGTH, CSRF_ALLOWED_CHARS)
    return {
        "id": project.pk,
        "company": project.company_id,
        "session": _session(admin),
        "csrf_token": token,
    }


def _staff() -> dict[str, Any]:
    """A session of somebody in support, who has a second factor."""
    person = User(
        email="support@example.com",
        forename="Support",
        surname="Staff",
        is_staff=True,
        terms_version=settings.TERMS_VERSION,
    )
    person.set_unusable_password()
    person.save()
    StaffRole.objects.create(user=person, role=Role.SUPPORT, given_at=clock.now())
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    return {"session": _session(person)}


def _session(person: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    assert session.session_key is not None, "it was just made"
    return session.session_key


def _floor_codes(count: int) -> list[str]:
    texts = [secrets.token_hex(12) for _ in range(count)]
    Code.objects.bulk_create((Code(text=text, quantity=UNITS_PER_KEY) for text in texts), batch_size=2000)
    return texts


def _caller() -> Caller:
    return Caller(scope="benchmark", key=acts.new_key(), name="benchmark")


if __name__ == "__main__":
    json.dump(load(json.load(sys.stdin)), sys.stdout)
