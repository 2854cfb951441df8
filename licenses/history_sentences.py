"""Audit entries as sentences that people read (mission rule 38)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from licenses.records import facts_of
from portal.core.models import AuditEntry

SENTENCES: Mapping[str, Any] = {
    "company-created": _("%(actor)s created the company %(name)s."),
    "member-left": _("%(actor)s left the company."),
    "member-invited": _("%(actor)s invited somebody into the company (%(role)s)."),
    "invited-into-project": _("%(actor)s invited somebody into the project %(project)s (%(right)s)."),
    "invitation-resent": _("%(actor)s sent an invitation again."),
    "invitation-withdrawn": _("%(actor)s withdrew an invitation."),
    "invitation-declined": _("%(actor)s declined an invitation."),
    "invitation-accepted": _("%(actor)s accepted an invitation."),
    "role-changed": _("%(actor)s changed the role of %(person)s: %(role)s."),
    "member-removed": _("%(actor)s removed %(person)s from the company."),
    "right-set": _("%(actor)s set the right of %(person)s in the project %(project)s: %(right)s."),
    "right-withdrawn": _("%(actor)s withdrew the right of %(person)s in the project %(project)s."),
    "project-changed": _("%(actor)s changed the project %(name)s (before: %(earlier)s)."),
    "project-archived": _("%(actor)s archived the project %(name)s."),
    "project-unarchived": _("%(actor)s took the project %(name)s out of the archive."),
    "project-came-over": _("%(actor)s imported the project %(name)s with %(source)s."),
    "customer-link-sent": _("%(actor)s asked to link the company to customer account %(name)s."),
    "customer-linked": _("%(actor)s linked the company to customer account %(name)s."),
    "company-import-asked": _("%(actor)s asked to import %(source)s into %(destination)s."),
    "company-import-refused": _("%(actor)s refused the import of %(source)s into %(destination)s."),
    "company-import-withdrawn": _("%(actor)s withdrew the import of %(source)s into %(destination)s."),
    "company-imported": _("%(actor)s imported %(source)s into %(destination)s."),
    "device-left-project": _("%(actor)s took %(hardware_id)s out of %(name)s, into another project."),
    "device-joined-project": _("%(actor)s put %(hardware_id)s into %(name)s, from another project."),
    "device-released": _("%(actor)s released the device %(hardware_id)s %(name)s."),
    "project-created": _("%(actor)s created the project %(name)s."),
    "api-token-created": _("%(actor)s made the API token %(name)s."),
    "api-token-revoked": _("%(actor)s revoked the API token %(name)s."),
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
    "licenses-returned": _("%(hardware_id)s gave back %(quantity)s × %(product)s (seq %(seq)s)."),
    "licenses-returned-by-file": _(
        "%(hardware_id)s gave back %(quantity)s × %(product)s (seq %(seq)s); %(actor)s brought the file."
    ),
    "device-acknowledged": _(
        "%(hardware_id)s said: seq %(installed)s is installed, seq %(effective)s in effect."
    ),
    "device-acknowledged-by-file": _(
        "%(hardware_id)s said: seq %(installed)s is installed, seq %(effective)s in effect; %(actor)s "
        "brought the file."
    ),
    "test-license-created": _("%(actor)s created a test license of version %(version)s for %(hardware_id)s."),
    "test-license-changed": _("%(actor)s changed the test license of %(hardware_id)s (version %(version)s)."),
    "test-license-withdrawn": _("%(actor)s withdrew the test license of %(hardware_id)s."),
    "test-license-withdrawn-by-leaving": _(
        "The test license of %(hardware_id)s was withdrawn: nobody had downloaded it when the device left."
    ),
    "test-license-started": _(
        "%(actor)s downloaded the test license of %(hardware_id)s: it ends on %(ends)s."
    ),
    "test-license-started-by-fetch": _("%(hardware_id)s fetched its test license: it ends on %(ends)s."),
    "test-license-ended": _("The test license of %(hardware_id)s ended."),
    "test-license-revoked": _(
        "The test license of %(hardware_id)s was revoked: it was downloaded in a project that never heard of "
        "the device."
    ),
    "evidence-added": _("%(actor)s added the evidence file %(name)s to the move of %(broken)s."),
    "move-requested": _("%(actor)s asked to move the licenses of %(broken)s to %(replacement)s: %(reason)s"),
    "replacement-named": _("%(actor)s named %(replacement)s as the replacement of %(broken)s."),
    "replacement-dropped": _("%(actor)s took %(replacement)s back as the replacement of %(broken)s."),
    "bridge-given": _(
        "%(replacement)s got a bridge over the licenses of %(broken)s (%(actor)s): it ends on %(ends)s."
    ),
    "bridge-lengthened": _(
        "The bridge of %(replacement)s for %(broken)s was lengthened: it ends on %(ends)s."
    ),
    "move-approved-first": _(
        "%(actor)s approved the move from %(broken)s to %(replacement)s; it takes a second person."
    ),
    "move-approved": _(
        "%(actor)s approved the move: %(quantity)s licenses went from %(broken)s to %(replacement)s."
    ),
    "move-refused": _("%(actor)s refused the move from %(broken)s to %(replacement)s: %(reason)s"),
    "move-withdrawn": _("%(actor)s withdrew the move from %(broken)s to %(replacement)s."),
    "move-expired": _("The move from %(broken)s to %(replacement)s expired undecided."),
    "move-signed": _("%(broken)s signed for its licenses: %(quantity)s went to %(replacement)s at once."),
    "move-signed-away": _("%(broken)s gave back with its signature all that was to move."),
    "hardware-booked-in": _("%(actor)s booked in the hardware of %(broken)s: %(reason)s"),
    "hardware-written-off": _("%(actor)s wrote off the hardware of %(broken)s: %(reason)s"),
    "key-issued": _("The key …%(key)s was issued for order %(order)s."),
    "key-delivery-confirmed": _("The delivery of order %(order)s was confirmed."),
    "key-codes-shown": _("%(actor)s had the keys of order %(order)s shown."),
    "activation-key-blocked": _("%(actor)s blocked the key ending in %(key)s: %(reason)s"),
    "activation-key-unblocked": _("%(actor)s unblocked the key ending in %(key)s: %(reason)s"),
    "order-corrected": _(
        "Order %(order)s was activated by mistake and taken back: %(quantity)s licenses left the balance. "
        "%(reason)s"
    ),
    "order-canceled": _("Order %(order)s was canceled: %(reason)s"),
    "key-replacement-asked": _(
        "%(actor)s asked for another key in the place of …%(key)s (order %(order)s): %(reason)s"
    ),
    "key-replaced": _("The key …%(key)s of order %(order)s was replaced by …%(new)s: %(reason)s"),
    "key-replacement-refused": _("The key …%(key)s of order %(order)s was not replaced: %(reason)s"),
    "claim-code-made": _("%(actor)s made a claim code for %(hardware_id)s."),
    "claim-with-support": _("%(hardware_id)s proved itself with a claim; support decides about it."),
    "device-claimed": _("%(hardware_id)s came into this project by a claim that it signed."),
    "device-claimed-away": _("%(hardware_id)s left this project by a claim that it signed."),
    "device-handed-over": _("%(actor)s of support handed %(hardware_id)s over to this project: %(reason)s"),
    "device-handed-away": _(
        "%(actor)s of support handed %(hardware_id)s over to another company: %(reason)s"
    ),
    "device-handed-away-by-consent": _(
        "%(actor)s of support handed %(hardware_id)s over to another company, with %(quantity)s licenses "
        "that can be returned; %(person)s agreed: %(reason)s"
    ),
    "device-blocked": _("%(actor)s blocked %(hardware_id)s: %(reason)s"),
    "device-unblocked": _("%(actor)s unblocked %(hardware_id)s: %(reason)s"),
    "device-key-asked": _(
        "%(actor)s accepted a new certificate of %(hardware_id)s; it takes a second person: %(reason)s"
    ),
    "device-key-accepted": _(
        "%(actor)s accepted the new certificate of %(hardware_id)s as the second person: %(reason)s"
    ),
    "device-key-dropped": _("%(actor)s did not accept the new certificate of %(hardware_id)s: %(reason)s"),
    "device-seq-raised": _("%(actor)s let the next seq of %(hardware_id)s be above %(seq)s: %(reason)s"),
    "document-fetched": _("%(hardware_id)s fetched its license document, seq %(seq)s."),
    "document-downloaded": _("%(actor)s downloaded the license document of %(hardware_id)s, seq %(seq)s."),
}
_FACTS = (
    "name",
    "key",
    "product",
    "quantity",
    "source",
    "destination",
    "seq",
    "installed",
    "effective",
    "reason",
    "earlier",
    "project",
    "role",
    "right",
    "version",
    "broken",
    "replacement",
    "ends",
    "order",
    "new",
)
# Facts are kept as words of the data; people read them in theirs.
_WORDS: Mapping[str, Any] = {
    "admin": _("admin"),
    "member": _("member"),
    "view": _("may view"),
    "operate": _("may operate"),
    "manage": _("may manage"),
}


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """One line of a history; the hardware ID stands apart, so that it is never broken over two lines."""

    at: datetime
    before: str
    hardware_id: str
    after: str


def told(
    entries: Iterable[AuditEntry], *, only_known: str | Mapping[int, str] | None = None
) -> list[HistoryLine]:
    """The entries as sentences in the active language; an event without one is named as it is stored.

    :param only_known: for an end customer, the name of the one project they know: other balances that took
        part are not named. Where entries of several companies stand together, that name for each project
        (by primary key) in which the reader is an end customer.
    """
    entries = list(entries)
    # Entries name people by the user's id, since names change and are erased.
    ids = {entry.facts["user"] for entry in entries if isinstance(entry.facts.get("user"), int)}
    people = {user.pk: user.name_in_histories for user in User.objects.filter(pk__in=ids)} if ids else {}
    if isinstance(only_known, Mapping):
        return [_line(entry, people, only_known.get(entry.project_id or 0)) for entry in entries]
    return [_line(entry, people, only_known) for entry in entries]


def _line(entry: AuditEntry, people: Mapping[int, str], only_known: str | None) -> HistoryLine:
    # Who wants a device does not have it: such an entry names it without being one of the device's.
    named = entry.hardware_id or str(entry.facts.get("wanted", ""))
    sentence = _sentence(entry, named, people, only_known)
    if not named:
        return HistoryLine(at=entry.at, before=sentence, hardware_id="", after="")
    before, hardware_id, after = sentence.partition(named)
    return HistoryLine(at=entry.at, before=before, hardware_id=hardware_id, after=after)


def _sentence(entry: AuditEntry, hardware_id: str, people: Mapping[int, str], only_known: str | None) -> str:
    sentence = SENTENCES.get(_name_of(entry))
    if sentence is None:
        return f"{entry.who}: {entry.event} {hardware_id}".strip()
    kept = facts_of(entry, only_known=only_known)
    facts = {name: kept.get(name, "") for name in _FACTS}
    for name in ("source", "destination"):
        if facts[name] is None:
            facts[name] = gettext("another balance")
    for name in ("broken", "replacement"):
        facts[name] = facts[name] or gettext("another device")
    for name in ("role", "right"):
        facts[name] = _WORDS.get(facts[name], facts[name])
    if facts["ends"]:
        facts["ends"] = date_format(datetime.fromisoformat(facts["ends"]), "DATETIME_FORMAT") + " UTC"
    facts["person"] = people.get(entry.facts.get("user", 0), "")
    text = str(sentence) % {**facts, "actor": entry.who, "hardware_id": hardware_id}
    return text.replace(" .", ".")  # a device without a name


def _name_of(entry: AuditEntry) -> str:
    """Which sentence tells the entry: some events read differently from where one stands."""
    if entry.event == "device-claimed" and not entry.facts.get("gained"):
        return "device-claimed-away"
    if entry.event == "device-handed-over" and not entry.facts.get("gained"):
        return "device-handed-away-by-consent" if "user" in entry.facts else "device-handed-away"
    if entry.event == "test-license-started" and entry.facts.get("fetched"):
        return "test-license-started-by-fetch"
    if entry.event == "test-license-withdrawn" and entry.facts.get("left"):
        return "test-license-withdrawn-by-leaving"
    # What devices say over REST nobody carries; a file somebody does, and is then its actor.
    if f"{entry.event}-by-file" in SENTENCES and entry.actor_id is not None:
        return f"{entry.event}-by-file"
    return entry.event
