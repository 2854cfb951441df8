"""Alerts as sentences: what was noticed, what it means, what to do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy

from accounts.models import Project, User
from devices import queries
from devices.models import Alert
from portal.core.models import AuditEntry


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """What an alert of one kind says; the facts of the alert go into each."""

    noticed: Any
    means: Any
    do: Any
    command: str = ""


SENTENCES: Mapping[str, Sentences] = {
    Alert.Kind.COUNTER_FORK: Sentences(
        noticed=gettext_lazy("Two different statements carry the device's counter %(ctr)s."),
        means=gettext_lazy(
            "A device counts each statement it signs. The same number twice shows that the device, or its "
            "memory, is there twice: its key was copied, or a snapshot of it was restored."
        ),
        do=gettext_lazy(
            "Ask the company whether the device was restored or replaced. If nobody knows of it, block the "
            "device, and its key if it may have been copied."
        ),
    ),
    Alert.Kind.SEQ_AHEAD: Sentences(
        noticed=gettext_lazy(
            "The device has seen license document %(seq)s, %(ahead)s ahead of the portal's."
        ),
        means=gettext_lazy(
            "Documents are numbered by the portal alone, so the portal's database may be older than it was. "
            "For this device the portal has risen above that number by itself."
        ),
        do=gettext_lazy(
            "If the database was restored from a backup, raise the numbers of all devices with the command. "
            "If it was not, find out who else signs license documents."
        ),
        command="manage.py seq_floor raise NUMBER --reason …",
    ),
    Alert.Kind.SEQ_FAR_AHEAD: Sentences(
        noticed=gettext_lazy(
            "The device has seen license document %(seq)s, %(ahead)s ahead of the portal's."
        ),
        means=gettext_lazy(
            "That is further than the portal follows by itself. Until somebody decides, the device refuses "
            "every document of the portal as too old."
        ),
        do=gettext_lazy(
            "Find out how the device came to that number. If it is genuine, raise this one device with the "
            "command; it takes its next document then."
        ),
        command="manage.py seq_floor device %(hardware_id)s %(seq)s --reason …",
    ),
    Alert.Kind.CLAIM_WITH_SUPPORT: Sentences(
        noticed=gettext_lazy("Somebody proved to have the device, and wants it in %(project)s."),
        means=gettext_lazy(
            "The device still has licenses that can be returned, so it does not change project by itself."
        ),
        do=gettext_lazy(
            "Ask the company that has it to give the licenses back from the device. A new claim then goes "
            "through without support. If an admin of the company agrees to lose the licenses, hand the "
            "device over."
        ),
    ),
    Alert.Kind.MOVED_DEVICE_ALIVE: Sentences(
        noticed=gettext_lazy("The device spoke, although its licenses were moved away as from a broken one."),
        means=gettext_lazy(
            "Somebody said that it was dead and could sign nothing. It was given its current document, which "
            "lists nothing of what moved; until it has reset itself it may run on as before."
        ),
        do=gettext_lazy(
            "Ask the company what became of the device. If it is only being repaired, book it in when it is "
            "back; if licenses run in two places, block the device."
        ),
    ),
    Alert.Kind.OTHER_KEY: Sentences(
        noticed=gettext_lazy("The device spoke with another key than the one known for its hardware ID."),
        means=gettext_lazy(
            "Its certificate is of a trusted manufacturer, but the portal knows the device by another key. "
            "It was refused: its board may have been exchanged in a repair, or somebody poses as the device."
        ),
        do=gettext_lazy(
            "Ask the company and the manufacturer why the certificate changed. If it was them, two people "
            "accept it on the page below; if nobody knows of it, block the key."
        ),
    ),
    Alert.Kind.CAP_REACHED: Sentences(
        noticed=gettext_lazy("%(company)s asks for more moves than it may have without a decision."),
        means=gettext_lazy(
            "%(counted)s of its moves were undecided or without the old hardware when it asked for the one "
            "of %(broken)s; the limit is %(cap)s. No bridge is given above it before somebody has decided."
        ),
        do=gettext_lazy(
            "Decide its open moves, and ask for the old hardware: each device that is booked in or written "
            "off makes room for a move without waiting."
        ),
    ),
    Alert.Kind.KEYS_TRIED: Sentences(
        noticed=gettext_lazy(
            "So many activation keys were tried for %(company)s that no more were let through."
        ),
        means=gettext_lazy(
            "%(who)s was held up for the rest of the hour. Somebody may be guessing keys, or typing in a "
            "whole box of certificates."
        ),
        do=gettext_lazy(
            "Look at the history of the company. If nobody there knows of it, block the person or revoke the "
            "API token; who has many keys can activate several at once."
        ),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """An alert in words, and how it was settled if it is."""

    alert: Alert
    noticed: str
    means: str
    do: str
    command: str
    settlement: AuditEntry | None = None


def told(found: Iterable[Alert]) -> list[Told]:
    """The alerts in words; those that are settled with how."""
    found = list(found)
    settlements = queries.settlements([alert for alert in found if alert.settled_at is not None])
    return [_in_words(alert, facts, settlements.get(alert.pk)) for alert, facts in _with_facts(found)]


def noticed(found: Iterable[Alert]) -> list[tuple[Alert, Any]]:
    """The alerts, each with what was noticed, in the language of whoever reads it."""
    return [
        (alert, _later(SENTENCES[alert.kind].noticed, facts)) for alert, facts in _with_facts(list(found))
    ]


def _later(sentence: Any, facts: Mapping[str, Any]) -> Any:
    return lazy(lambda: str(sentence) % facts, str)()


def _with_facts(found: Sequence[Alert]) -> list[tuple[Alert, dict[str, Any]]]:
    wanted = {alert.facts["project"] for alert in found if "project" in alert.facts}
    projects = {
        project.pk: f"{project.company.name} / {project.name}"
        for project in Project.objects.filter(pk__in=wanted).select_related("company")
    }
    # By the name of now: a person's name stands in no alert (docs/decisions/0014).
    tried = {alert.facts["user"] for alert in found if "user" in alert.facts}
    people = {user.pk: user.name_in_histories for user in User.objects.filter(pk__in=tried)}
    return [
        (
            alert,
            {
                **alert.facts,
                "hardware_id": alert.device.hardware_id if alert.device else "",
                "company": alert.company.name if alert.company else "",
                "project": projects.get(alert.facts.get("project", 0), ""),
                "who": people.get(alert.facts.get("user", 0)) or alert.facts.get("who", ""),
            },
        )
        for alert in found
    ]


def _in_words(alert: Alert, facts: Mapping[str, Any], settlement: AuditEntry | None) -> Told:
    sentences = SENTENCES[alert.kind]
    return Told(
        alert=alert,
        noticed=str(sentences.noticed) % facts,
        means=str(sentences.means) % facts,
        do=str(sentences.do),
        command=sentences.command % facts,
        settlement=settlement,
    )
