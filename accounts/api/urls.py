"""Addresses under /api/v1/: people, companies, projects; and what describes the whole."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from accounts.api import reference_page, tokens, views

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
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("reference", reference_page.page, name="api-reference"),
]
