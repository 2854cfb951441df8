"""Audit entries as sentences that people read (mission rule 38)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from portal.core.models import AuditEntry

SENTENCES: Mapping[str, Any] = {
    "company-created": _("%(actor)s created the company %(name)s."),
    "member-left": _("%(actor)s left the company."),
    "project-created": _("%(actor)s created the project %(name)s."),
    "device-added": _("%(actor)s added the device %(hardware_id)s %(name)s."),
    "device-key-pinned": _("%(hardware_id)s proved itself with its device certificate for the first time."),
    "key-looked-at": _("%(actor)s looked at the activation key ending in %(key)s."),
    "key-activated": _("%(actor)s activated the key ending in %(key)s."),
    "licenses-transferred": _(
        "%(actor)s transferred %(quantity)s × %(product)s from %(source)s to %(destination)s."
    ),
    "licenses-assigned": _("%(actor)s assigned %(quantity)s × %(product)s to %(hardware_id)s (seq %(seq)s)."),
    "assignment-undone": _(
        "%(actor)s undid the assignment of %(quantity)s × %(product)s to %(hardware_id)s (seq %(seq)s)."
    ),
    "licenses-returned": _("%(hardware_id)s gave licenses back (seq %(seq)s)."),
    "document-fetched": _("%(hardware_id)s fetched its license document, seq %(seq)s."),
    "document-downloaded": _("%(actor)s downloaded the license document of %(hardware_id)s, seq %(seq)s."),
}
_FACTS = ("name", "key", "product", "quantity", "source", "destination", "seq")


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """One line of a history; the hardware ID stands apart, so that it is never broken over two lines."""

    at: datetime
    before: str
    hardware_id: str
    after: str


def told(entries: Iterable[AuditEntry]) -> list[HistoryLine]:
    """The entries as sentences in the active language; an event without one is named as it is stored."""
    return [_line(entry) for entry in entries]


def _line(entry: AuditEntry) -> HistoryLine:
    sentence = _sentence(entry)
    if not entry.hardware_id:
        return HistoryLine(at=entry.at, before=sentence, hardware_id="", after="")
    before, hardware_id, after = sentence.partition(entry.hardware_id)
    return HistoryLine(at=entry.at, before=before, hardware_id=hardware_id, after=after)


def _sentence(entry: AuditEntry) -> str:
    sentence = SENTENCES.get(entry.event)
    if sentence is None:
        return f"{entry.who}: {entry.event} {entry.hardware_id}".strip()
    facts = {name: entry.facts.get(name, "") for name in _FACTS}
    text = str(sentence) % {**facts, "actor": entry.who, "hardware_id": entry.hardware_id}
    return text.replace(" .", ".")  # a device without a name
