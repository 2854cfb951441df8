"""All components on one page, for developers: what there is, and how it looks."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse

from portal.core import problems
from portal.core.forms import ActForm, DayInput, respond
from portal.core.long_job_progress import Progress
from portal.core.words import STATUSES, UNITS

_NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
_HARDWARE_ID = "00-90-33-01-0A-FF"


@dataclass(frozen=True, kw_only=True)
class _Product:
    code: str
    name: str
    unit: str

    def __str__(self) -> str:
        return f"{self.code} 14"


@dataclass(frozen=True, kw_only=True)
class _Row:
    product: _Product
    free: int
    assigned: int


@dataclass(frozen=True, kw_only=True)
class _Event:
    at: datetime
    before: str
    hardware_id: str
    after: str


class SampleForm(ActForm):
    """A field of each sort; what is sent is checked, and nothing is done with it."""

    text = forms.CharField(label="Text", help_text="A help text says what is meant.", max_length=20)
    code = forms.CharField(label="Monospace", required=False, widget=forms.TextInput(attrs={"class": "mono"}))
    quantity = forms.IntegerField(label="Quantity", min_value=1)
    choice = forms.ChoiceField(label="Choice", choices=[("a", "The first"), ("b", "The second")])
    day = forms.DateField(label="Day", required=False, widget=DayInput())
    lines = forms.CharField(label="Lines", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    file = forms.FileField(label="File", required=False)
    mark = forms.BooleanField(label="A mark", required=False)


def _job(**given: Any) -> Progress:
    sample: dict[str, Any] = {
        "label": "An export",
        "id": "00000000-0000-0000-0000-000000000000",
        "done": 30_500,
        "total": 100_000,
        "left": 95,
        "ended_at": None,
        "kept_until": None,
        "name": "export.csv",
        "size": 0,
        "has_result": False,
        "secret": False,
        "refusal": None,
    }
    return Progress(**(sample | given))


def _jobs() -> list[Progress]:
    ended = {"left": None, "ended_at": _NOW, "kept_until": _NOW}
    return [
        _job(state="running"),
        _job(state="done", done=100_000, size=12_345_678, has_result=True, **ended),
        _job(state="failed", refusal=problems.InternalError(), **ended),
    ]


def components(request: HttpRequest) -> HttpResponse:
    """Only where the portal is developed or shown; elsewhere there is no such page."""
    if not (settings.DEMO or settings.DEBUG):
        raise Http404
    products = [
        _Product(code="Port", name="Port", unit="port"),
        _Product(code="ApplicationSharing", name="Application Sharing", unit="user"),
    ]
    context = {
        "hardware_id": _HARDWARE_ID,
        "now": _NOW,
        "statuses": STATUSES,
        "units": [(unit, count) for unit in UNITS for count in (1, 1234)],
        "things": ["10 × Port 14", "5 × UC 14", "3 × Channels 14", "1 × WebMedia 14"],
        "rows": [_Row(product=product, free=1234, assigned=7) for product in products],
        "many_rows": [_Row(product=products[0], free=number, assigned=0) for number in range(1, 9)],
        "history": [
            _Event(
                at=_NOW, before="Alice Example assigned 3 × Port 14 to ", hardware_id=_HARDWARE_ID, after="."
            ),
            _Event(at=_NOW, before="Alice Example created the company.", hardware_id="", after=""),
        ],
        "error": problems.NotAllowed(),
        "page": Paginator(range(100), 10).get_page(request.GET.get("page", 2)),
        "jobs": _jobs(),
        "sort": request.GET.get("sort", "id"),
    }
    return respond(request, "components.html", context, form=SampleForm(request.POST or None))
