"""Notices: mails to those whom something concerns, who did not do it themselves and want to know.

Written in the transaction of what they tell of. Who wants which is chosen by topic (accounts.mail_kinds); a
kind without a topic goes to everybody.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import mails
from accounts.mail_kinds import KINDS
from accounts.mails import Letter
from accounts.models import ApiToken, Company, Membership, Project, ProjectRight, UnwantedNotice, User
from portal.core.acts import Caller


def admins_of(company_id: int) -> QuerySet[User]:
    """The admins of a company."""
    return User.objects.filter(
        Exists(
            Membership.objects.filter(user=OuterRef("pk"), company_id=company_id, role=Membership.Role.ADMIN)
        )
    )


def operators_of(project: Project) -> QuerySet[User]:
    """Who may operate a project: by a right in it, or as an admin of its company."""
    rights = ProjectRight.objects.filter(
        user=OuterRef("pk"),
        project=project,
        level__in=ProjectRight.Level.OPERATE.and_above,
    )
    admins = Membership.objects.filter(
        user=OuterRef("pk"), company=project.company_id, role=Membership.Role.ADMIN
    )
    return User.objects.filter(Q(Exists(rights)) | Q(Exists(admins)))


def tell(
    template: str,
    people: QuerySet[User],
    *,
    context: Mapping[str, Any],
    now: datetime,
    besides: int | None = None,
    company_id: int | None = None,
    project_id: int | None = None,
    page: str = "",
) -> int:
    """Write a notice to each of the people who wants it, in the current transaction. Returns to how many.

    The template gets `context`, the `name` of the reader, and as `url` the page to look at.

    :param besides: the user who did it, and need not be told; None for what is nobody's.
    :param page: the path of the page that shows more, like "/projects/7".
    """
    topic = KINDS[template.rpartition("/")[2].replace("_", "-")].topic
    wanted = people.filter(is_active=True, left_at=None)
    if besides is not None:
        wanted = wanted.exclude(pk=besides)
    if topic is not None:
        unwanted = UnwantedNotice.objects.filter(user=OuterRef("pk"), topic=topic)
        wanted = wanted.filter(~Exists(unwanted))
    url = f"{settings.PORTAL_ORIGINS[0]}{page}"
    letters = [
        Letter(
            to=person.email,
            language=person.language,
            context={**context, "name": person.get_full_name(), "url": url},
            recipient=person,
        )
        for person in wanted.order_by("pk")
    ]
    written = mails.write_all(template, letters, now=now, company_id=company_id, project_id=project_id)
    return len(written)


def member_joined(user: User, company: Company, *, now: datetime) -> None:
    """Tell the admins of a company that somebody accepted an invitation into it."""
    tell(
        "accounts/email/member_joined",
        admins_of(company.pk),
        context={"who": user.get_full_name(), "company": company.name},
        besides=user.pk,
        company_id=company.pk,
        page=f"/companies/{company.pk}/members",
        now=now,
    )


def member_left(user: User, company: Company, *, caller: Caller, now: datetime) -> None:
    """Tell the admins who are left that somebody left, or was taken out by one of them."""
    by_themselves = caller.user_id == user.pk
    tell(
        "accounts/email/member_left",
        admins_of(company.pk).exclude(pk=user.pk),
        context={
            "who": user.get_full_name(),
            "company": company.name,
            "removed_by": "" if by_themselves else caller.name,
        },
        besides=caller.user_id,
        company_id=company.pk,
        page=f"/companies/{company.pk}/members",
        now=now,
    )


def api_token_created(token: ApiToken, *, caller: Caller, now: datetime) -> None:
    """Tell the admins of a company that a program has a token: whoever holds it acts for the company."""
    company, project = token.company, token.project
    page = f"/projects/{project.pk}" if project else f"/companies/{company.pk}"
    tell(
        "accounts/email/api_token_created",
        admins_of(company.pk),
        context={
            "who": caller.name,
            "token": token.name,
            "company": company.name,
            "project": project.name if project else "",
            "scopes": token.scopes.replace(" ", ", "),
        },
        besides=caller.user_id,
        company_id=company.pk,
        project_id=project.pk if project else None,
        page=f"{page}/api-tokens",
        now=now,
    )
