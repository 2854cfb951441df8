"""The addresses of the staff pages about mails."""

from django.urls import path

from accounts.web import mails

urlpatterns = [
    path("mails", mails.for_staff, name="staff-mails"),
    path("mails/<int:mail_id>/resend", mails.resend, name="staff-mail-resend"),
]
