"""The search box on every page: a page of its own, and the part of it that is shown while somebody types."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from accounts.requests import person, signed_in
from accounts.web import active
from licenses import search as searches

ON_THE_PAGE = 50
WHILE_TYPING = 5


class SearchForm(forms.Form):
    q = forms.CharField(label=_("Search"), max_length=100, required=False)


@signed_in
def search(request: HttpRequest) -> HttpResponse:
    """Everything found; with `part`, the first few of it, without the page around."""
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    part = "part" in request.GET
    found = searches.find(text, user=person(request), limit=WHILE_TYPING if part else ON_THE_PAGE)
    hardware_id = searches.whole_hardware_id(text)
    if not part and hardware_id and [device.hardware_id for device in found.devices] == [hardware_id]:
        return redirect("device", hardware_id=hardware_id)
    context = {
        "text": text,
        "found": found,
        "too_short": len(text) < searches.SHORTEST,
        "shortest": searches.SHORTEST,
        "new_hardware_id": hardware_id if not found.devices else None,
        "active_project": active.active_project(request),
        "part": part,
    }
    return render(request, "licenses/search_results.html" if part else "licenses/search.html", context)
