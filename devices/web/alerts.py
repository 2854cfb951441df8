"""The alerts, on pages: what is open, what became of the others, and settling one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from devices import alerts as operations
from devices import queries
from devices.alert_sentences import told
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ReasonForm, respond

MOST_OPEN = 50
MOST_SETTLED = 20


@staff_only(Permission.LOOK)
def alerts(request: HttpRequest) -> HttpResponse:
    """The open alerts, the oldest first, and the last that were settled."""
    open_ones = queries.open_alerts()
    settled = list(queries.settled_alerts()[:MOST_SETTLED])
    shown = told(open_ones[:MOST_OPEN])
    return render(
        request,
        "staff/alerts.html",
        {"open": shown, "more": open_ones.count() - len(shown), "settled": told(settled)},
    )


@staff_only(Permission.LOOK, change=Permission.SETTLE_ALERTS)
def alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    """One alert; a POST settles it, with what came of it."""
    found = queries.get_alert(alert_id)
    form = ReasonForm(request.POST or None)
    form.fields["reason"].label = _("What came of it")
    if form.is_valid():
        try:
            operations.settle_alert(
                settled=found,
                caller=caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
            found.refresh_from_db(fields=["settled_at"])
        else:
            messages.success(
                request,
                _("The alert about %(about)s is settled.") % {"about": found.about},
            )
            return redirect("staff-alerts")
    [in_words] = told([found])
    return respond(request, "staff/alert.html", {"told": in_words}, form=form)
