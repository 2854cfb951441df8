"""What came of mails: for the admins of a company, and for support."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import mail_queries, queries, resending
from accounts.mail_kinds import KINDS
from accounts.models import Mail
from accounts.permissions import Permission
from accounts.requests import caller, person, signed_in, staff_only
from portal.core import clock
from portal.core.errors import DomainError

SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Line:
    """One mail in a list.

    label: its kind in words.
    company: the name of the company it concerns, "" for a personal one.
    again: whether its words are there to be sent once more.
    """

    mail: Mail
    label: str
    company: str = ""
    again: bool = False


@signed_in
def of_company(request: HttpRequest, company_id: int) -> HttpResponse:
    """The mails of the last 30 days that concern the company, for its admins; never what was in them."""
    company = queries.get_company(company_id=company_id, user=person(request), admin=True)
    found = mail_queries.mails_of(company, now=clock.now())
    lines = [Line(mail=mail, label=label_of(mail)) for mail in found[:SHOWN]]
    context = {"company": company, "lines": lines, "more": found.count() - len(lines)}
    return render(request, "accounts/company_mails.html", context)


@staff_only(Permission.LOOK)
def for_staff(request: HttpRequest) -> HttpResponse:
    """All mails, or those of a state or to an address."""
    state, to = request.GET.get("state", ""), request.GET.get("to", "").strip()
    found = mail_queries.all_mails(state=state, to=to)
    shown = list(found[:SHOWN])
    names = mail_queries.companies_named(shown)
    lines = [
        Line(
            mail=mail,
            label=label_of(mail),
            company=names.get(mail.company_id or 0, ""),
            again=mail.state != Mail.State.QUEUED and bool(mail.text and mail.to),
        )
        for mail in shown
    ]
    context: dict[str, Any] = {
        "lines": lines,
        "more": found.count() - len(lines),
        "state": state,
        "to": to,
        "states": Mail.State.values,
    }
    return render(request, "staff/mails.html", context)


@staff_only(Permission.LOOK, change=Permission.RESEND_MAILS)
def resend(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Send a mail once more; asked for by the button in the list."""
    mail = mail_queries.get_mail(mail_id)
    if request.method == "POST":
        try:
            resending.resend_mail(
                mail=mail, caller=caller(request, key=request.POST.get("act_key", "")), now=clock.now()
            )
        except DomainError as refusal:
            messages.error(request, f"{refusal.headline} {refusal.detail}")
        else:
            messages.success(request, _("The mail is queued once more, as a new one."))
    return redirect(f"{reverse('staff-mails')}?{urlencode({'to': mail.to})}")


def label_of(mail: Mail) -> str:
    """What sort of mail it is, in words."""
    kind = KINDS.get(mail.kind)  # a kind of an earlier release may not be there any more
    return str(kind.label) if kind else mail.kind
