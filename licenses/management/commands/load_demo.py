"""`manage.py load_demo`: people, a company and orders to try the portal with; idempotent."""

import json
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import companies, people, projects, terms
from accounts.models import Company, Project, ProjectRight, StaffRole, User
from accounts.permissions import Role
from devices import trust_anchors
from devices.models import TrustAnchor
from licenses import fulfilment
from licenses.issuing import OrderLine
from portal.core import clock
from portal.core.acts import Caller

PASSWORD = "try-the-portal"  # noqa: S105 - the demo's, printed at every start
PEOPLE = {
    "alice@example.com": ("Alice", "Adler", "admin of Example Telecom"),
    "bob@example.com": ("Bob", "Berg", "her colleague, works in Town Hall"),
    "erin@example.com": ("Erin", "Endres", "end customer, sees Town Hall only"),
    "sam@example.com": ("Sam", "Sommer", "the vendor's support, has the pages at /staff/"),
}
ORDERS = {
    "DEMO-1": ("for the license that is shown on its way", {"Port": 20, "UC": 5, "Channels": 4}),
    "DEMO-2": ("to try", {"Port": 50, "Voicemail": 50, "Mobility": 10}),
    "DEMO-3": ("to try", {"DECT": 8, "Warranty": 3}),
}
VERSION = 14


class Command(BaseCommand):
    help = "Set up the demo: tables, keys, data; idempotent. Prints sign-ins and activation keys as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", type=Path, help="CA certificate of the demo's devices")
        parser.add_argument("--prefix", default="00-90-33", help="hardware IDs it speaks for")

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("demo data is for DEMO=1 only")
        quiet = {"stdout": self.stderr}
        call_command("migrate", verbosity=0, **quiet)
        call_command("createcachetable", **quiet)
        call_command("load_catalogue", **quiet)
        _make_keys(quiet)
        if options["anchor"]:
            _trust(options["anchor"], options["prefix"])
        alice, bob, erin, sam = (_person(email) for email in PEOPLE)
        User.objects.filter(pk=sam.pk).update(is_staff=True)
        for role in (Role.SUPPORT, Role.SENIOR, Role.FULFILMENT):
            StaffRole.objects.get_or_create(user=sam, role=role, defaults={"given_at": clock.now()})
        company = Company.objects.filter(memberships__user=alice).first() or companies.create_company(
            name="Example Telecom", founder=alice, caller=_caller("company", alice), now=clock.now()
        )
        town_hall = Project.objects.filter(company=company, name="Town Hall").first() or (
            projects.create_project(
                company=company,
                name="Town Hall",
                description="The new telephone system of the town hall",
                caller=_caller("project", alice),
                now=clock.now(),
            )
        )
        company.memberships.get_or_create(user=bob, defaults={"role": "member", "joined_at": clock.now()})
        for user, level in ((bob, ProjectRight.Level.OPERATE), (erin, ProjectRight.Level.VIEW)):
            ProjectRight.objects.get_or_create(user=user, project=town_hall, defaults={"level": level})
        self.stdout.write(
            json.dumps(
                {
                    "password": PASSWORD,
                    "people": {email: role for email, (_, _, role) in PEOPLE.items()},
                    "project": town_hall.pk,
                    "keys": {number: _code(number, company) for number in ORDERS},
                }
            )
        )


def _make_keys(quiet: dict[str, Any]) -> None:
    """The demo keeps roots of its own in its data folder; `iss` says that it is the demo (trust.md 10)."""
    roots = settings.DATA_DIR / "roots"
    if not roots.exists():
        call_command("keys", "make-roots", str(roots), **quiet)
    call_command("keys", "publish", str(roots), "--if-missing", **quiet)


def _trust(certificate: Path, prefix: str) -> None:
    if TrustAnchor.objects.exists():
        return
    trust_anchors.add_trust_anchor(
        certificate=certificate.read_bytes(),
        manufacturer="Demo Devices",
        prefixes=[prefix],
        hardware_id_in="serialNumber",
        caller=_caller("anchor", None),
        now=clock.now(),
    )


def _person(email: str) -> User:
    forename, surname, _ = PEOPLE[email]
    user = User.objects.filter(email=email).first() or people.add_person(
        email=email,
        forename=forename,
        surname=surname,
        password=PASSWORD,
        caller=_caller(f"person {email}", None),
        now=clock.now(),
    )
    # Data of an earlier release knows no confirmed addresses.
    EmailAddress.objects.get_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    if not user.has_accepted_terms:
        terms.accept(
            user=user, version=settings.TERMS_VERSION, caller=_caller("terms", user), now=clock.now()
        )
    return user


def _code(number: str, company: Company) -> str | None:
    reference, quantities = ORDERS[number]
    return fulfilment.issue_key(
        number=number,
        reference=reference,
        customer=company.name,
        lines=[
            OrderLine(code=code, version=VERSION, quantity=quantity) for code, quantity in quantities.items()
        ],
        caller=_caller(number, None),
        now=clock.now(),
    ).code


def _caller(key: str, user: User | None) -> Caller:
    return Caller(
        scope="demo",
        key=key,
        name=user.get_full_name() if user else "demo",
        user_id=user.pk if user else None,
    )
