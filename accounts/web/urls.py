"""The addresses of people and companies in the browser."""

from django.urls import path

from accounts.web import companies, sign_in

urlpatterns = [
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("companies/new", companies.create_company, name="company-new"),
    path("companies/<int:company_id>/projects/new", companies.create_project, name="project-new"),
]
