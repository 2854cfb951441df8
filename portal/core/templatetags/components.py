"""The parts that pages are made of, each a template under portal/templates/components/."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from portal.core import acts
from portal.core.errors import DomainError

register = template.Library()

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


@register.inclusion_tag("components/button.html")
def button(label: str, kind: str = "primary", name: str = "", value: str = "") -> dict[str, Any]:
    """A button that sends its form: `primary`, once a page, `plain` or `quiet`."""
    return {"label": label, "kind": kind, "name": name, "value": value}


@register.inclusion_tag("components/link_button.html")
def link_button(label: str, href: str, kind: str = "plain") -> dict[str, Any]:
    """A link that looks like a button, for the page's next step."""
    return {"label": label, "href": href, "kind": kind}


@register.inclusion_tag("components/quantity.html")
def quantity(count: int, unit: str = "") -> dict[str, Any]:
    """A number of units, with the unit in words."""
    words = UNITS.get(unit)
    return {"count": count, "unit": (words % {"count": count}) if words else unit}


@register.inclusion_tag("components/hardware_id.html")
def hardware_id(value: str, href: str = "") -> dict[str, Any]:
    """A hardware ID in a monospace face with a copy button; a link where there is a page to go to."""
    return {"value": value, "href": href}


@register.inclusion_tag("components/copyable.html")
def copyable(value: Any, label: str) -> dict[str, Any]:
    """Any other value people carry elsewhere: monospace, with a copy button named `label`."""
    return {"value": value, "label": label}


@register.inclusion_tag("components/moment.html")
def moment(instant: datetime | None) -> dict[str, Any]:
    """An instant: UTC without JavaScript, the reader's zone with it, and UTC on hover either way."""
    return {"instant": instant.astimezone(UTC) if instant else None}


@register.inclusion_tag("components/status.html")
def status(word: str) -> dict[str, Any]:
    """A word of the data as people read it, in a small frame."""
    label, tone = STATUSES.get(word, (word, "plain"))
    return {"label": label, "tone": tone}


@register.inclusion_tag("components/empty.html")
def empty(title: str, text: str = "", href: str = "", label: str = "") -> dict[str, Any]:
    """Nothing here yet, and where to go from here."""
    return {"title": title, "text": text, "href": href, "label": label}


@register.inclusion_tag("components/refusal.html")
def refusal(error: DomainError) -> dict[str, Any]:
    """What was refused and the way out, with the code, and a link to why (mission rule 36)."""
    return {"error": error}


@register.filter
def in_words(source: str) -> str:
    """Where the rule behind a refusal is written down (DomainError.source), as people read it."""
    kind, _space, number = source.rpartition(" ")
    return str(SOURCES[kind] % {"number": number})


@register.inclusion_tag("components/history.html")
def history(entries: Any) -> dict[str, Any]:
    """Who did what, and when; `entries` have `at`, `before`, `hardware_id` and `after`."""
    return {"entries": entries}


@register.inclusion_tag("components/progress.html")
def progress(done: int, total: int, label: str) -> dict[str, Any]:
    """How far something is that takes long: `done` of `total`, in whatever `label` counts."""
    return {"done": done, "total": total, "label": label}


@register.inclusion_tag("components/long_job.html", takes_context=True)
def long_job(context: template.Context, progress: Any) -> dict[str, Any]:
    """Work in the background with its bar (portal.core.long_job_progress). It keeps itself up to date;
    without JavaScript the page does, if it has "components/reload.html" in its block `head`."""
    return {"job": progress, "csrf_token": context.get("csrf_token")}


@register.filter
def time_left(seconds: int) -> str:
    """So many seconds as people wait for them: rounded, and never more exact than it is known."""
    if seconds < 10:
        return gettext("a few seconds left")
    if seconds < 90:
        tens = -(-seconds // 10) * 10
        return gettext("about %(count)s seconds left") % {"count": tens}
    if seconds < 90 * 60:
        minutes = -(-seconds // 60)
        return gettext("about %(count)s minutes left") % {"count": minutes}
    return gettext("about %(count)s hours left") % {"count": -(-seconds // 3600)}


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(context: template.Context, label: str, by: str, sort: str, kind: str = "") -> dict[str, Any]:
    """The head of a column that its list can be sorted by; once more turns the order around."""
    now = {by: "up", f"-{by}": "down"}.get(sort, "")
    return {
        "label": label,
        "kind": kind,
        "now": now,
        "next": f"-{by}" if now == "up" else by,
        "request": context["request"],
    }


@register.simple_tag
def act_key() -> SafeString:
    """The hidden name of an act, for a form that is only a button (portal.core.forms.ActForm)."""
    return format_html('<input type="hidden" name="act_key" value="{}">', acts.new_key())


@register.filter
def breakable(text: Any) -> SafeString:
    """A long code like ApplicationSharing, that may be broken where a word of it begins."""
    return format_html_join("", "{}<wbr>", ((word,) for word in re.split(r"(?<=[a-z])(?=[A-Z])", str(text))))


@register.filter
def without_facts(text: Any) -> str:
    """A refusal's text as its help page shows it, where the facts of a case are not known."""
    return re.sub(r"%\(\w+\)s", "…", str(text)).replace("%%", "%")
