"""Small parts of pages, which a list has in each of its rows: HTML by functions.

A template for each costs ten times as much (docs/performance.md, "Pages"); what a page has once is a template
under portal/templates/components/. Both are tags by portal/core/templatetags/components.py.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.formats import localize
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portal.core.words import STATUSES, unit_in_words

_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COPY_BUTTON = (
    '<button type="button" class="copy" data-copy="{}" aria-label="{}" title="{}" hidden>'
    '<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">'
    '<path fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"'
    ' d="M5.5 5.5V2.75h7.75v7.75H10.5M2.75 5.5h7.75v7.75H2.75z"/></svg></button>'
)


def button(label: str, kind: str = "primary", name: str = "", value: str = "") -> SafeString:
    """A button that sends its form: `primary`, once a page, `plain` or `quiet`."""
    sends = format_html(' name="{}" value="{}"', name, value) if name else ""
    return format_html('<button type="submit" class="button {}"{}>{}</button>', kind, sends, label)


def link_button(label: str, href: str, kind: str = "plain") -> SafeString:
    """A link that looks like a button, for the page's next step."""
    return format_html('<a class="button {}" href="{}">{}</a>', kind, href, label)


def copy_button(value: Any, label: str) -> SafeString:
    """Copies a value; portal.js shows it where the browser lets a page write to the clipboard."""
    label = escape(label)
    return format_html(_COPY_BUTTON, value, label, label)


def copyable(value: Any, label: str) -> SafeString:
    """Any value people carry elsewhere: monospace, with a copy button named `label`."""
    return format_html(
        '<span class="copyable"><span class="mono">{}</span>{}</span>', value, copy_button(value, label)
    )


def hardware_id(value: str, href: str = "") -> SafeString:
    """A hardware ID in a monospace face with a copy button; a link where there is a page to go to."""
    shown = (
        format_html('<a class="mono nowrap" href="{}">{}</a>', href, value)
        if href
        else _in_a_span("mono nowrap", value)
    )
    copy = copy_button(value, _("Copy the hardware ID %(value)s") % {"value": value})
    return format_html('<span class="copyable">{}{}</span>', shown, copy)


def moment(instant: datetime | None) -> SafeString:
    """An instant: UTC without JavaScript, the reader's zone with it, and UTC on hover either way."""
    if instant is None:
        return SafeString()
    day, time = instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds").split(" ")
    return format_html(
        '<time datetime="{0}T{1}Z" title="{0} {1} UTC">{0} {2} UTC</time>', day, time, time[:5]
    )


def quantity(count: int, unit: str = "") -> SafeString:
    """A number of units, with the unit in words."""
    if not unit:
        return _in_a_span("quantity", localize(count))
    words = _in_a_span("unit", unit_in_words(unit, count=count))
    return format_html('<span class="quantity">{} {}</span>', localize(count), words)


def status(word: str) -> SafeString:
    """A word of the data as people read it, in a small frame."""
    label, tone = STATUSES.get(word, (word, "plain"))
    return format_html('<span class="status {}">{}</span>', tone, label)


def history(entries: Iterable[Any]) -> SafeString:
    """Who did what, and when; `entries` have `at`, `before`, `hardware_id` and `after`."""
    lines = (
        (moment(one.at), one.before, _in_a_span("mono nowrap", one.hardware_id), one.after) for one in entries
    )
    return format_html(
        '<ol class="history">{}</ol>', format_html_join("\n", "<li>{} <span>{}{}{}</span></li>", lines)
    )


def choose_device(hardware_id: str) -> SafeString:
    """A mark that chooses a device out of a list, for whatever the form around it does."""
    label = _("Choose %(id)s") % {"id": hardware_id}
    return format_html('<input type="checkbox" name="device" value="{}" aria-label="{}">', hardware_id, label)


def few(things: Sequence[Any], most: int = 3) -> SafeString:
    """The first of some things in a line, each unbroken, and how many more there are; or "none"."""
    if not things:
        return _in_a_span("muted", _("none"))
    shown = format_html_join(", ", '<span class="nowrap">{}</span>', ((one,) for one in things[:most]))
    if len(things) <= most:
        return shown
    more = _("and %(more)s more") % {"more": len(things) - most}
    return format_html("{} {}", shown, _in_a_span("muted", more))


def product(shown: Any) -> SafeString:
    """A product by code and version, and by its name where that says more."""
    code = _in_a_span("product", breakable(shown))
    if shown.name == shown.code:
        return code
    return format_html("{} {}", code, _in_a_span("product-name", shown.name))


def breakable(text: Any) -> SafeString:
    """A long code like ApplicationSharing, that may be broken where a word of it begins."""
    return format_html_join("", "{}<wbr>", ((word,) for word in _INNER_CAPITAL.split(str(text))))


def _in_a_span(kind: str, text: str) -> SafeString:
    return format_html('<span class="{}">{}</span>', kind, text) if text else SafeString()
