"""Who may ask what: the table of mission rule 5, by method and name of route; and with what it is asked."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import calendar_feeds, customer_rows
from accounts.models import ApiToken, Invitation, Mail, Project, ReasonTemplate, User, VendorToken
from devices.models import Alert, Device
from licenses.models import ActivationKey, CompanyImport, Grant, Move, Order, Product
from orders.models import OrderUpload
from portal.core.models import LongJob
from tests.factories import NOW, caller, find_key

# Nobody is signed in; a stranger has a company of their own; staff have none; end customers have a right in
# the one project and are no members; the others are members, with or without a right there.
ROLES = (
    "nobody",
    "stranger",
    "staff",
    "invited",
    "end-viewer",
    "end-operator",
    "end-manager",
    "member",
    "viewer",
    "operator",
    "manager",
    "admin",
)
PUBLIC = frozenset(ROLES)
SIGNED_IN = PUBLIC - {"nobody"}
INVITED = frozenset({"invited"})
STAFF = frozenset({"staff"})
MEMBER = frozenset({"member", "viewer", "operator", "manager", "admin"})
ADMIN = frozenset({"admin"})
VIEW = frozenset({"end-viewer", "end-operator", "end-manager", "viewer", "operator", "manager", "admin"})
OPERATE = VIEW - {"end-viewer", "viewer"}
MANAGE = frozenset({"end-manager", "manager", "admin"})
OUTSIDE = frozenset({"end-viewer", "end-operator", "end-manager"})

HIDDEN = "Hidden works"
HARDWARE_ID = "00-90-33-01-0A-FF"
REFUSED = {401, 403, 404}


@dataclass(frozen=True, kw_only=True)
class World:
    """One company with something of everything, and the people of all roles."""

    people: dict[str, User]
    project: Project
    other: Project
    device: Device
    grant: Grant
    into_company: Invitation
    to_invited: Invitation
    asked_of_it: CompanyImport
    asked_by_it: CompanyImport
    act_id: str
    code: str
    jti: str
    alert: Alert
    fingerprint: str
    blocked: str
    key_hash: str
    company_token: ApiToken
    project_token: ApiToken
    move: Move
    long_job: LongJob
    sessions: dict[str, str] = field(default_factory=dict)


Body = Callable[[World], dict[str, Any]]


def given(body: dict[str, Any]) -> Body:
    return lambda _world: body


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Who may, and what is sent by those who try."""

    may: frozenset[str]
    body: Body = field(default=lambda _world: {})
    arguments: Body = field(default=lambda _world: {})


def _of_another_company(_world: World) -> dict[str, Any]:
    return {"project_id": Project.objects.get(company__name="Elsewhere", name="DEFAULT").pk}


def _withdrawn(world: World) -> dict[str, Any]:
    return {"import_id": world.asked_by_it.pk}


def _invited(world: World) -> dict[str, Any]:
    return {"invitation_id": world.to_invited.pk}


def _of_the_viewer(world: World) -> dict[str, Any]:
    return {"user_id": world.people["viewer"].pk}


def _token_of_the_project(world: World) -> dict[str, Any]:
    return {"token_id": world.project_token.pk}


def _of_the_broken(world: World) -> dict[str, Any]:
    return {"hardware_id": world.move.broken.hardware_id, "move_id": world.move.pk}


def _mail(world: World) -> dict[str, Any]:
    return {"mail_id": Mail.objects.earliest("pk").pk}


def _order(world: World) -> dict[str, Any]:
    """The one whose key nobody has activated."""
    return {"order_id": Order.objects.latest("pk").pk}


def _customer_list(_world: World) -> dict[str, Any]:
    columns = ",".join(customer_rows.COLUMNS)
    return {"file": SimpleUploadedFile("list.csv", f"{columns}\nC-9,1,Nine,Ulm,DE,\n".encode())}


