"""Who changed what and who looked at what, in one line by time: filtered, and paged without counting."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import Q, QuerySet

from portal.core.models import AuditEntry
from support.models import Look

Source = Literal["change", "look"]
# The order in which rows of one instant stand, the latest first.
_CHANGES, _LOOKS = 1, 0


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in the line: that of one row, behind which a page begins."""

    at: datetime
    source: Source
    number: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.number}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """The place that a page named; None for what is none."""
        at, _, rest = text.partition("~")
        source, _, number = rest.partition("~")
        try:
            instant = datetime.fromisoformat(at)
        except ValueError:
            return None
        if instant.tzinfo is None or source not in ("change", "look") or not _is_number(number):
            return None
        return cls(at=instant, source="change" if source == "change" else "look", number=int(number))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the line: a change or a look."""

    entry: AuditEntry | Look

    @property
    def source(self) -> Source:
        return "change" if isinstance(self.entry, AuditEntry) else "look"

    @property
    def place(self) -> Place:
        return Place(at=self.entry.at, source=self.source, number=self.entry.pk)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is shown of it.

    what: "" for both, "look", "change", or how names of events begin that are wanted.
    person: who did it, by the id of the user. kind and subject: what it was about, as `Look` keeps them.
    """

    sources: frozenset[Source] = frozenset({"change", "look"})
    beginnings: tuple[str, ...] = ()
    person: int | None = None
    kind: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def rows(wanted: Wanted, *, behind: Place | None, limit: int) -> list[Row]:
    """At most `limit` rows behind a place, the latest first; from the latest on without one."""
    changes = _behind(_changes(wanted), behind, "change")[:limit] if "change" in wanted.sources else ()
    looks = _behind(_looks(wanted), behind, "look")[:limit] if "look" in wanted.sources else ()
    entries: Iterable[AuditEntry | Look] = heapq.merge(changes, looks, key=_order, reverse=True)
    return [Row(entry=entry) for _number, entry in zip(range(limit), entries, strict=False)]


def every_row(wanted: Wanted, *, chunk: int = 500) -> Iterator[list[Row]]:
    """All of them, in lists of at most `chunk`, in constant memory."""
    behind: Place | None = None
    while found := rows(wanted, behind=behind, limit=chunk):
        yield found
        behind = found[-1].place


def _order(entry: AuditEntry | Look) -> tuple[datetime, int, int]:
    return (entry.at, _CHANGES if isinstance(entry, AuditEntry) else _LOOKS, entry.pk)


def _changes(wanted: Wanted) -> QuerySet[AuditEntry]:
    found = _between(AuditEntry.objects.select_related("actor"), wanted)
    if wanted.beginnings:
        named = Q()
        for beginning in wanted.beginnings:
            named |= Q(event__startswith=beginning)
        found = found.filter(named)
    if wanted.subject:
        found = found.filter(_changes_of(wanted.kind, wanted.subject))
    return found.order_by("-at", "-pk")


def _changes_of(kind: str, subject: str) -> Q:
    """Entries about a thing: those that keep its id. Other kinds are found among the looks only."""
    number = int(subject) if _is_number(subject) else None
    of_kind: dict[str, Q] = {"device": Q(hardware_id=subject)}
    if number is not None:
        of_kind |= {
            "company": Q(company_id=number),
            "project": Q(project_id=number),
            "person": Q(facts__user=number),
            "move": Q(facts__move=number),
        }
    return of_kind.get(kind, Q(pk__in=[]))


def _looks(wanted: Wanted) -> QuerySet[Look]:
    found = _between(Look.objects.select_related("actor"), wanted)
    if wanted.subject:
        about = Q(kind=wanted.kind, subject=wanted.subject)
        if wanted.kind == "company" and _is_number(wanted.subject):
            about |= Q(company_id=int(wanted.subject))
        found = found.filter(about)
    elif wanted.kind:
        found = found.filter(kind=wanted.kind)
    return found.order_by("-at", "-pk")


def _between(found: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    if wanted.person is not None:
        found = found.filter(actor=wanted.person)
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(at__lt=wanted.until)
    return found


def _behind(found: QuerySet[Any], place: Place | None, source: Source) -> QuerySet[Any]:
    if place is None:
        return found
    # Of one instant, changes stand before looks, and each by falling number.
    if source == place.source:
        same = Q(at=place.at, pk__lt=place.number)
    else:
        same = Q(at=place.at) if source == "look" else Q(pk__in=[])
    return found.filter(Q(at__lte=place.at) & (Q(at__lt=place.at) | same))
