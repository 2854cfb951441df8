"""What a word of the data is called on screen."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

# The units of the catalogue in words. A unit that is not here is shown as the catalogue writes it.
UNITS: Mapping[str, Any] = {
    "base station": ngettext_lazy("base station", "base stations", "count"),
    "channel": ngettext_lazy("channel", "channels", "count"),
    "device": ngettext_lazy("device", "devices", "count"),
    "interface": ngettext_lazy("interface", "interfaces", "count"),
    "operator": ngettext_lazy("operator", "operators", "count"),
    "phone": ngettext_lazy("phone", "phones", "count"),
    "port": ngettext_lazy("port", "ports", "count"),
    "registration": ngettext_lazy("registration", "registrations", "count"),
    "user": ngettext_lazy("user", "users", "count"),
    "year": ngettext_lazy("year", "years", "count"),
}

# What a word of the data is called on screen, and its tone.
STATUSES: Mapping[str, tuple[Any, str]] = {
    "admin": (_("Admin"), "plain"),
    "member": (_("Member"), "plain"),
    "view": (_("May view"), "plain"),
    "operate": (_("May operate"), "plain"),
    "manage": (_("May manage"), "plain"),
    # How things stand with a device, a license on it, a key, a company, an alert; and rows of the audit.
    "in-order": (_("In order"), "good"),
    "broken": (_("Broken: a move is open"), "warning"),
    "replaces": (_("Replacement in an open move"), "warning"),
    "silent": (_("Never heard of"), "plain"),
    "released": (_("Released"), "plain"),
    "not-handed-out": (_("Not handed out yet"), "warning"),
    "on-its-way": (_("Handed out, not known to be in effect"), "plain"),
    "in-effect": (_("In effect"), "good"),
    "issued": (_("Not activated"), "plain"),
    "activated": (_("Activated"), "good"),
    "imported": (_("Imported into another one"), "plain"),
    "archived": (_("Archived"), "plain"),
    "settled": (_("Settled"), "plain"),
    "change": (_("Changed"), "plain"),
    "look": (_("Looked at"), "plain"),
    # The vendor's people.
    "superuser": (_("Superuser"), "warning"),
    "support": (_("Support"), "plain"),
    "senior-support": (_("Senior support"), "plain"),
    "fulfilment": (_("Fulfilment"), "plain"),
    "auditor": (_("Auditor"), "plain"),
    "no-role": (_("No role"), "bad"),
    "bought": (_("Bought"), "plain"),
    "test": (_("Test license"), "warning"),
    "bridge": (_("Bridge"), "warning"),
    "waiting": (_("Not handed out yet"), "warning"),
    "reset": (_("Reset needed"), "warning"),
    # What became of a mail.
    "queued": (_("Waiting"), "warning"),
    "sent": (_("Sent"), "good"),
    "failed": (_("Not delivered"), "bad"),
    "blocked": (_("Blocked"), "bad"),
    # Orders and their keys.
    "partly-activated": (_("Partly activated"), "plain"),
    "canceled": (_("Canceled"), "bad"),
    "replaced": (_("Replaced"), "plain"),
    # A product, and an activation key.
    "discontinued": (_("No longer sold"), "warning"),
    # A test license.
    "waits": (_("Waits for its first download"), "warning"),
    "running": (_("Running"), "good"),
    "given-back": (_("Given back before its end"), "plain"),
    "ended": (_("Ended"), "plain"),
    # A move, and the hardware it left behind.
    "open": (_("Open"), "warning"),
    "needs-replacement": (_("Needs a replacement"), "warning"),
    "bridged": (_("Bridged"), "good"),
    "bridge-ended": (_("The bridge has ended"), "bad"),
    "with-support": (_("Support looks first"), "warning"),
    "second-person": (_("Needs a second person"), "warning"),
    "approved": (_("Approved"), "good"),
    "signed": (_("Moved by signature"), "good"),
    "refused": (_("Refused"), "bad"),
    "withdrawn": (_("Withdrawn"), "plain"),
    "expired": (_("Expired"), "plain"),
    "booked-in": (_("Booked in"), "good"),
    "written-off": (_("Written off"), "plain"),
    # Work in the background.
    "job-waiting": (_("Waiting"), "plain"),
    "job-running": (_("Running"), "plain"),
    "job-done": (_("Done"), "good"),
    "job-failed": (_("Failed"), "bad"),
    "job-cancelled": (_("Cancelled"), "plain"),
    # What the portal rests on, what happens by the clock, and keys of documents.
    "part-ready": (_("Ready"), "good"),
    "part-degraded": (_("Waits"), "warning"),
    "part-failed": (_("Failed"), "bad"),
    "turn-in-time": (_("In time"), "good"),
    "turn-late": (_("Late"), "warning"),
    "key-in use": (_("In use"), "good"),
    "key-retired": (_("Retired"), "plain"),
    "key-compromised": (_("Compromised"), "bad"),
    # What became of a grant that a device gave back (trust.md 5).
    "returned": (_("Given back"), "good"),
    "already": (_("Ended before"), "plain"),
    "kept": (_("Stays on the device"), "warning"),
    "unknown": (_("Not known"), "plain"),
}

# Where the rule behind a refusal is written down.
SOURCES: Mapping[str, Any] = {
    "mission rule": _("Rule %(number)s of the portal"),
    "trust.md": _("Section %(number)s of the rules for signed documents"),
    "RFC 6265, section": _("RFC 6265, section %(number)s"),
    "RFC 6750, section": _("RFC 6750, section %(number)s"),
    "RFC 9110, section": _("RFC 9110, section %(number)s"),
}


def unit_in_words(unit: str, *, count: int) -> str:
    """A unit of the catalogue as it stands behind a number; one that is not known stands as it is."""
    words = UNITS.get(unit)
    return str(words % {"count": count}) if words else unit
