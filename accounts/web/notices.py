"""What reaches a person: which notices they get, and the calendar of what ends."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import calendar_feeds, mail_queries, notice_choices, staff
from accounts.mail_kinds import STAFF_TOPICS, TOPICS, Topic
from accounts.requests import caller, person, signed_in
from portal.core import clock
from portal.core.forms import PortalForm, respond


class NoticesForm(PortalForm):
    """A box for each topic that can concern the person."""

    def __init__(self, data: Mapping[str, Any] | None, *, topics: list[Topic], unwanted: set[str]) -> None:
        super().__init__(data)
        for topic in topics:
            label, when = TOPICS[topic]
            self.fields[topic.value] = forms.BooleanField(
                label=label, help_text=when, required=False, initial=topic.value not in unwanted
            )


@signed_in
def choose(request: HttpRequest) -> HttpResponse:
    """Which notices the person gets."""
    user = person(request)
    held, unwanted = staff.permissions_of(user), mail_queries.unwanted_topics(user)
    hidden = {topic for topic, permission in STAFF_TOPICS.items() if permission not in held}
    topics = [topic for topic in TOPICS if topic not in hidden]
    form = NoticesForm(request.POST or None, topics=topics, unwanted=unwanted)
    if form.is_valid():
        wanted = [topic for topic, ticked in form.cleaned_data.items() if ticked]
        wanted += hidden - unwanted  # what was not asked is not chosen
        notice_choices.choose_notices(user=user, wanted=wanted, caller=caller(request), now=clock.now())
        messages.success(request, _("Your choice is saved."))
        return redirect("account")
    return respond(request, "account/notices.html", {}, form=form)


@signed_in
def calendar(request: HttpRequest) -> HttpResponse:
    """The address for a calendar program: shown once when it is made; a POST makes or revokes it."""
    user = person(request)
    address = ""
    if request.method == "POST":
        if "revoke" in request.POST:
            calendar_feeds.revoke_calendar_feed(user=user, caller=caller(request), now=clock.now())
            messages.success(request, _("The calendar address is revoked."))
            return redirect("calendar")
        token = calendar_feeds.make_calendar_feed(user=user, caller=caller(request), now=clock.now())
        address = f"{settings.PORTAL_ORIGINS[0]}/calendar/{token}.ics"
    context = {"address": address, "feed": calendar_feeds.calendar_feed_of(user)}
    return render(request, "account/calendar.html", context)
