"""Histories of companies, projects and devices: filtered, page by page, and as CSV for spreadsheets."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.models import Project, User
from accounts.requests import person, signed_in
from devices import queries as devices
from licenses import records
from licenses.web import history
from portal.core.forms import DayInput
from portal.core.models import AuditEntry

ENTRIES_A_PAGE = 50
_CHUNK = 500

# What events are about, by how their names begin. Every event of licenses.web.history is about one of these.
KINDS: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "licenses": (gettext_lazy("Licenses"), ("licenses-", "assignment-", "test-license-")),
    "keys": (gettext_lazy("Activation keys"), ("key-", "order-")),
    "documents": (gettext_lazy("License documents"), ("document-", "device-acknowledged")),
    "devices": (
        gettext_lazy("Devices"),
        (
            "device-added",
            "device-released",
            "device-left",
            "device-joined",
            "device-key-",
            "device-claimed",
            "device-blocked",
            "device-unblocked",
            "device-seq-",
            "claim-",
        ),
    ),
    "moves": (gettext_lazy("Moves"), ("move-", "replacement-", "bridge-", "hardware-")),
    "people": (
        gettext_lazy("People and rights"),
        ("member-", "invit", "role-", "right-", "api-token-"),
    ),
    "company": (gettext_lazy("Company and projects"), ("company-", "project-", "customer-")),
}


class HistoryForm(forms.Form):
    """What is shown of a history; days are UTC days."""

    device = forms.CharField(
        label=gettext_lazy("Hardware ID"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"class": "mono"}),
    )
    project = forms.TypedChoiceField(
        label=gettext_lazy("Project"), required=False, coerce=int, empty_value=None
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("About"),
        required=False,
        choices=[("", gettext_lazy("Everything")), *((kind, label) for kind, (label, _) in KINDS.items())],
    )
    since = forms.DateField(
        label=gettext_lazy("Since"),
        required=False,
        widget=DayInput(),
    )
    until = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        widget=DayInput(),
    )

    def narrow(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """The entries that are asked for."""
        given = self.cleaned_data
        if part := given["device"].strip():
            entries = entries.filter(hardware_id__contains=_as_kept(part))
        if given.get("project"):
            entries = entries.filter(project_id=given["project"])
        if given["kind"]:
            wanted = Q()
            for beginning in KINDS[given["kind"]][1]:
                wanted |= Q(event__startswith=beginning)
            entries = entries.filter(wanted)
        if given["since"]:
            entries = entries.filter(at__gte=_midnight(given["since"]))
        if given["until"]:
            entries = entries.filter(at__lt=_midnight(given["until"]) + timedelta(days=1))
        return entries


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Whose history it is: its entries, and what the page around them says."""

    name: str
    entries: QuerySet[AuditEntry]
    only_known: str | None
    projects: Mapping[int, str]
    href: str
    page: Mapping[str, Any]


@signed_in
def company_history(request: HttpRequest, company_id: int) -> HttpResponseBase:
    """Of a company, with that of its projects that the member may see."""
    user = person(request)
    company = accounts.get_company(company_id=company_id, user=user)
    projects = {one.pk: one.name for one in accounts.projects_of(user).filter(company=company)}
    scope = Scope(
        name=company.name,
        entries=records.entries_of_company(company, user=user),
        only_known=None,
        projects=projects,
        href=reverse("company", args=[company.pk]),
        page={"company": company, "is_member": True},
    )
    return _history(request, scope)


@signed_in
def project_history(request: HttpRequest, project_id: int) -> HttpResponseBase:
    """Of a project, with that of its devices."""
    user = person(request)
    project = accounts.get_project(project_id=project_id, user=user)
    return _history(request, _in_project(project, user, records.entries_of_project(project), project.name))


@signed_in
def device_history(request: HttpRequest, hardware_id: str) -> HttpResponseBase:
    """Of a device, while it was in its present project."""
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user)
    scope = _in_project(device.project, user, records.entries_of_device(device), device.hardware_id)
    return _history(request, scope)


