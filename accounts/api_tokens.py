"""API tokens: what a program signs in with (docs/decisions/0016).

A token begins with `olp_`. It is shown once, to whoever made it; here is its hash (accounts.token_secrets).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import notices, token_secrets
from accounts.models import ApiToken, ApiTokenUse, Company, Project, User
from accounts.scopes import hold_company, hold_project
from accounts.token_secrets import NotATokenSecret
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid, Unauthenticated
from portal.core.models import Act

PREFIX = "olp_"
LONGEST_NAME = 100
USE_WRITTEN_AT_MOST_EVERY = timedelta(hours=1)
SCOPES_OF_A_COMPANY = tuple(ApiToken.Scope.values)
# Keys are never activated, nor the company's balance touched, by somebody who has but a project.
SCOPES_OF_A_PROJECT = (ApiToken.Scope.READ, ApiToken.Scope.OPERATE, ApiToken.Scope.MANAGE)


class ApiTokenNeedsAName(Invalid):
    code = "api-token-needs-a-name"
    title = _("An API token needs a name.")
    why = _("A program has no face: its name is what histories show beside everything it did.")
    way_out = _("Enter a name of at most 100 characters, for example of the program that will use it.")
    source = "mission rule 38"


class ApiTokenNameTaken(Conflict):
    code = "api-token-name-taken"
    title = _("The company has an API token named “%(name)s” already.")
    why = _("Two tokens of one name could not be told apart in the histories of the company.")
    way_out = _("Choose another name, or revoke the token of that name first.")
    source = "mission rule 38"


class ApiTokenScopeUnknown(Invalid):
    code = "api-token-scope-unknown"
    title = _("An API token of this kind cannot have the scope “%(scope)s”.")
    why = _(
        "A token does only what it was given. A word that the portal does not know could one day come to "
        "mean more than you meant."
    )
    way_out = _("Choose among these: %(known)s.")


class ApiTokenEndsInThePast(Invalid):
    code = "api-token-ends-in-the-past"
    title = _("The API token would have ended already.")
    why = _("Such a token would never work, and the program that got it would fail without telling why.")
    way_out = _("Choose an end in the future, or none.")


class ApiTokenNotValid(Unauthenticated):
    """Mistyped, unknown, revoked and ended get one answer."""

    code = "api-token-not-valid"
    title = _("The API token is not valid: it is unknown, was revoked, or has ended.")
    why = _(
        "Whoever holds a token acts for the company. Which of the reasons it is would help those who try "
        "stolen or invented ones, so they all get one answer."
    )
    way_out = _("Ask whoever gave it to you for a new one. Send it as “Authorization: Bearer olp_…”.")
    source = "RFC 6750, section 3.1"


@dataclass(frozen=True, kw_only=True)
class MadeToken:
    """A token that was made, and its text; None for whoever asks again: it is shown once."""

    api_token: ApiToken
    secret: str | None


@transaction.atomic(durable=True)
def create_api_token(
    *,
    company: Company,
    project: Project | None = None,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    maker: User,
    caller: Caller,
    now: datetime,
) -> MadeToken:
    """Make a token for a company, or for one project of it. Every token may `read`.

    :raises ApiTokenNeedsAName: the name is empty or too long.
    :raises ApiTokenScopeUnknown: there is no such scope, or not for a project's token.
    :raises ApiTokenEndsInThePast: its end is not in the future.
    :raises CompanyImported: the company is only a name by now.
    :raises ProjectArchived: nothing may come into the project any more.
    :raises ApiTokenNameTaken: a token of the company that is not revoked has the name.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise ApiTokenNeedsAName
    known = SCOPES_OF_A_PROJECT if project else SCOPES_OF_A_COMPANY
    for scope in scopes:
        if scope not in known:
            raise ApiTokenScopeUnknown(scope=scope[:40], known=", ".join(known))
    granted = " ".join(scope for scope in known if scope in scopes or scope == ApiToken.Scope.READ)
    act = acts.begin(
        operation="create-api-token",
        caller=caller,
        given={
            "company": company.pk,
            "project": project.pk if project else None,
            "name": name,
            "scopes": granted,
            "expires_at": expires_at.isoformat() if expires_at else None,
            "maker": maker.pk,
        },
        now=now,
    )
    if act.outcome is not None:
        made = ApiToken.objects.select_related("company", "project", "made_by", "use")
        return MadeToken(api_token=made.get(pk=act.outcome["api_token"]), secret=None)
    if expires_at is not None and expires_at <= now:
        raise ApiTokenEndsInThePast
    if project is None:
        hold_company(company)
    else:
        project = hold_project(project)
        company = project.company  # it may have come over to another one meanwhile
    secret = token_secrets.make(PREFIX)
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            token = ApiToken.objects.create(
                company=company,
                project=project,
                name=name,
                scopes=granted,
                secret_sha256=secret.sha256,
                last_four=secret.last_four,
                made_by=maker,
                made_at=now,
                expires_at=expires_at,
            )
    except IntegrityError as error:
        raise ApiTokenNameTaken(name=name) from error
    _record("api-token-created", token, act=act, caller=caller, now=now)
    notices.api_token_created(token, caller=caller, now=now)
    acts.finish(act, outcome={"api_token": token.pk})
    return MadeToken(api_token=token, secret=secret.text)


@transaction.atomic(durable=True)
def revoke_api_token(*, api_token: ApiToken, caller: Caller, now: datetime) -> ApiToken:
    """End a token for good. Of one that is revoked already nothing changes."""
    act = acts.begin(operation="revoke-api-token", caller=caller, given={"api_token": api_token.pk}, now=now)
    tokens = ApiToken.objects.select_related("company", "project", "made_by", "use")
    if act.outcome is not None:
        return tokens.get(pk=api_token.pk)
    # The condition in the UPDATE lets one of two at once tell of it.
    if ApiToken.objects.filter(pk=api_token.pk, revoked_at=None).update(revoked_at=now):
        _record("api-token-revoked", api_token, act=act, caller=caller, now=now)
    acts.finish(act, outcome={})
    return tokens.get(pk=api_token.pk)


def find_by_secret(secret: str, *, now: datetime) -> ApiToken:
    """The token that a program sent.

    :raises ApiTokenNotValid: there is none of that text, or it was revoked, or its end has come.
    """
    try:
        sha256 = token_secrets.sha256_of(secret, prefix=PREFIX)
    except NotATokenSecret as error:
        raise ApiTokenNotValid from error
    token = (
        ApiToken.objects.select_related("company", "project", "made_by", "use")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), secret_sha256=sha256)
        .filter(revoked_at=None)
        .first()
    )
    if token is None:
        raise ApiTokenNotValid
    return token


@transaction.atomic(durable=True)
def record_use(*, api_token: ApiToken, now: datetime) -> None:
    """Remember when the token was last used, at most once an hour."""
    use = getattr(api_token, "use", None)
    if use is None or now - use.last_at >= USE_WRITTEN_AT_MOST_EVERY:
        ApiTokenUse.objects.update_or_create(api_token=api_token, defaults={"last_at": now})


def _record(event: str, token: ApiToken, *, act: Act, caller: Caller, now: datetime) -> None:
    audit.record(
        event,
        caller=caller,
        now=now,
        act=act,
        company_id=token.company_id,
        project_id=token.project_id,
        name=token.name,
        scopes=token.scopes,
    )
