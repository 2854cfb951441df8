"""Histories of companies, projects and devices: filtered, page by page, and as CSV for spreadsheets."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext_lazy

from accounts.requests import caller, person, signed_in
from licenses import histories, history_export
from licenses import history_sentences as history
from licenses.histories import KINDS, History, Wanted
from portal.core import acts, clock
from portal.core.forms import DayInput, ZoneField
from portal.core.paging import MOST_PAGED, LatestFirst

ENTRIES_A_PAGE = 50
DAY = timedelta(days=1)


class HistoryForm(forms.Form):
    """What is shown of a history; days are those of the reader's zone, UTC days where it is not known."""

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
    zone = ZoneField()

    def offer(self, projects: dict[int, str]) -> None:
        """The projects to choose from; one alone is no choice."""
        if len(projects) > 1:
            every = ("", gettext_lazy("All projects"))
            named = ((str(pk), name) for pk, name in projects.items())
            self.fields["project"].choices = [every, *named]  # type: ignore[attr-defined]
        else:
            del self.fields["project"]

    def clean(self) -> dict[str, Any]:
        """Where a day begins and ends, in UTC, is told on hover."""
        given = super().clean() or {}
        for name, later in (("since", timedelta()), ("until", DAY)):
            if day := given.get(name):
                begins = self._midnight(day + later).astimezone(UTC)
                self.fields[name].widget.attrs["title"] = f"{begins:%Y-%m-%d %H:%M:%S} UTC"
        return given

    @property
    def wanted(self) -> Wanted:
        """What is asked for; the form is valid."""
        given = self.cleaned_data
        return Wanted(
            device=given["device"],
            project=given.get("project"),
            kind=given["kind"],
            since=self._midnight(given["since"]) if given["since"] else None,
            until=self._midnight(given["until"] + DAY) if given["until"] else None,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is asked for that leaves something out."""
        return not self.is_valid() or self.wanted != Wanted()

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.cleaned_data["zone"])


@signed_in
def company_history(request: HttpRequest, company_id: int) -> HttpResponseBase:
    """Of a company, with that of its projects that the member may see."""
    return _answer(request, histories.of_company(company_id, user=person(request)))


@signed_in
def project_history(request: HttpRequest, project_id: int) -> HttpResponseBase:
    """Of a project, with that of its devices."""
    return _answer(request, histories.of_project(project_id, user=person(request)))


@signed_in
def device_history(request: HttpRequest, hardware_id: str) -> HttpResponseBase:
    """Of a device, while it was in its present project."""
    return _answer(request, histories.of_device(hardware_id, user=person(request)))


def _answer(request: HttpRequest, shown: History) -> HttpResponseBase:
    form = HistoryForm(request.GET)
    form.offer(dict(shown.projects))
    valid = form.is_valid()
    if valid and request.method == "POST":
        return _in_the_background(request, shown, form.wanted)
    entries = form.wanted.of(shown.entries) if valid else shown.entries.none()
    at_once = settings.HISTORY_ROWS_AT_ONCE
    pages = LatestFirst(entries, ENTRIES_A_PAGE, most=max(MOST_PAGED, at_once))
    page = pages.get_page(request.GET.get("page"))
    is_long = pages.count > at_once or pages.is_cut
    if valid and "csv" in request.GET and not is_long:
        return _at_once(shown, form.wanted)
    context = {
        "company": shown.company,
        "project": shown.project,
        "is_member": shown.is_member,
        "name": shown.name,
        "form": form,
        "page": page,
        "entries": history.told(page, only_known=shown.only_known),
        "is_narrowed": form.is_narrowed,
        "is_long": is_long,
        "is_cut": pages.is_cut,
    }
    return render(request, "licenses/history.html", context)


def _at_once(shown: History, wanted: Wanted) -> StreamingHttpResponse:
    response = StreamingHttpResponse(
        history_export.lines(shown, wanted, language=translation.get_language() or "en"),
        content_type="text/csv; charset=utf-8",
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{history_export.name_of(shown)}"'
    return response


def _in_the_background(request: HttpRequest, shown: History, wanted: Wanted) -> HttpResponse:
    job = history_export.ask_for_export(
        history=shown,
        wanted=wanted,
        language=translation.get_language() or "en",
        caller=caller(request, key=request.POST.get("act_key") or acts.new_key()),
        now=clock.now(),
    )
    return redirect("long-job", job_id=job.pk)
