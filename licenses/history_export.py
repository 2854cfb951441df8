"""Histories as CSV for spreadsheets: short ones at once, long ones in the background."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from licenses import histories, records
from licenses.histories import History, Wanted
from licenses.history_sentences import told
from portal.core import long_jobs
from portal.core.acts import Caller
from portal.core.errors import NotFound
from portal.core.long_job_kinds import Slice, kind
from portal.core.models import AuditEntry, LongJob
from portal.core.spreadsheets import harmless

ROWS_A_SLICE = 2000
_CHUNK = 500
_FACTS = ("product", "quantity", "source", "destination", "key", "seq", "name", "reason")
_HEADINGS = ("time (UTC)", "event", "by", "project", "hardware ID", *_FACTS, "what happened")


def name_of(history: History) -> str:
    """The name of the file."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in history.name)
    return f"history-{plain}.csv"


def lines(history: History, wanted: Wanted, *, language: str) -> Iterator[str]:
    """The whole table, line by line, in constant memory."""
    yield _head()
    chunk: list[AuditEntry] = []
    for entry in wanted.of(history.entries).iterator(_CHUNK):
        chunk.append(entry)
        if len(chunk) == _CHUNK:
            yield from _rows(chunk, history, language)
            chunk = []
    yield from _rows(chunk, history, language)


@transaction.atomic(durable=True)
def ask_for_export(
    *, history: History, wanted: Wanted, language: str, caller: Caller, now: datetime
) -> LongJob:
    """Have the table made in the background. What happens from now on is not in it."""
    entries = wanted.of(history.entries).filter(at__lte=now)
    return long_jobs.ask(
        "export-history",
        total=entries.count(),
        result=name_of(history),
        content_type="text/csv; charset=utf-8",
        caller=caller,
        now=now,
        history=dict(history.given),
        wanted=wanted.as_json(),
        language=language,
    )


def _may(job: LongJob) -> bool:
    try:
        _history_of(job)
    except NotFound:
        return False
    return True


@kind("export-history", label=_("History as CSV"), may=_may)
def export_slice(job: LongJob, *, now: datetime) -> Slice:  # noqa: ARG001
    """The next rows, from where the last slice stopped: the latest entry comes first."""
    history = _history_of(job)
    entries = Wanted.from_json(job.arguments["wanted"]).of(history.entries).filter(at__lte=job.asked_at)
    if job.rest:
        at, pk = datetime.fromisoformat(job.rest["at"]), job.rest["pk"]
        entries = entries.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    found = list(entries[:ROWS_A_SLICE])
    written = _rows(found, history, job.arguments["language"])
    return Slice(
        rows=len(found),
        over=len(found) < ROWS_A_SLICE,
        content="".join([*([] if job.rest else [_head()]), *written]).encode(),
        rest={"at": found[-1].at.isoformat(), "pk": found[-1].pk} if found else job.rest,
    )


def _history_of(job: LongJob) -> History:
    user = User.objects.get(pk=job.owner_id, is_active=True) if job.owner_id else None
    if user is None:
        raise NotFound
    return histories.find(job.arguments["history"], user=user)


class _Line:
    """What csv writes to: hands each line back."""

    def write(self, line: str) -> str:
        return line


as_line: Callable[[Iterable[object]], str] = csv.writer(_Line()).writerow
"""One line of a table."""


def _head() -> str:
    # With a mark of byte order: without one, spreadsheets take other letters than ASCII for something else.
    return "\ufeff" + as_line(_HEADINGS)


def _rows(chunk: Sequence[AuditEntry], history: History, language: str) -> Iterator[str]:
    with translation.override(language):  # the request is over by the time this runs
        sentences = told(chunk, only_known=history.only_known)
    for entry, line in zip(chunk, sentences, strict=True):
        facts = records.facts_of(entry, only_known=history.only_known)
        row = [
            f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            entry.event,
            entry.who,
            history.projects.get(entry.project_id or 0, ""),
            entry.hardware_id,
            *(facts.get(name, "") for name in _FACTS),
            f"{line.before}{line.hardware_id}{line.after}",
        ]
        yield as_line([harmless(value) for value in row])
