"""Makes what tests need, through the portal's own operations wherever there is one."""

import hashlib
import itertools
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import TypeVar

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management import call_command

from accounts import api_tokens, companies, projects, vendor_tokens
from accounts.api_tokens import MadeToken
from accounts.models import (
    Company,
    CustomerAccount,
    Membership,
    Project,
    ProjectRight,
    StaffRole,
    TermsAcceptance,
    User,
)
from accounts.permissions import Role
from accounts.vendor_tokens import MadeVendorToken
from devices import payloads
from devices.models import Device
from licenses import activation, activation_code, adding, assignment, fulfilment, queries, returns
from licenses.issuing import OrderLine
from licenses.models import ActivationKey, Grant, Holding, Product
from portal.core import acts, base64url
from portal.core.acts import Caller

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
"""The instant at which everything in tests happens, unless a test says otherwise."""
PASSWORD = "correct horse battery staple"

Balance = TypeVar("Balance", Company, Project)

_numbers = itertools.count(1)


def caller(
    user: User | None = None, *, key: str | None = None, scope: str | None = None, reason: str = ""
) -> Caller:
    """Who calls an operation; without `key` every call is a new one."""
    return Caller(
        scope=scope or (f"user:{user.pk}" if user else "tests"),
        key=key if key is not None else acts.new_key(),
        name=user.get_full_name() if user else "tests",
        user_id=user.pk if user else None,
        reason=reason,
    )


def make_user(
    *,
    name: str = "Alice",
    email: str | None = None,
    password: str | None = None,
    is_staff: bool = False,
    roles: Collection[Role] = (Role.SUPPORT, Role.SENIOR),
) -> User:
    """A person who can sign in with `password`, or without one only by `client.force_login`.

    `roles` are what a member of staff has: unless told otherwise all that support may have.
    """
    user = User.objects.create_user(
        email or f"{name.lower()}.{next(_numbers)}@example.com",
        password,
        forename=name,
        surname="Example",
        is_staff=is_staff,
        terms_version=settings.TERMS_VERSION,
    )
    # Not by the operation: its entries would stand in every history that a test counts.
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=True, primary=True)
    TermsAcceptance.objects.create(user=user, version=settings.TERMS_VERSION, at=NOW)
    if is_staff:
        give_roles(user, *roles)
    return user


def give_roles(user: User, *roles: Role) -> None:
    """Let somebody have exactly these roles in the vendor's staff; whoever has been given some is staff."""
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.is_staff = True
    StaffRole.objects.filter(user=user).delete()
    StaffRole.objects.bulk_create([StaffRole(user=user, role=role, given_at=NOW) for role in roles])


def make_company(*, founder: User, name: str = "Example Telecom") -> Company:
    """A company with its first project, DEFAULT, and its founder as admin."""
    return companies.create_company(name=name, founder=founder, caller=caller(founder), now=NOW)


def join(*, user: User, company: Company, role: str = Membership.Role.MEMBER) -> Membership:
    """Make somebody a member of a company."""
    return Membership.objects.create(user=user, company=company, role=role, joined_at=NOW)


def make_project(*, company: Company, name: str | None = None) -> Project:
    """A further project of a company."""
    return projects.create_project(
        company=company, name=name or f"Project {next(_numbers)}", caller=caller(), now=NOW
    )


def first_project(company: Company) -> Project:
    """DEFAULT, the project that is made with a company."""
    return Project.objects.select_related("company").get(company=company, name="DEFAULT")


def give_right(*, user: User, project: Project, level: str) -> ProjectRight:
    """`view`, `operate` or `manage` in one project."""
    return ProjectRight.objects.create(user=user, project=project, level=level)


def make_token(
    *scopes: str,
    company: Company,
    project: Project | None = None,
    maker: User,
    name: str | None = None,
    expires_at: datetime | None = None,
) -> MadeToken:
    """An API token of a company or project, with its secret."""
    return api_tokens.create_api_token(
        company=company,
        project=project,
        name=name or f"Token {next(_numbers)}",
        scopes=scopes,
        expires_at=expires_at,
        maker=maker,
        caller=caller(maker),
        now=NOW,
    )


def make_vendor_token(
    maker: User, name: str | None = None, *, scopes: Sequence[str] = ("orders",)
) -> MadeVendorToken:
    """A token of the vendor's, with its secret; the maker must be of fulfilment."""
    return vendor_tokens.create_vendor_token(
        name=name or f"ERP {next(_numbers)}", scopes=scopes, maker=maker, caller=caller(maker), now=NOW
    )


