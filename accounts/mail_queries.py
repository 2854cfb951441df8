"""Mails, as those may see them whom they concern: admins of a company without bodies, support with errors."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.mail_kinds import KINDS
from accounts.models import Company, Mail, UnwantedNotice, User
from portal.core.errors import NotFound

SHOWN_TO_COMPANIES = timedelta(days=30)


class NoSuchMail(NotFound):
    code = "no-such-mail"
    title = _("There is no such mail.")
    why = _(
        "What is known of a mail is deleted 90 days after it was sent or given up: whom somebody wrote to is "
        "kept no longer than it helps to find out what went wrong."
    )
    way_out = _("Look for it in the list of mails.")


def mails_of(company: Company, *, now: datetime) -> QuerySet[Mail]:
    """The mails of the last 30 days that concern a company, the latest first; personal ones are not among
    them, whomever they went to."""
    personal = [name for name, kind in KINDS.items() if kind.personal]
    return (
        Mail.objects.filter(company_id=company.pk, written_at__gt=now - SHOWN_TO_COMPANIES)
        .exclude(kind__in=personal)
        .defer("text", "html")
        .order_by("-written_at", "-pk")
    )


def all_mails(*, state: str = "", to: str = "") -> QuerySet[Mail]:
    """All mails there are, the latest first, for support.

    :param state: "queued", "sent" or "failed"; anything else is all of them.
    :param to: part of an address.
    """
    found = Mail.objects.defer("html").order_by("-written_at", "-pk")
    if state in Mail.State.values:
        found = found.filter(state=state)
    return found.filter(to__icontains=to) if to else found


def not_delivered() -> QuerySet[Mail]:
    """The mails that were given up, but for those that nobody needs any more."""
    return Mail.objects.filter(state=Mail.State.FAILED).exclude(to="")


def get_mail(mail_id: int) -> Mail:
    """One mail, for support.

    :raises NoSuchMail: there is none, or not any more.
    """
    found = Mail.objects.filter(pk=mail_id).first()
    if found is None:
        raise NoSuchMail
    return found


def unwanted_topics(user: User) -> set[str]:
    """The topics of which a person gets no notices."""
    return set(UnwantedNotice.objects.filter(user=user).values_list("topic", flat=True))


def companies_named(mails: list[Mail]) -> dict[int, str]:
    """The names of the companies that mails concern, by id."""
    wanted = Q(pk__in={mail.company_id for mail in mails if mail.company_id is not None})
    return dict(Company.objects.filter(wanted).values_list("pk", "name"))