def _checked_list(world: World) -> dict[str, Any]:
    """One that the person from the staff has checked."""
    content = _customer_list(world)["file"].read()
    checked = hashlib.sha256(content).hexdigest()
    place = f"checked-customer-list:{world.people['staff'].pk}:{checked}"
    cache.set(place, gzip.compress(content), 60)
    return {"checked": checked}


def _product(_world: World) -> dict[str, Any]:
    return {"product_id": Product.objects.get(code="Port", version=14).pk}


def _waiting_key(_world: World) -> dict[str, Any]:
    return {"key_id": ActivationKey.objects.filter(state="issued").latest("pk").pk}


def _activated_order(_world: World) -> dict[str, Any]:
    return {"number": Order.objects.filter(activation_keys__state="activated").latest("pk").number}


def _calendar(world: World) -> dict[str, Any]:
    """The address of an end customer's calendar: so it may show nothing but their project."""
    user = world.people["end-viewer"]
    return {"token": calendar_feeds.make_calendar_feed(user=user, caller=caller(user), now=NOW)}


def _vendor_token(_world: World) -> dict[str, Any]:
    return {"token_id": VendorToken.objects.get().pk}


def _template(_world: World) -> dict[str, Any]:
    return {"template_id": ReasonTemplate.objects.get().pk}


def _an_account(_world: World) -> dict[str, Any]:
    return {"number": "C-RIGHTS"}


def _an_order(world: World) -> dict[str, Any]:
    """That of the key that nobody has activated."""
    key = find_key(world.code)
    return {"number": key.order.number, "order_id": key.order_id, "key_id": key.pk}


def _a_list(_world: World) -> dict[str, Any]:
    """A list that the member of staff uploaded."""
    return {"upload_id": OrderUpload.objects.get().pk}


def _key(world: World) -> dict[str, Any]:
    return {"key_id": ActivationKey.objects.latest("pk").pk}


PRODUCT = {"name": "Ports", "kind": "pbx", "unit": "port", "weight": 1, "reason": "as decided"}
CUSTOMER = {"number": "C-9", "postal_code": "1", "name": "Nine", "town": "Ulm", "country": "DE"}
LINE = {"product": "Port", "version": 14, "quantity": 1}


