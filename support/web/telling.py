"""Audit entries as sentences for the vendor's people: those that companies read too, and the rest."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import Role
from licenses import history_sentences as history
from licenses.history_sentences import HistoryLine
from portal.core.models import AuditEntry

SENTENCES: Mapping[str, Any] = {
    "signed-in": _("%(actor)s signed in."),
    "signed-out": _("%(actor)s signed out."),
    "sign-in-failed": _("Somebody tried to sign in as %(person)s, with a wrong password."),
    "second-factors-removed": _("%(actor)s removed the second factors of %(person)s: %(reason)s"),
    "staff-role-given": _("%(actor)s gave %(person)s the role %(role)s: %(reason)s"),
    "staff-role-taken": _("%(actor)s took the role %(role)s from %(person)s: %(reason)s"),
    "person-added": _("%(actor)s let %(person)s in."),
    "profile-changed": _("%(actor)s changed name or language."),
    "notices-chosen": _("%(actor)s chose which notices come."),
    "terms-accepted": _("%(actor)s accepted the terms."),
    "mail-resent": _("%(actor)s sent a mail again."),
    "reason-template-made": _("%(actor)s made the template “%(name)s”."),
    "reason-template-changed": _("%(actor)s changed the template “%(name)s”."),
    "reason-template-archived": _("%(actor)s archived the template “%(name)s”."),
    "alert-settled": _("%(actor)s settled an alert: %(reason)s"),
}


def told(entries: Iterable[AuditEntry]) -> list[HistoryLine]:
    """The entries as sentences in the active language, in their order."""
    entries = list(entries)
    people = _people(entries)
    usual = iter(history.told([entry for entry in entries if entry.event not in SENTENCES]))
    return [_line(entry, people) if entry.event in SENTENCES else next(usual) for entry in entries]


def _people(entries: Iterable[AuditEntry]) -> dict[int, str]:
    ids = {
        entry.facts["user"]
        for entry in entries
        if entry.event in SENTENCES and isinstance(entry.facts.get("user"), int)
    }
    return {user.pk: user.name_in_histories for user in User.objects.filter(pk__in=ids)} if ids else {}


def _line(entry: AuditEntry, people: Mapping[int, str]) -> HistoryLine:
    role = entry.facts.get("role", "")
    facts = {
        "actor": entry.who,
        "person": people.get(entry.facts.get("user") or 0, "?"),
        "name": entry.facts.get("name", ""),
        "reason": entry.facts.get("reason", ""),
        "role": Role(role).label if role in Role.values else role,
    }
    sentence = str(SENTENCES[entry.event]) % facts
    return HistoryLine(at=entry.at, before=sentence, hardware_id="", after="")
