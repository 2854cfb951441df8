"""What ends in the next 90 days, as a page and as a calendar."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import calendar_feeds
from accounts.middleware import open_without_terms
from accounts.requests import person, signed_in
from licenses import ending_queries
from licenses.ending_queries import Ending
from licenses.icalendar import Event, calendar
from portal.core import clock

DAY = timedelta(days=1)
AHEAD = 90 * DAY
# In a calendar what has ended does not vanish at once, and what is far away is there already.
FEED_BACK = 90 * DAY
FEED_AHEAD = 400 * DAY


@signed_in
def endings(request: HttpRequest) -> HttpResponse:
    """Everything that ends in the next 90 days across the person's projects, the first to end first."""
    now = clock.now()
    found = ending_queries.endings_of(person(request), after=now, until=now + AHEAD)
    # As in the reminders, a day that has begun counts whole; less than one day is today.
    lines = [(ending, _page_of(ending), _days(ending.ends_at - now)) for ending in found]
    return render(request, "licenses/endings.html", {"lines": lines})


@never_cache
@open_without_terms
@require_GET
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar under its secret address, in the language of whoever made that."""
    user = calendar_feeds.find_by_token(token).user
    now = clock.now()
    found = ending_queries.endings_of(user, after=now - FEED_BACK, until=now + FEED_AHEAD)
    with translation.override(user.language):
        content = calendar(
            product="-//License Portal//Endings//EN",
            name=_("License Portal: endings"),
            events=[_event(ending) for ending in found],
        )
    return HttpResponse(
        content,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'inline; filename="endings.ics"'},
    )


def _days(left: timedelta) -> int:
    return -(-left // DAY) if left >= DAY else 0


def _event(ending: Ending) -> Event:
    place = f"{ending.company.name} / {ending.project.name}" if ending.project else ending.company.name
    sentence = (
        _("The test license of %(name)s ends")
        if ending.kind == "test-license"
        else _("The API token %(name)s ends")
    )
    return Event(
        # By the portal's identity, not by the host that was asked: the same event in every copy.
        uid=f"{ending.kind}-{ending.number}@{urlsplit(settings.PORTAL_ID).hostname}",
        at=ending.ends_at,
        stamp=ending.since,
        summary=sentence % {"name": ending.name},
        description=place,
        url=f"{settings.PORTAL_ORIGINS[0]}{_page_of(ending)}",
    )


def _page_of(ending: Ending) -> str:
    if ending.kind == "test-license":
        return reverse("device", args=[ending.name])
    if ending.project is not None:
        return reverse("project-api-tokens", args=[ending.project.pk])
    return reverse("company-api-tokens", args=[ending.company.pk])
