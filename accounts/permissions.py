"""What the vendor's people may do in the staff console: one table, from permission to roles.

Pages ask for a permission (`accounts.requests.staff_only`), operations that rest on one ask again
(`accounts.staff.require`). A superuser has all of them. How to add one: CONTRIBUTING.md, "A permission".
"""

from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What somebody works as at the vendor; one person may have several."""

    SUPPORT = "support", _("Support")
    SENIOR = "senior-support", _("Senior support")
    FULFILMENT = "fulfilment", _("Fulfilment")
    AUDITOR = "auditor", _("Auditor")


class Permission(TextChoices):
    """One thing that may be done in the console, in words that follow “may”."""

    LOOK = "look", _("look at everything in the console")
    VIEW_AS_CUSTOMER = "view-as-customer", _("see a company's pages as it sees them")
    READ_AUDIT = "read-audit", _("read who looked at what and who changed what")
    EXPORT_AUDIT = "export-audit", _("export who looked at what and who changed what")
    SETTLE_ALERTS = "settle-alerts", _("settle alerts")
    DECIDE_MOVES = "decide-moves", _("decide moves and book hardware in")
    SECOND_PERSON = "second-person", _("be the second person of a decision")
    WRITE_OFF = "write-off", _("write off hardware that cannot come back")
    BLOCK = "block", _("block and unblock devices and keys")
    BLOCK_PEOPLE = "block-people", _("block and unblock people")
    HAND_OVER = "hand-over", _("hand a device over to another company")
    ACCEPT_CERTIFICATE = "accept-certificate", _("accept a device's new certificate")
    TRUST_ANCHORS = "trust-anchors", _("decide which manufacturers are trusted")
    REASON_TEMPLATES = "reason-templates", _("change the templates of reasons")
    ORDERS = "orders", _("enter and cancel orders, and replace lost keys")
    CORRECT_ORDERS = "correct-orders", _("take back an order that was activated by mistake")
    CATALOGUE = "catalogue", _("change the catalogue")
    CUSTOMERS = "customers", _("change the customer list")
    VENDOR_TOKENS = "vendor-tokens", _("make API tokens of the vendor")
    RESEND_MAILS = "resend-mails", _("send a mail again")
    ROLES = "roles", _("give and take roles")


READING = frozenset(
    {Permission.LOOK, Permission.VIEW_AS_CUSTOMER, Permission.READ_AUDIT, Permission.EXPORT_AUDIT}
)
"""Permissions with which nothing can be changed: all that an auditor has."""

EVERYBODY = frozenset(Role)
SUPPORTERS = frozenset({Role.SUPPORT, Role.SENIOR})
SENIORS = frozenset({Role.SENIOR})
CLERKS = frozenset({Role.FULFILMENT})

HOLDERS: Mapping[Permission, frozenset[Role]] = {
    Permission.LOOK: EVERYBODY,
    Permission.VIEW_AS_CUSTOMER: SUPPORTERS | {Role.AUDITOR},
    Permission.READ_AUDIT: SENIORS | {Role.AUDITOR},
    Permission.EXPORT_AUDIT: frozenset({Role.AUDITOR}),
    Permission.SETTLE_ALERTS: SUPPORTERS,
    Permission.DECIDE_MOVES: SUPPORTERS,
    Permission.SECOND_PERSON: SENIORS,
    Permission.WRITE_OFF: SENIORS,
    Permission.BLOCK: SUPPORTERS,
    Permission.BLOCK_PEOPLE: SENIORS,
    Permission.HAND_OVER: SUPPORTERS,
    Permission.ACCEPT_CERTIFICATE: SUPPORTERS,
    Permission.TRUST_ANCHORS: SENIORS,
    Permission.REASON_TEMPLATES: SUPPORTERS,
    Permission.ORDERS: CLERKS,
    Permission.CORRECT_ORDERS: SENIORS | CLERKS,
    Permission.CATALOGUE: CLERKS,
    Permission.CUSTOMERS: CLERKS,
    Permission.VENDOR_TOKENS: CLERKS,
    Permission.RESEND_MAILS: SUPPORTERS | CLERKS,
    # Who gives roles could give themselves any of them: superusers only, and the operator's command.
    Permission.ROLES: frozenset(),
}
