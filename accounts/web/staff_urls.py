"""The addresses of the staff pages about people and mails."""

from django.urls import path

from accounts.web import mails, person_blocking, reason_templates, staff_people, staff_tokens

urlpatterns = [
    path("mails", mails.for_staff, name="staff-mails"),
    path("mails/<int:mail_id>/resend", mails.resend, name="staff-mail-resend"),
    path("reasons", reason_templates.templates, name="staff-reasons"),
    path("reasons/<int:template_id>", reason_templates.template, name="staff-reason"),
    path("tokens", staff_tokens.tokens, name="staff-vendor-tokens"),
    path("tokens/<int:token_id>/revoke", staff_tokens.revoke, name="staff-vendor-token-revoke"),
    path("people/<int:user_id>/block", person_blocking.block, name="staff-person-block"),
    path("roles", staff_people.roles, name="staff-roles"),
    path("second-factor", staff_people.second_factor, name="staff-second-factor"),
]