def _in_project(project: Project, user: User, entries: QuerySet[AuditEntry], name: str) -> Scope:
    _right, is_member = accounts.standing_in(project=project, user=user)
    return Scope(
        name=name,
        entries=entries,
        only_known=None if is_member else project.name,
        projects={project.pk: project.name},
        href=reverse("project", args=[project.pk]),
        page={"company": project.company, "project": project, "is_member": is_member},
    )


def _history(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    form = HistoryForm(request.GET)
    if len(scope.projects) > 1:
        choices = [
            ("", gettext_lazy("All projects")),
            *((str(pk), name) for pk, name in scope.projects.items()),
        ]
        form.fields["project"].choices = choices  # type: ignore[attr-defined]
    else:
        del form.fields["project"]
    entries = form.narrow(scope.entries) if form.is_valid() else scope.entries.none()
    if "csv" in request.GET and form.is_valid():
        return _as_csv(entries, scope)
    page = Paginator(entries, ENTRIES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **scope.page,
        "scope": scope,
        "form": form,
        "page": page,
        "entries": history.told(page, only_known=scope.only_known),
        "is_narrowed": any(form.cleaned_data.values()) if form.is_valid() else True,
    }
    return render(request, "licenses/history.html", context)


# --- CSV ---

_FACTS = ("product", "quantity", "source", "destination", "key", "seq", "name", "reason")
_HEADINGS = ("time (UTC)", "event", "by", "project", "hardware ID", *_FACTS, "what happened")
# A spreadsheet would run what begins like this as a formula, whoever wrote it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Line:
    """What csv writes to: hands each line back."""

    def write(self, line: str) -> str:
        return line


def _as_csv(entries: QuerySet[AuditEntry], scope: Scope) -> StreamingHttpResponse:
    # With a mark of byte order: without one, spreadsheets take other letters than ASCII for something else.
    response = StreamingHttpResponse(
        _lines(entries, scope, language=translation.get_language() or "en"),
        content_type="text/csv; charset=utf-8",
    )
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in scope.name)
    response.headers["Content-Disposition"] = f'attachment; filename="history-{name}.csv"'
    return response


def _lines(entries: QuerySet[AuditEntry], scope: Scope, *, language: str) -> Iterator[str]:
    write: Callable[[Sequence[object]], str] = csv.writer(Line()).writerow
    yield "\ufeff" + write(_HEADINGS)
    chunk: list[AuditEntry] = []
    for entry in entries.iterator(_CHUNK):
        chunk.append(entry)
        if len(chunk) == _CHUNK:
            yield from _rows(chunk, scope, write, language)
            chunk = []
    yield from _rows(chunk, scope, write, language)


def _rows(
    chunk: Sequence[AuditEntry], scope: Scope, write: Callable[[Sequence[object]], str], language: str
) -> Iterator[str]:
    with translation.override(language):  # the request is over by the time this runs
        sentences = history.told(chunk, only_known=scope.only_known)
    for entry, told in zip(chunk, sentences, strict=True):
        facts = records.facts_of(entry, only_known=scope.only_known)
        row = [
            f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            entry.event,
            entry.who,
            scope.projects.get(entry.project_id or 0, ""),
            entry.hardware_id,
            *(facts.get(name, "") for name in _FACTS),
            f"{told.before}{told.hardware_id}{told.after}",
        ]
        yield write([harmless(value) for value in row])


def harmless(value: object) -> object:
    """A value that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _as_kept(part: str) -> str:
    """Part of a hardware ID in the form that entries keep: pairs of digits with dashes between."""
    plain = "".join(letter for letter in part.upper() if letter.isalnum())
    if "-" in part or len(plain) % 2 or not plain:
        return part.upper().replace(":", "-")
    return "-".join(plain[place : place + 2] for place in range(0, len(plain), 2))


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