TABLE: dict[str, Entry] = {
    # --- Pages for everybody; the steps in front of the sign-in have tests of their own ---
    "GET sign-in": Entry(may=PUBLIC),
    "GET account_signup": Entry(may=PUBLIC),
    "GET account_reset_password": Entry(may=PUBLIC),
    "GET terms": Entry(may=PUBLIC),
    "GET problem": Entry(may=PUBLIC),
    "GET openapi": Entry(may=PUBLIC),
    "GET api-reference": Entry(may=PUBLIC),
    "GET healthz": Entry(may=PUBLIC),
    "GET components": Entry(may=PUBLIC),
    # --- One's own account ---
    "GET account": Entry(may=SIGNED_IN),
    "GET profile": Entry(may=SIGNED_IN),
    "GET usersessions_list": Entry(may=SIGNED_IN),
    "GET my-data": Entry(may=SIGNED_IN),
    "GET notices": Entry(may=SIGNED_IN),
    "POST notices": Entry(may=SIGNED_IN, body=given({"returns": "on"})),
    "GET calendar": Entry(may=SIGNED_IN),
    "POST calendar": Entry(may=SIGNED_IN),
    "GET long-jobs": Entry(may=SIGNED_IN),
    # Whoever asked for it, here the admin, and nobody else.
    "GET long-job": Entry(may=ADMIN),
    "POST long-job-cancel": Entry(may=ADMIN),
    "POST long-job-resume": Entry(may=ADMIN),
    "POST long-job-result": Entry(may=ADMIN),
    "GET api-long-job": Entry(may=ADMIN),
    "POST api-long-job-cancel": Entry(may=ADMIN),
    "GET api-long-job-result": Entry(may=ADMIN),
    "GET endings": Entry(may=SIGNED_IN),
    # Whoever has the address may read it: that is what it is for.
    "GET calendar-feed": Entry(may=PUBLIC, arguments=_calendar),
    "GET home": Entry(may=SIGNED_IN),
    "GET search": Entry(may=SIGNED_IN),
    "GET switch": Entry(may=SIGNED_IN),
    "POST switch": Entry(may=MEMBER, body=lambda world: {"company": world.project.company_id}),
    "GET company-new": Entry(may=SIGNED_IN),
    "GET activate": Entry(may=SIGNED_IN),
    "POST activate": Entry(
        may=MEMBER,
        body=lambda world: {"code": world.code, "target": f"company:{world.project.company_id}"},
    ),
    "GET activate-several": Entry(may=SIGNED_IN),
    "POST activate-several": Entry(
        may=MEMBER,
        body=lambda world: {
            "codes": world.code,
            "target": f"company:{world.project.company_id}",
            "confirm": "1",
        },
    ),
    # --- Companies ---
    "GET company-keys": Entry(may=MEMBER),
    "GET company-orders": Entry(may=ADMIN),
    "GET company-lost-key": Entry(may=ADMIN, arguments=_an_order),
    "POST company-lost-key": Entry(may=ADMIN, arguments=_an_order, body=given({"reason": "lost"})),
    "GET company-history": Entry(may=MEMBER),
    "POST company-history": Entry(may=MEMBER),
    "GET company-balance": Entry(may=MEMBER),
    "GET company": Entry(may=MEMBER),
    "GET members": Entry(may=MEMBER),
    "POST members": Entry(may=ADMIN, body=given({"email": "x@example.com", "role": "member"})),
    "POST member-role": Entry(may=ADMIN, body=given({"role": "admin"})),
    "GET member-remove": Entry(may=ADMIN),
    "POST member-remove": Entry(may=ADMIN),
    "GET company-leave": Entry(may=MEMBER),
    "POST company-leave": Entry(may=MEMBER),
    "GET company-mails": Entry(may=ADMIN),
    "GET project-new": Entry(may=ADMIN),
    "POST project-new": Entry(may=ADMIN, body=given({"name": "New"})),
    "GET transfer": Entry(may=frozenset({"manager", "admin"})),
    "POST transfer": Entry(
        may=frozenset({"manager", "admin"}),
        body=lambda world: {
            "source": f"project:{world.project.pk}",
            "destination": f"company:{world.project.company_id}",
            "product": "Port/14",
            "quantity": 1,
            "confirm": "1",
        },
    ),
    "GET company-imports": Entry(may=ADMIN),
    "POST company-imports": Entry(may=ADMIN, body=given({"number": 1, "name": "x"})),
    "GET company-import": Entry(may=ADMIN),
    "POST company-import": Entry(may=ADMIN, body=given({"answer": "consent"})),
    "POST company-import-withdraw": Entry(may=ADMIN, arguments=_withdrawn),
    "GET company-customer": Entry(may=ADMIN),
    "POST company-customer": Entry(may=ADMIN, body=given({"number": "C-1", "postal_code": "1"})),
    "POST api-company-customer": Entry(may=ADMIN, body=given({"number": "C-1", "postal_code": "1"})),
    "POST api-customer-look-up": Entry(may=SIGNED_IN, body=given({"number": "C-1", "postal_code": "1"})),
    "GET activation": Entry(may=MEMBER - {"member"}),
    # --- API tokens: of a company, and of one project ---
    "GET company-api-tokens": Entry(may=ADMIN),
    "POST company-api-tokens": Entry(may=ADMIN, body=given({"name": "ERP", "scopes": ["operate"]})),
    "GET project-api-tokens": Entry(may=MANAGE),
    "POST project-api-tokens": Entry(may=MANAGE, body=given({"name": "ERP", "scopes": ["operate"]})),
    "GET api-token-revoke": Entry(may=MANAGE, arguments=_token_of_the_project),
    "POST api-token-revoke": Entry(may=MANAGE, arguments=_token_of_the_project),
    "GET api-company-tokens": Entry(may=ADMIN),
    "POST api-company-tokens": Entry(may=ADMIN, body=given({"name": "ERP", "scopes": ["operate"]})),
    "GET api-project-tokens": Entry(may=MANAGE),
    "POST api-project-tokens": Entry(may=MANAGE, body=given({"name": "ERP", "scopes": ["operate"]})),
    "DELETE api-token": Entry(may=ADMIN),
    "GET api-own-token": Entry(may=frozenset()),
    # --- Invitations ---
    "GET invitation": Entry(may=frozenset({"nobody", "invited"}), arguments=_invited),
    "POST invitation-accept": Entry(may=INVITED, arguments=_invited),
    "POST invitation-decline": Entry(may=INVITED, arguments=_invited),
    "POST invitation-resend": Entry(may=ADMIN),
    "POST invitation-withdraw": Entry(may=ADMIN),
    # --- Projects ---
    "GET project": Entry(may=VIEW),
    "POST project-add-device": Entry(may=OPERATE, body=given({"hardware_id": "00-90-33-00-00-77"})),
    "GET project-history": Entry(may=VIEW),
    "GET project-balance": Entry(may=VIEW),
    "GET project-add-many": Entry(may=OPERATE),
    "POST project-add-many": Entry(
        may=OPERATE, body=given({"devices": "00-90-33-00-00-78\n00-90-33-00-00-79", "confirm": "1"})
    ),
    "GET project-assign": Entry(may=OPERATE),
    "POST project-assign": Entry(
        may=OPERATE,
        body=given({"devices": HARDWARE_ID, "product": "Port/14", "quantity": 1, "confirm": "1"}),
    ),
    "GET project-people": Entry(may=MANAGE),
    "POST project-right": Entry(
        may=MANAGE, body=lambda world: {"user": world.people["member"].pk, "level": "view"}
    ),
    "POST project-invite": Entry(may=MANAGE, body=given({"email": "x@example.com", "level": "view"})),
    "GET project-right-withdraw": Entry(may=MANAGE, arguments=_of_the_viewer),
    "POST project-right-withdraw": Entry(may=MANAGE, arguments=_of_the_viewer),
    "GET project-settings": Entry(may=MANAGE),
    "POST project-settings": Entry(may=MANAGE, body=given({"name": "New"})),
    "GET project-archive": Entry(may=MANAGE),
    "POST project-archive": Entry(may=MANAGE),
    "GET project-unarchive": Entry(may=MANAGE),
    "POST project-unarchive": Entry(may=MANAGE),
    # --- Devices ---
    "GET device": Entry(may=VIEW),
    "GET device-history": Entry(may=VIEW),
    "POST device-assign": Entry(may=OPERATE, body=given({"product": "Port/14", "quantity": 1})),
    "POST device-undo": Entry(may=OPERATE),
    "POST device-download": Entry(may=OPERATE),
    "POST device-upload": Entry(may=OPERATE),
    "GET device-return": Entry(may=VIEW),
    "GET claim": Entry(may=OPERATE),
    "POST claim": Entry(may=OPERATE, body=given({"hardware_id": HARDWARE_ID})),
    "POST claim-file": Entry(may=OPERATE, body=given({"hardware_id": HARDWARE_ID})),
    "GET device-project": Entry(may=MANAGE),
    "POST device-project": Entry(may=ADMIN, body=lambda world: {"project": world.other.pk}),
    "GET device-release": Entry(may=OPERATE),
    "POST device-release": Entry(may=OPERATE),
    "GET device-move": Entry(may=OPERATE),
    "POST device-move": Entry(may=OPERATE, body=given({"reason": "It burned out."})),
    "GET device-move-replacement": Entry(may=OPERATE, arguments=_of_the_broken),
    "POST device-move-replacement": Entry(
        may=OPERATE, body=given({"replacement": HARDWARE_ID}), arguments=_of_the_broken
    ),
    "GET device-move-withdraw": Entry(may=OPERATE, arguments=_of_the_broken),
    "POST device-move-withdraw": Entry(may=OPERATE, arguments=_of_the_broken),
    "GET device-move-evidence": Entry(may=OPERATE, arguments=_of_the_broken),
    "POST device-move-evidence": Entry(may=OPERATE, arguments=_of_the_broken),
    "GET device-move-evidence-file": Entry(may=VIEW, arguments=_of_the_broken),
    "GET device-test-license": Entry(may=OPERATE),
    "POST device-test-license": Entry(may=OPERATE, body=given({"version": 14, "quantity": 5})),
    "GET device-test-license-change": Entry(may=OPERATE),
    "POST device-test-license-change": Entry(may=OPERATE, body=given({"version": 14, "quantity": 5})),
    "GET device-test-license-withdraw": Entry(may=OPERATE),
    "POST device-test-license-withdraw": Entry(may=OPERATE),
    "GET device-test-license-start": Entry(may=OPERATE),
    "POST device-test-license-start": Entry(may=OPERATE),
    # --- The staff console: to everybody else it is not there ---
    "GET staff": Entry(may=STAFF),
    "GET staff-device": Entry(may=STAFF),
    "GET staff-hand-over": Entry(may=STAFF),
    "GET staff-hand-over-to": Entry(may=STAFF, arguments=_of_another_company),
    "POST staff-hand-over-to": Entry(
        may=STAFF, body=given({"reason": "sold"}), arguments=_of_another_company
    ),
    "GET staff-company": Entry(may=STAFF),
    "GET staff-key": Entry(may=STAFF, arguments=_key),
    "GET staff-person": Entry(may=STAFF),
    "POST staff-view": Entry(may=STAFF),
    "POST staff-view-leave": Entry(may=STAFF),
    "GET staff-status": Entry(may=STAFF),
    "GET staff-audit": Entry(may=STAFF),
    "GET staff-audit-export": Entry(may=STAFF),
    "GET staff-moves": Entry(may=STAFF),
    "GET staff-move": Entry(may=STAFF, arguments=_of_the_broken),
    "POST staff-move": Entry(
        may=STAFF, body=given({"reason": "broken", "do": "refuse"}), arguments=_of_the_broken
    ),
    "GET staff-move-evidence": Entry(may=STAFF, arguments=_of_the_broken),
    "GET staff-order-correct": Entry(may=STAFF, arguments=_activated_order),
    "POST staff-order-correct": Entry(
        may=STAFF, body=given({"reason": "mistake"}), arguments=_activated_order
    ),
    "GET staff-key-block": Entry(may=STAFF, arguments=_waiting_key),
    "POST staff-key-block": Entry(may=STAFF, body=given({"reason": "lost"}), arguments=_waiting_key),
    "GET staff-person-block": Entry(may=STAFF),
    "POST staff-person-block": Entry(may=STAFF, body=given({"reason": "stolen"})),
    "GET staff-alerts": Entry(may=STAFF),
    "GET staff-alert": Entry(may=STAFF),
    "POST staff-alert": Entry(may=STAFF, body=given({"reason": "seen"})),
    "GET staff-anchors": Entry(may=STAFF),
    "GET staff-anchor-add": Entry(may=STAFF),
    "POST staff-anchor-add": Entry(may=STAFF),
    "GET staff-anchor-remove": Entry(may=STAFF),
    "POST staff-anchor-remove": Entry(may=STAFF, body=given({"reason": "gone"})),
    "GET staff-mails": Entry(may=STAFF),
    "GET staff-mail-resend": Entry(may=STAFF, arguments=_mail),
    "POST staff-mail-resend": Entry(may=STAFF, arguments=_mail),
    "GET staff-roles": Entry(may=STAFF),
    "POST staff-roles": Entry(
        may=STAFF,
        body=lambda world: {"email": world.people["member"].email, "role": "auditor", "reason": "audits"},
    ),
    "GET staff-second-factor": Entry(may=STAFF),
    "GET staff-customers": Entry(may=STAFF),
    "POST staff-customers-check": Entry(may=STAFF, body=_customer_list),
    "POST staff-customers-load": Entry(may=STAFF, body=_checked_list),
    "GET staff-outcomes": Entry(may=STAFF),
    "GET staff-products": Entry(may=STAFF),
    "POST staff-products": Entry(may=STAFF, body=given({"version": 15, "reason": "new firmware"})),
    "GET staff-product-add": Entry(may=STAFF),
    "POST staff-product-add": Entry(may=STAFF, body=given({**PRODUCT, "code": "New", "version": 14})),
    "GET staff-product": Entry(may=STAFF, arguments=_product),
    "POST staff-product": Entry(may=STAFF, arguments=_product, body=given({**PRODUCT, "for_sale": "on"})),
    "GET staff-certificate": Entry(may=STAFF, arguments=_order),
    "POST staff-certificate": Entry(may=STAFF, arguments=_order, body=given({"language": "de"})),
    "GET staff-new-key": Entry(may=STAFF, arguments=given({"key_hash": "22" * 32})),
    "POST staff-new-key": Entry(
        may=STAFF,
        body=given({"reason": "a new board", "do": "accept"}),
        arguments=given({"key_hash": "22" * 32}),
    ),
    "GET staff-blocks": Entry(may=STAFF),
    "GET staff-block-device": Entry(may=STAFF),
    "POST staff-block-device": Entry(may=STAFF, body=given({"hardware_id": HARDWARE_ID, "reason": "stolen"})),
    "GET staff-block-key": Entry(may=STAFF),
    "POST staff-block-key": Entry(may=STAFF, body=given({"key": "00" * 32, "reason": "leaked"})),
    "GET staff-unblock-device": Entry(may=STAFF, arguments=lambda world: {"hardware_id": world.blocked}),
    "POST staff-unblock-device": Entry(
        may=STAFF,
        arguments=lambda world: {"hardware_id": world.blocked},
        body=given({"reason": "found"}),
    ),
    "GET staff-unblock-key": Entry(may=STAFF),
    "POST staff-unblock-key": Entry(may=STAFF, body=given({"reason": "not leaked"})),
    "GET staff-orders": Entry(may=STAFF),
    "GET staff-order-enter": Entry(may=STAFF),
    "POST staff-order-enter": Entry(
        may=STAFF, body=given({"number": "SO-NEW", "lines": "Port 14 1", "keys_per": "order"})
    ),
    "GET staff-order-upload": Entry(may=STAFF),
    "POST staff-order-upload": Entry(may=STAFF),
    "GET staff-order-list": Entry(may=STAFF, arguments=_a_list),
    "POST staff-order-list": Entry(may=STAFF, arguments=_a_list),
    "GET staff-order-list-problems": Entry(may=STAFF, arguments=_a_list),
    "POST staff-order-list-keys": Entry(may=STAFF, arguments=_a_list),
    "GET staff-order": Entry(may=STAFF, arguments=_an_order),
    "POST staff-order": Entry(may=STAFF, arguments=_an_order, body=given({"do": "delivered"})),
    "GET staff-order-cancel": Entry(may=STAFF, arguments=_an_order),
    "POST staff-order-cancel": Entry(may=STAFF, arguments=_an_order, body=given({"reason": "withdrawn"})),
    "GET staff-key-replace": Entry(may=STAFF, arguments=_an_order),
    "POST staff-key-replace": Entry(may=STAFF, arguments=_an_order, body=given({"reason": "lost"})),
    "GET staff-reasons": Entry(may=STAFF),
    "POST staff-reasons": Entry(may=STAFF, body=given({"name": "New", "language": "en", "text": "Seen."})),
    "GET staff-reason": Entry(may=STAFF, arguments=_template),
    "POST staff-reason": Entry(
        may=STAFF, body=given({"name": "New", "language": "en", "text": "Seen."}), arguments=_template
    ),
    "GET staff-vendor-tokens": Entry(may=STAFF),
    "POST staff-vendor-tokens": Entry(may=STAFF, body=given({"name": "ERP", "scopes": "orders"})),
    "GET staff-vendor-token-revoke": Entry(may=STAFF, arguments=_vendor_token),
    "POST staff-vendor-token-revoke": Entry(may=STAFF, arguments=_vendor_token),
    # --- The same over REST ---
    "GET api-me": Entry(may=SIGNED_IN),
    "GET api-companies": Entry(may=SIGNED_IN),
    "POST api-companies": Entry(may=SIGNED_IN, body=given({"name": "New"})),
    "GET api-projects": Entry(may=SIGNED_IN),
    "GET api-products": Entry(may=SIGNED_IN),
    "GET api-my-invitations": Entry(may=SIGNED_IN),
    "POST api-company-projects": Entry(may=ADMIN, body=given({"name": "New"})),
    "GET api-project": Entry(may=VIEW),
    "GET api-members": Entry(may=MEMBER),
    "POST api-member-role": Entry(may=ADMIN, body=given({"role": "admin"})),
    "POST api-member-remove": Entry(may=ADMIN),
    "POST api-company-leave": Entry(may=MEMBER),
    "GET api-company-invitations": Entry(may=ADMIN),
    "POST api-company-invitations": Entry(
        may=ADMIN, body=given({"email": "x@example.com", "role": "member"})
    ),
    "POST api-invitation-resend": Entry(may=ADMIN),
    "POST api-invitation-withdraw": Entry(may=ADMIN),
    "POST api-invitation-accept": Entry(may=INVITED, arguments=_invited),
    "POST api-invitation-decline": Entry(may=INVITED, arguments=_invited),
    "POST api-project-settings": Entry(may=MANAGE, body=given({"name": "New"})),
    "GET api-rights": Entry(may=MANAGE),
    "POST api-rights": Entry(
        may=MANAGE, body=lambda world: {"user": world.people["member"].pk, "right": "view"}
    ),
    "POST api-right-withdraw": Entry(may=MANAGE, arguments=_of_the_viewer),
    "GET api-project-invitations": Entry(may=MANAGE),
    "POST api-project-invitations": Entry(
        may=MANAGE, body=given({"email": "x@example.com", "right": "view"})
    ),
    "POST api-project-archive": Entry(may=MANAGE),
    "POST api-project-unarchive": Entry(may=MANAGE),
    "GET api-company-balance": Entry(may=MEMBER),
    "GET api-project-balance": Entry(may=VIEW),
    "POST api-transfers": Entry(
        may=frozenset({"manager", "admin"}),
        body=lambda world: {
            "source": {"project": world.project.pk},
            "destination": {"company": world.project.company_id},
            **LINE,
        },
    ),
    "GET api-project-devices": Entry(may=VIEW),
    "POST api-project-devices": Entry(may=OPERATE, body=given({"hardware_id": "00-90-33-00-00-77"})),
    "GET api-device": Entry(may=VIEW),
    "GET api-company-keys": Entry(may=MEMBER),
    "GET api-company-history": Entry(may=MEMBER),
    "GET api-project-history": Entry(may=VIEW),
    "GET api-device-history": Entry(may=VIEW),
    "POST api-device-assignments": Entry(may=OPERATE, body=given(LINE)),
    "POST api-assignment-undo": Entry(may=OPERATE),
    "GET api-device-license-document": Entry(may=OPERATE),
    "POST api-device-statements": Entry(may=OPERATE, body=given({"statement": "x"})),
    "GET api-moves": Entry(may=VIEW),
    "POST api-moves": Entry(may=OPERATE, body=given({"reason": "It burned out."})),
    "GET api-move": Entry(may=VIEW, arguments=_of_the_broken),
    "POST api-move-replacement": Entry(
        may=OPERATE, body=given({"replacement": HARDWARE_ID}), arguments=_of_the_broken
    ),
    "POST api-move-withdraw": Entry(may=OPERATE, arguments=_of_the_broken),
    "GET api-move-evidence": Entry(may=VIEW, arguments=_of_the_broken),
    # What is sent is no multipart: those who may are told so, the others that it is not there.
    "POST api-move-evidence": Entry(may=OPERATE, arguments=_of_the_broken),
    "GET api-project-test-licenses": Entry(may=VIEW),
    "GET api-test-license": Entry(may=VIEW),
    "POST api-test-license": Entry(may=OPERATE, body=given({"version": 14, "quantity": 5})),
    "POST api-test-license-change": Entry(may=OPERATE, body=given({"version": 14, "quantity": 5})),
    "POST api-test-license-withdraw": Entry(may=OPERATE),
    "POST api-test-license-download": Entry(may=OPERATE),
    "POST api-claim-codes": Entry(may=OPERATE, body=given({"hardware_id": HARDWARE_ID})),
    "POST api-claims": Entry(may=OPERATE, body=given({"hardware_id": HARDWARE_ID, "statement": "x"})),
    "POST api-device-project": Entry(may=ADMIN, body=lambda world: {"project": world.other.pk}),
    "POST api-device-release": Entry(may=OPERATE),
    "GET api-imports": Entry(may=ADMIN),
    "POST api-imports": Entry(may=ADMIN, body=given({"company": 1, "name": "x"})),
    "GET api-import": Entry(may=ADMIN),
    "POST api-import-consent": Entry(may=ADMIN),
    "POST api-import-refuse": Entry(may=ADMIN),
    "POST api-import-withdraw": Entry(may=ADMIN, arguments=_withdrawn),
    "GET api-customers": Entry(may=STAFF),
    "POST api-customers": Entry(may=STAFF, body=given({"customers": [CUSTOMER]})),
    "GET api-customer": Entry(may=STAFF, arguments=_an_account),
    "GET api-orders": Entry(may=STAFF),
    "POST api-orders": Entry(may=STAFF, body=given({"number": "SO-NEW", "lines": [LINE]})),
    "GET api-order": Entry(may=STAFF, arguments=_an_order),
    "POST api-order-confirm-delivery": Entry(may=STAFF, arguments=_an_order),
    "POST api-order-cancel": Entry(may=STAFF, arguments=_an_order, body=given({"reason": "withdrawn"})),
    "POST api-key-look-up": Entry(
        may=MEMBER, body=lambda world: {"code": world.code, "company": world.project.company_id}
    ),
    "POST api-key-activate": Entry(
        may=OPERATE & MEMBER, body=lambda world: {"code": world.code, "project": world.project.pk}
    ),
}
# Steps of django-allauth's on one's own account or in front of the sign-in: tests/web/test_accounts_*.
OWN_ACCOUNT = ("account_", "mfa_", "session", "sign-out", "accept-terms", "account-delete")
# Opened by whoever has the mail: tests/web/test_customers.py.
OF_MAILS = ("customer-link",)
# What devices and anybody's verifiers ask: tests/device_api/.
OF_DEVICES = (
    "device-directory",
    "device-new-nonce",
    "device-licenses",
    "device-returns",
    "device-acks",
    "device-claims",
    "key-set",
    "jwks",
)
# Said in a form, with the same status as for a thing that is not there: the person was let in.
NO_REFUSAL = {"no-company-of-that-name", "nobody-to-give-a-right", "customer-unknown", "background-job-over"}
