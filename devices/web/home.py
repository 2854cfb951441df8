"""Where staff begin: how much there is to look at."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import mail_queries
from accounts.permissions import Permission
from accounts.requests import staff_only
from devices import queries


@staff_only(Permission.LOOK)
def index(request: HttpRequest) -> HttpResponse:
    """What is open, and the way to each part."""
    return render(
        request,
        "staff/index.html",
        {
            "second_factor_asked": settings.STAFF_SECOND_FACTOR,
            "alerts": queries.open_alerts().count(),
            "anchors": queries.trust_anchors().count(),
            "blocked_devices": queries.blocked_devices().count(),
            "mails_not_delivered": mail_queries.not_delivered().count(),
            "blocked_keys": queries.blocked_keys().count(),
        },
    )
