"""What the portal knows of a person, whole, for that person (the right to one's data)."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from accounts.models import (
    ApiToken,
    CalendarFeed,
    Invitation,
    Mail,
    Membership,
    ProjectRight,
    StaffRole,
    TermsAcceptance,
    UnwantedNotice,
    User,
)
from portal.core.models import AuditEntry


def everything_about(user: User) -> dict[str, Any]:
    """One value for each kind of row that names the person: plain values and instants, no secret.

    Of passwords, keys of second factors and sessions it holds that they exist, and since when.
    """
    return {
        "account": {
            "id": user.pk,
            "email": user.email,
            "forename": user.forename,
            "surname": user.surname,
            "language": user.language,
            "registered_at": user.registered_at,
            "last_sign_in": user.last_login,
            "staff": user.is_staff,
        },
        "staff_roles": list(StaffRole.objects.filter(user=user).order_by("role").values("role", "given_at")),
        "email_addresses": list(
            EmailAddress.objects.filter(user=user).order_by("pk").values("email", "verified", "primary")
        ),
        "terms_accepted": list(
            TermsAcceptance.objects.filter(user=user).order_by("at").values("version", "at")
        ),
        "second_factors": list(
            Authenticator.objects.filter(user=user)
            .order_by("pk")
            .values("type", "created_at", "last_used_at")
        ),
        "sessions": list(
            UserSession.objects.filter(user=user)
            .order_by("created_at")
            .values("created_at", "last_seen_at", "ip", "user_agent")
        ),
        "memberships": [
            {"company": row.company.name, "role": row.role, "since": row.joined_at}
            for row in Membership.objects.filter(user=user).select_related("company").order_by("pk")
        ],
        "rights": [
            {"company": row.project.company.name, "project": row.project.name, "right": row.level}
            for row in ProjectRight.objects.filter(user=user)
            .select_related("project__company")
            .order_by("pk")
        ],
        "invitations": [
            {
                "company": row.company.name,
                "project": row.project.name if row.project else None,
                "role": row.role,
                "right": row.level,
                "since": row.invited_at,
            }
            for row in Invitation.objects.filter(email__iexact=user.email, ended_at__isnull=True)
            .select_related("company", "project")
            .order_by("pk")
        ],
        "api_tokens": list(
            ApiToken.objects.filter(made_by=user)
            .order_by("pk")
            .values("company__name", "project__name", "name", "scopes", "made_at", "expires_at", "revoked_at")
        ),
        "mails": list(
            Mail.objects.filter(recipient=user)
            .order_by("pk")
            .values("kind", "to", "subject", "written_at", "state", "ended_at")
        ),
        "notices_not_wanted": list(
            UnwantedNotice.objects.filter(user=user).order_by("topic").values_list("topic", flat=True)
        ),
        "calendar_address_since": CalendarFeed.objects.filter(user=user)
        .values_list("made_at", flat=True)
        .first(),
        "history": list(
            AuditEntry.objects.filter(actor=user)
            .order_by("at", "pk")
            .values("at", "event", "address", "company_id", "project_id", "hardware_id", "facts")
        ),
    }
