"""The audit: who changed what, and who looked at what. Filtered, page by page, and as CSV."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import staff_queries
from accounts.models import User
from accounts.permissions import Permission
from accounts.requests import person, staff_only
from devices.hardware_id import NotAHardwareID, parse
from licenses import order_queries
from licenses.histories import KINDS
from licenses.history_export import as_line
from licenses.history_sentences import HistoryLine
from portal.core.forms import DayInput, ZoneField
from portal.core.models import AuditEntry
from portal.core.spreadsheets import harmless
from support import trail
from support.models import Look
from support.trail import Place, Row, Wanted
from support.web import telling

ROWS_A_PAGE = 50
DAY = timedelta(days=1)
PERSONAL = ("sign", "second-factor", "profile-", "notices-", "terms-", "person-", "staff-role-", "account-")
# Of the kinds of a company's history, and what only the vendor's people read.
ABOUT: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    **KINDS,
    "accounts": (gettext_lazy("Accounts and roles"), PERSONAL),
    "alerts": (gettext_lazy("Alerts"), ("alert-",)),
}
SUBJECTS: Mapping[str, Any] = {
    "device": gettext_lazy("Device"),
    "company": gettext_lazy("Company"),
    "project": gettext_lazy("Project"),
    "key": gettext_lazy("Activation key"),
    "person": gettext_lazy("Person"),
    "move": gettext_lazy("Move"),
    "alert": gettext_lazy("Alert"),
    "order": gettext_lazy("Order"),
    "row": gettext_lazy("Row of a table"),
}


# Pages that are about no single thing, in words; the others by the name of their address.
LISTS: Mapping[str, Any] = {
    "staff": gettext_lazy("Search"),
    "index": gettext_lazy("Tables as they are stored"),
    "app_list": gettext_lazy("Tables as they are stored"),
    "jsi18n": gettext_lazy("Tables as they are stored"),
    "staff-moves": gettext_lazy("Moves"),
    "staff-reasons": gettext_lazy("Templates of reasons"),
    "staff-reason": gettext_lazy("Templates of reasons"),
    "staff-alerts": gettext_lazy("Alerts"),
    "staff-anchors": gettext_lazy("Trust anchors"),
    "staff-blocks": gettext_lazy("What is blocked"),
    "staff-mails": gettext_lazy("Mails"),
    "staff-roles": gettext_lazy("People and roles"),
    "staff-status": gettext_lazy("Status of the portal"),
    "staff-audit": gettext_lazy("Audit"),
    "staff-audit-export": gettext_lazy("Audit as CSV"),
    "staff-anchor-add": gettext_lazy("Trust anchors"),
    "staff-block-device": gettext_lazy("What is blocked"),
    "staff-block-key": gettext_lazy("What is blocked"),
    "staff-vendor-tokens": gettext_lazy("Tokens of the vendor"),
    "staff-vendor-token-revoke": gettext_lazy("Tokens of the vendor"),
    "staff-outcomes": gettext_lazy("What became of it"),
    "staff-customers": gettext_lazy("Customer list"),
    "staff-customers-check": gettext_lazy("Customer list"),
    "staff-customers-load": gettext_lazy("Customer list"),
    "staff-orders": gettext_lazy("Orders"),
    "staff-order-enter": gettext_lazy("Enter an order"),
    "staff-order-upload": gettext_lazy("Upload a list of orders"),
    "staff-order-list": gettext_lazy("List of orders"),
    "staff-order-list-problems": gettext_lazy("List of orders"),
    "staff-order-list-keys": gettext_lazy("List of orders"),
    "staff-products": gettext_lazy("Catalogue"),
    "staff-product-add": gettext_lazy("Catalogue"),
    "staff-product": gettext_lazy("Catalogue"),
    "staff-view-leave": gettext_lazy("Customer’s view"),
    "home": gettext_lazy("Overview"),
}


class AuditForm(forms.Form):
    """What is shown; days are those of the reader's zone, UTC days where it is not known."""

    what = forms.ChoiceField(
        label=gettext_lazy("What"),
        required=False,
        choices=[
            ("", gettext_lazy("Changes and looks")),
            ("change", gettext_lazy("All changes")),
            ("look", gettext_lazy("All looks")),
            *((kind, label) for kind, (label, _beginnings) in ABOUT.items()),
        ],
    )
    person = forms.TypedChoiceField(
        label=gettext_lazy("By"), required=False, coerce=int, empty_value=None, choices=[]
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("About"),
        required=False,
        choices=[("", gettext_lazy("Everything")), *SUBJECTS.items()],
    )
    subject = forms.CharField(
        label=gettext_lazy("Hardware ID or number"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off"}),
    )
    since = forms.DateField(label=gettext_lazy("Since"), required=False, widget=DayInput())
    until = forms.DateField(label=gettext_lazy("Until"), required=False, widget=DayInput())
    zone = ZoneField()

    def __init__(self, *args: Any, people: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        by: Any = self.fields["person"]
        by.choices = [("", _("Anybody")), *((str(one.pk), one.name_in_histories) for one in people)]

    def clean_subject(self) -> str:
        """A hardware ID as it is kept, however it was typed."""
        text: str = self.cleaned_data["subject"].strip()
        if self.cleaned_data.get("kind") != "device":
            return text
        try:
            return parse(text)
        except NotAHardwareID:
            return text

    @property
    def wanted(self) -> Wanted:
        """What was asked for."""
        given = self.cleaned_data
        what = given["what"]
        both: frozenset[trail.Source] = frozenset({"change", "look"})
        only: dict[str, frozenset[trail.Source]] = {"": both, "look": frozenset({"look"})}
        until = given["until"]
        return Wanted(
            sources=only.get(what, frozenset({"change"})),
            beginnings=ABOUT[what][1] if what in ABOUT else (),
            person=given["person"],
            kind=given["kind"],
            subject=given["subject"] if given["kind"] else "",
            since=self._midnight(given["since"]) if given["since"] else None,
            until=self._midnight(until + DAY) if until else None,
        )

    def clean(self) -> dict[str, Any]:
        """Where a day begins and ends, in UTC, is told on hover."""
        given = super().clean() or {}
        for name, later in (("since", timedelta()), ("until", DAY)):
            if day := given.get(name):
                begins = self._midnight(day + later).astimezone(UTC)
                self.fields[name].widget.attrs["title"] = f"{begins:%Y-%m-%d %H:%M:%S} UTC"
        return given

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.cleaned_data["zone"])


@staff_only(Permission.READ_AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    """The latest first; a page knows what follows it, and nobody counts a million rows."""
    form = _form(request)
    found: list[Row] = []
    if form.is_valid():
        behind = Place.read(request.GET.get("behind", ""))
        found = trail.rows(form.wanted, behind=behind, limit=ROWS_A_PAGE + 1)
    shown = found[:ROWS_A_PAGE]
    context = {
        "form": form,
        "lines": told(shown),
        "next": str(shown[-1].place) if len(found) > ROWS_A_PAGE else "",
        "is_first": "behind" not in request.GET,
        "may_export": Permission.EXPORT_AUDIT in person(request).staff_permissions,
    }
    return render(request, "staff/audit.html", context)


@staff_only(Permission.EXPORT_AUDIT)
def export(request: HttpRequest) -> HttpResponseBase:
    """The same as CSV, all pages of it; written down as a look like every page."""
    form = _form(request)
    if not form.is_valid():
        return audit(request)
    lines = _lines(form.wanted, language=translation.get_language() or "en")
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def told(rows: Sequence[Row]) -> list[tuple[Row, HistoryLine]]:
    """The rows with a sentence each, in the active language."""
    changes = iter(telling.told([row.entry for row in rows if isinstance(row.entry, AuditEntry)]))
    numbers = order_queries.numbers_of(
        int(row.entry.subject) for row in rows if isinstance(row.entry, Look) and _names_an_order(row.entry)
    )
    return [
        (row, _seen(row.entry, numbers) if isinstance(row.entry, Look) else next(changes)) for row in rows
    ]


def in_words(page: str) -> Any:
    """The name of a page that is about no single thing; in the stock admin, the table."""
    table, _underscore, what = page.rpartition("_")
    if page not in LISTS and what in ("changelist", "add"):
        return _("Table %(table)s") % {"table": table}
    return LISTS.get(page, page)


def _names_an_order(look: Look) -> bool:
    # The page of corrections names an order by its number, every other one by its primary key.
    return look.kind == "order" and look.page != "staff-order-correct" and look.subject.isdecimal()


def _seen(look: Look, order_numbers: Mapping[int, str]) -> HistoryLine:
    who = look.actor.name_in_histories
    facts = {
        "actor": who,
        "kind": SUBJECTS.get(look.kind, look.kind),
        "page": in_words(look.page),
    }
    device = look.subject if look.kind == "device" else ""
    subject = order_numbers.get(int(look.subject), "?") if _names_an_order(look) else look.subject
    if look.subject:
        before = _("%(actor)s looked at: %(kind)s ") % facts + ("" if device else subject)
    else:
        before = _("%(actor)s looked at: %(page)s") % facts
    after = ""
    if look.found_by:
        after += " " + _("(found by “%(text)s”)") % {"text": look.found_by}
    if look.company_id is not None:
        after += " " + _("as company %(number)s sees it") % {"number": look.company_id}
    return HistoryLine(at=look.at, before=before, hardware_id=device, after=after)


def _form(request: HttpRequest) -> AuditForm:
    return AuditForm(request.GET, people=list(staff_queries.everybody()))


_HEADINGS = ("time (UTC)", "what", "event or page", "by", "address", "company", "about", "found by", "reason")


def _lines(wanted: Wanted, *, language: str) -> Iterator[str]:
    # With a mark of byte order: without one, spreadsheets take other letters than ASCII for something else.
    yield "\ufeff" + as_line((*_HEADINGS, "what happened"))
    for chunk in trail.every_row(wanted):
        with translation.override(language):  # the request is over by the time this runs
            sentences = told(chunk)
        for row, line in sentences:
            sentence = f"{line.before}{line.hardware_id}{line.after}"
            yield as_line([harmless(value) for value in (*_columns(row.entry), sentence)])


def _columns(entry: AuditEntry | Look) -> tuple[object, ...]:
    when = f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    company = entry.company_id if entry.company_id is not None else ""
    if isinstance(entry, Look):
        about = f"{entry.kind} {entry.subject}".strip()
        by = entry.actor.name_in_histories
        return (when, "look", entry.page, by, entry.address or "", company, about, entry.found_by, "")
    reason = entry.facts.get("reason", "")
    about = entry.hardware_id
    return (when, "change", entry.event, entry.who, entry.address or "", company, about, "", reason)
