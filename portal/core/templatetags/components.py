"""The tags of what pages are made of: templates under portal/templates/components/, and the small parts that
a list has in each row (portal/core/parts.py)."""

import re
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from portal.core import acts, parts
from portal.core.errors import DomainError
from portal.core.words import SOURCES

SMALL_PARTS = (
    parts.button,
    parts.choose_device,
    parts.copy_button,
    parts.copyable,
    parts.few,
    parts.hardware_id,
    parts.history,
    parts.link_button,
    parts.moment,
    parts.product,
    parts.quantity,
    parts.status,
)

register = template.Library()
for part in SMALL_PARTS:
    register.simple_tag(part)
register.filter(parts.breakable)


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
def without_facts(text: Any) -> str:
    """A refusal's text as its help page shows it, where the facts of a case are not known."""
    return re.sub(r"%\(\w+\)s", "…", str(text)).replace("%%", "%")
