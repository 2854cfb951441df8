"""Addresses under /api/v1/: people, companies, projects; and what describes the whole."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from accounts.api import customers, long_jobs, members, reference_page, rights, tokens, views

urlpatterns = [
    path("me", views.Me.as_view(), name="api-me"),
    path("companies", views.Companies.as_view(), name="api-companies"),
    path("companies/<int:company_id>/projects", views.CompanyProjects.as_view(), name="api-company-projects"),
    path("projects", views.Projects.as_view(), name="api-projects"),
    path("projects/<int:project_id>", views.OneProject.as_view(), name="api-project"),
    path("token", tokens.OwnToken.as_view(), name="api-own-token"),
    path("companies/<int:company_id>/api-tokens", tokens.CompanyTokens.as_view(), name="api-company-tokens"),
    path("projects/<int:project_id>/api-tokens", tokens.ProjectTokens.as_view(), name="api-project-tokens"),
    path("api-tokens/<int:token_id>", tokens.OneToken.as_view(), name="api-token"),
    path("companies/<int:company_id>/members", members.Members.as_view(), name="api-members"),
    path(
        "companies/<int:company_id>/members/<int:user_id>/role",
        members.MemberRole.as_view(),
        name="api-member-role",
    ),
    path(
        "companies/<int:company_id>/members/<int:user_id>/remove",
        members.MemberRemoval.as_view(),
        name="api-member-remove",
    ),
    path("companies/<int:company_id>/leave", members.Leaving.as_view(), name="api-company-leave"),
    path(
        "companies/<int:company_id>/invitations",
        members.CompanyInvitations.as_view(),
        name="api-company-invitations",
    ),
    path("invitations", members.MyInvitations.as_view(), name="api-my-invitations"),
    path(
        "invitations/<int:invitation_id>/resend",
        members.InvitationResending.as_view(),
        name="api-invitation-resend",
    ),
    path(
        "invitations/<int:invitation_id>/withdraw",
        members.InvitationWithdrawal.as_view(),
        name="api-invitation-withdraw",
    ),
    path(
        "invitations/<int:invitation_id>/accept",
        members.InvitationAcceptance.as_view(),
        name="api-invitation-accept",
    ),
    path(
        "invitations/<int:invitation_id>/decline",
        members.InvitationRefusal.as_view(),
        name="api-invitation-decline",
    ),
    path("projects/<int:project_id>/settings", rights.ProjectSettings.as_view(), name="api-project-settings"),
    path("projects/<int:project_id>/rights", rights.Rights.as_view(), name="api-rights"),
    path(
        "projects/<int:project_id>/rights/<int:user_id>/withdraw",
        rights.RightWithdrawal.as_view(),
        name="api-right-withdraw",
    ),
    path(
        "projects/<int:project_id>/invitations",
        rights.ProjectInvitations.as_view(),
        name="api-project-invitations",
    ),
    path("customers/look-up", customers.CustomerLookUp.as_view(), name="api-customer-look-up"),
    path(
        "companies/<int:company_id>/customer",
        customers.CustomerLinkMail.as_view(),
        name="api-company-customer",
    ),
    path("background/<uuid:job_id>", long_jobs.OneJob.as_view(), name="api-long-job"),
    path("background/<uuid:job_id>/cancel", long_jobs.Cancellation.as_view(), name="api-long-job-cancel"),
    path("background/<uuid:job_id>/result", long_jobs.Result.as_view(), name="api-long-job-result"),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("reference", reference_page.page, name="api-reference"),
]
