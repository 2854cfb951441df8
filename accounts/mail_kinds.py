"""The kinds of mails: what each is called, whose business it is, and whether people may do without it.

A kind is named after its template: `account/email/password_changed` is `password-changed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission


class Topic(StrEnum):
    """What people choose by: each topic is a box on the page of notices."""

    ACTIVATIONS = "activations"
    RETURNS = "returns"
    DEVICES = "devices"
    MOVES = "moves"
    TEST_LICENSES = "test-licenses"
    MEMBERS = "members"
    COMPANIES = "companies"
    ALERTS = "alerts"


TOPICS: Mapping[Topic, tuple[Any, Any]] = {
    Topic.ACTIVATIONS: (
        _("Licenses activated"),
        _("Somebody activated a key for a company whose admin you are."),
    ),
    Topic.RETURNS: (
        _("Licenses returned"),
        _("A device gave licenses back to a project that you may operate."),
    ),
    Topic.DEVICES: (
        _("Devices that leave"),
        _("Another company proved that it has a device of a company whose admin you are."),
    ),
    Topic.MOVES: (
        _("Moves after hardware failure"),
        _("A move was asked for, bridged, decided or ended in a project that you may operate."),
    ),
    Topic.TEST_LICENSES: (
        _("Ends of test licenses"),
        _("30, 7 and 1 days before the end, and at the end, in projects that you may operate."),
    ),
    Topic.MEMBERS: (
        _("Members who come and go"),
        _("Somebody joined or left a company whose admin you are."),
    ),
    Topic.COMPANIES: (
        _("Companies imported"),
        _("A company whose admin you are was imported, or took another one in."),
    ),
    Topic.ALERTS: (
        _("Alerts for support"),
        _("Once a day, if there are new ones: what support has to look at."),
    ),
}
"""What a topic is called, and when its notices come."""

STAFF_TOPICS: Mapping[Topic, Permission] = {Topic.ALERTS: Permission.SETTLE_ALERTS}
"""Topics that concern only the vendor's people, and what they must be able to do for it."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is to be known about the mails of one kind.

    label: what lists call it.
    topic: what people can do without; None: everybody gets it, because it is about their safety, asks them
        something, or answers what they asked for.
    personal: between the portal and the person; no company sees that it was sent.
    secret: it holds a link that lets somebody in: the body is erased once the mail is sent.
    """

    label: str | Promise
    topic: Topic | None = None
    personal: bool = False
    secret: bool = False


KINDS: Mapping[str, Kind] = {
    # --- Personal ---
    "account-already-exists": Kind(label=_("Registered twice"), personal=True, secret=True),
    "account-deleted": Kind(label=_("Account deleted"), personal=True),
    # Its address is that of the customer list, which whoever asks for the link must not learn.
    "customer-link": Kind(label=_("Link a customer account"), personal=True, secret=True),
    "email-changed": Kind(label=_("Address changed"), personal=True),
    "email-confirmation": Kind(label=_("Confirm an address"), personal=True, secret=True),
    "email-confirmation-signup": Kind(label=_("Activate an account"), personal=True, secret=True),
    "email-deleted": Kind(label=_("Address removed"), personal=True),
    "password-changed": Kind(label=_("Password changed"), personal=True),
    "password-reset": Kind(label=_("Password chosen anew"), personal=True),
    "password-reset-key": Kind(label=_("Choose a new password"), personal=True, secret=True),
    "password-set": Kind(label=_("Password set"), personal=True),
    "second-factors-removed": Kind(label=_("Second factors removed"), personal=True),
    "unknown-account": Kind(label=_("No account of this address"), personal=True),
    "recovery-codes-generated": Kind(label=_("New recovery codes"), personal=True),
    "totp-activated": Kind(label=_("Authenticator app added"), personal=True),
    "totp-deactivated": Kind(label=_("Authenticator app removed"), personal=True),
    "webauthn-added": Kind(label=_("Passkey added"), personal=True),
    "webauthn-removed": Kind(label=_("Passkey removed"), personal=True),
    # --- Of the vendor's people ---
    "alert-digest": Kind(label=_("Alerts of the day"), topic=Topic.ALERTS),
    # --- Of a company ---
    "invitation": Kind(label=_("Invitation"), secret=True),
    "api-token-created": Kind(label=_("API token made")),
    "company-import": Kind(label=_("Import asked for")),
    "company-imported": Kind(label=_("Company imported"), topic=Topic.COMPANIES),
    "device-claimed-away": Kind(label=_("Device left"), topic=Topic.DEVICES),
    "device-handed-away": Kind(label=_("Device handed over to another company")),
    "device-handed-over": Kind(label=_("Device handed over to your company")),
    "key-activated": Kind(label=_("Licenses activated"), topic=Topic.ACTIVATIONS),
    "key-replaced": Kind(label=_("Lost key replaced")),
    "replacement-refused": Kind(label=_("Lost key not replaced")),
    "licenses-returned": Kind(label=_("Licenses returned"), topic=Topic.RETURNS),
    "member-joined": Kind(label=_("Member joined"), topic=Topic.MEMBERS),
    "member-left": Kind(label=_("Member left"), topic=Topic.MEMBERS),
    "member-removed": Kind(label=_("Taken out of a company")),
    "move-approved": Kind(label=_("Move approved"), topic=Topic.MOVES),
    "move-bridged": Kind(label=_("Bridge given"), topic=Topic.MOVES),
    "move-device-alive": Kind(label=_("Old device speaks"), topic=Topic.MOVES),
    "move-expired": Kind(label=_("Move ended without a decision"), topic=Topic.MOVES),
    "move-refused": Kind(label=_("Move refused"), topic=Topic.MOVES),
    "move-requested": Kind(label=_("Move asked for"), topic=Topic.MOVES),
    "move-returned-late": Kind(label=_("Returned after its move"), topic=Topic.MOVES),
    "move-signed": Kind(label=_("Move signed by the old device"), topic=Topic.MOVES),
    "move-withdrawn": Kind(label=_("Move withdrawn"), topic=Topic.MOVES),
    "order-corrected": Kind(label=_("Order taken back")),
    "test-license-ending": Kind(label=_("Test license ends"), topic=Topic.TEST_LICENSES),
}
