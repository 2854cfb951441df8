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
    "second-factor-failed": _("Somebody signed in as %(person)s with a wrong second factor."),
    "account-deleted": _("%(actor)s deleted the account."),
    "person-blocked": _("%(actor)s blocked %(person)s: %(reason)s"),
    "person-unblocked": _("%(actor)s let %(person)s in again: %(reason)s"),
    "calendar-made": _("%(actor)s made a calendar address."),
    "calendar-revoked": _("%(actor)s ended the calendar address."),
    "vendor-token-created": _("%(actor)s made the vendor's token %(name)s."),
    "vendor-token-revoked": _("%(actor)s revoked the vendor's token %(name)s."),
    "order-upload-confirmed": _("%(actor)s confirmed a list of orders (%(orders)s)."),
    "order-upload-keys-taken": _("%(actor)s downloaded the keys of a list of orders."),
    "order-upload-delivered": _("%(actor)s confirmed the delivery of a list of orders."),
    "key-certificate-made": _("%(actor)s had the certificate of order %(order)s made."),
    "customer-list-loaded": _("%(actor)s loaded a customer list of %(lines)s lines."),
    "product-added": _("%(actor)s added the product %(product)s: %(reason)s"),
    "product-changed": _("%(actor)s changed the product %(product)s: %(reason)s"),
    "catalogue-version-added": _("%(actor)s added version %(version)s to the catalogue: %(reason)s"),
    "trust-anchor-added": _("%(actor)s had certificates of %(manufacturer)s trusted."),
    "trust-anchor-removed": _("%(actor)s ended the trust in certificates of %(manufacturer)s: %(reason)s"),
    "key-set-published": _("%(actor)s published version %(version)s of the signing keys."),
    "seq-floor-raised": _("%(actor)s let the next seq of all devices be above %(seq)s: %(reason)s"),
}
_FACTS = ("name", "orders", "order", "lines", "product", "version", "manufacturer", "seq")


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
        **dict.fromkeys(_FACTS, ""),
        **{name: value for name, value in entry.facts.items() if name in _FACTS},
        "actor": entry.who,
        "person": people.get(entry.facts.get("user") or 0, "?"),
        "name": entry.facts.get("name", ""),
        "reason": entry.facts.get("reason", ""),
        "role": Role(role).label if role in Role.values else role,
    }
    sentence = str(SENTENCES[entry.event]) % facts
    return HistoryLine(at=entry.at, before=sentence, hardware_id="", after="")