def make_customer(*, number: str, postal_code: str) -> CustomerAccount:
    """An account of the vendor's customer list, of no company yet."""
    return CustomerAccount.objects.create(
        number=number,
        postal_code=postal_code,
        name="Example Telecom GmbH",
        town="Sindelfingen",
        country="DE",
        email="office@example.com",
    )


def load_catalogue() -> None:
    """The starting catalogue: every product in versions 11 to 14."""
    call_command("load_catalogue", verbosity=0, stdout=StringIO())


def get_product(code: str = "Port", version: int = 14) -> Product:
    """A product of the catalogue."""
    return queries.get_product(code=code, version=version)


def make_key(*, lines: Mapping[str, int] | None = None, version: int = 14, number: str | None = None) -> str:
    """Enter an order and return the code of its activation key; `lines` are quantities by product code."""
    number = number or f"SO-{next(_numbers):06}"
    issued = fulfilment.issue_key(
        number=number,
        reference=f"reference of {number}",
        customer="Example Telecom",
        lines=[
            OrderLine(code=code, version=version, quantity=quantity)
            for code, quantity in (lines or {"Port": 5}).items()
        ],
        caller=caller(scope="orders", key=number),
        now=NOW,
    )
    assert issued.code is not None, "a new order has a code"
    return issued.code


def find_key(code: str) -> ActivationKey:
    """The activation key of a code, as it is stored now."""
    fingerprint = activation_code.fingerprint(activation_code.read(code), settings.ACTIVATION_CODE_PEPPER)
    return ActivationKey.objects.get(fingerprint=fingerprint)


def activated(target: Balance, lines: Mapping[str, int] | None = None, *, version: int = 14) -> Balance:
    """Fill a balance: order, activate, and return the balance's owner."""
    code = make_key(lines=lines, version=version)
    activation.activate_key(code=code, target=target, caller=caller(), now=NOW)
    return target


def make_device(*, project: Project, hardware_id: str | None = None, name: str = "") -> Device:
    """A device in a project; the hardware ID is a new one under 00-90-33."""
    return adding.add_device(
        project=project, hardware_id=hardware_id or new_hardware_id(), name=name, caller=caller(), now=NOW
    )


def new_hardware_id() -> str:
    """A hardware ID under 00-90-33 that no other call gives."""
    return "00-90-33-" + next(_numbers).to_bytes(3).hex("-").upper()


def assigned(device: Device, quantity: int = 1, code: str = "Port", version: int = 14) -> Grant:
    """Assign licenses from the balance of the device's project, which must have them."""
    return assignment.assign(
        device=device, product=get_product(code, version), quantity=quantity, caller=caller(), now=NOW
    ).grant


def give_back(
    device: Device,
    *grants: Grant | str,
    key: str | None = None,
    everything: bool = False,
    min_seq: int = 0,
    seq: int = 0,
    now: datetime = NOW,
) -> returns.Answer:
    """A return by the device of the grants, or of everything, as its door hands it on once it is verified.

    `key` is the statement's jti, a new one unless given; signing the receipt needs the `keyring` fixture.
    """
    ids = tuple(grant if isinstance(grant, str) else queries.grant_id(grant) for grant in grants)
    statement = payloads.Return(
        hardware_id=device.hardware_id,
        aud=settings.PORTAL_ID,
        jti=key or base64url.encode(secrets.token_bytes(16)),
        seq=seq,
        ctr=next(_numbers),
        grants=payloads.ALL if everything else ids,
        min_seq=min_seq,
    )
    # The signed bytes stand for what is said: the same statement again has the same hash, whatever its ctr.
    said = repr((statement.jti, statement.grants, min_seq)).encode()
    return returns.return_licenses(
        device=device,
        statement=statement,
        payload_sha256=hashlib.sha256(said).digest(),
        caller=caller(scope=f"device:{device.hardware_id}", key=statement.jti),
        now=now,
    )


def free(owner: Company | Project | Device, code: str = "Port", version: int = 14) -> int:
    """How many units of a product a company, project or device holds, as stored."""
    holding = Holding.objects.filter(
        **{f"holder__{owner._meta.model_name}": owner}, product__code=code, product__version=version
    ).first()
    return holding.balance if holding else 0
