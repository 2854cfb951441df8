"""Addresses behind which something fails, as it does when the database is away."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

import portal.urls
from tests.core.test_database_away import NOBODY_THERE

handler500 = "portal.core.pages.internal_error"


def failing(request: HttpRequest) -> HttpResponse:
    """Raise what was asked for."""
    which = request.GET["which"]
    raise KeyError(which) if which == "bug" else NOBODY_THERE[int(which)]


urlpatterns = [path("failing", failing), path("api/failing", failing), *portal.urls.urlpatterns]
