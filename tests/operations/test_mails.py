"""Mails: rows of the outbox, a text and a page, sent once or given up."""

import smtplib
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from accounts import mails, tasks  # noqa: F401 - registers the worker's handlers
from portal.core import outbox
from portal.core.models import OutboxJob
from tests.factories import NOW

LINK = "https://licenses.example.com/confirm-address/MQ:1abc:secret-of-the-link"
TO = "dora@example.com"
pytestmark = pytest.mark.django_db


def write(**changes: Any) -> None:
    context = {"activate_url": LINK, "owner": None, **changes}
    mails.write("account/email/email_confirmation_signup", to=TO, language="en", context=context, now=NOW)


class Grumpy(EmailBackend):
    """A mail server that answers with `refusal`."""

    refusal: ClassVar[Exception]

    def send_messages(self, messages: Any) -> int:
        raise self.refusal


@pytest.fixture
def grumpy(settings: LazySettings) -> type[Grumpy]:
    settings.EMAIL_BACKEND = f"{__name__}.Grumpy"
    return Grumpy


class TestWriting:
    def test_the_page_is_made_of_the_text(self) -> None:
        write()
        arguments = OutboxJob.objects.get().arguments
        assert LINK in arguments["text"].splitlines()
        assert f'href="{LINK}"' in arguments["html"]
        assert "<p>Hello,</p>" in arguments["html"]

    def test_what_people_are_called_does_no_harm_in_the_page(self) -> None:
        class Owner:
            get_full_name = "<b>Bold</b> & Co"

        write(owner=Owner())
        arguments = OutboxJob.objects.get().arguments
        assert "Hello <b>Bold</b> & Co," in arguments["text"]
        assert "&lt;b&gt;Bold&lt;/b&gt; &amp; Co" in arguments["html"]


class TestSending:
    def test_it_goes_out_once_and_leaves_nothing_behind(self) -> None:
        write()
        assert outbox.work_off(clock=lambda: NOW) == 1
        assert outbox.work_off(clock=lambda: NOW) == 0
        [message] = mail.outbox
        assert (message.to, message.subject) == ([TO], "Activate your account")
        assert OutboxJob.objects.count() == 0

    def test_a_server_that_is_away_is_tried_again(
        self, grumpy: type[Grumpy], settings: LazySettings, caplog: pytest.LogCaptureFixture
    ) -> None:
        grumpy.refusal = ConnectionRefusedError("mail server away")
        write()
        outbox.work_off(clock=lambda: NOW)
        job = OutboxJob.objects.get()
        assert (job.attempts, job.last_error) == (1, "ConnectionRefusedError: mail server away")
        assert "secret-of-the-link" not in caplog.text
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        outbox.work_off(clock=lambda: NOW + timedelta(minutes=1))
        assert len(mail.outbox) == 1

    def test_an_address_that_is_full_for_now_is_tried_again(self, grumpy: type[Grumpy]) -> None:
        grumpy.refusal = smtplib.SMTPRecipientsRefused({TO: (452, b"mailbox full")})
        write()
        outbox.work_off(clock=lambda: NOW)
        assert OutboxJob.objects.count() == 1

    def test_an_address_that_is_refused_for_good_is_given_up(
        self, grumpy: type[Grumpy], caplog: pytest.LogCaptureFixture
    ) -> None:
        grumpy.refusal = smtplib.SMTPRecipientsRefused({TO: (550, b"no such user")})
        write()
        outbox.work_off(clock=lambda: NOW)
        assert OutboxJob.objects.count() == 0
        assert "mail given up" in caplog.text
        assert TO not in caplog.text

    def test_a_mail_older_than_its_links_is_given_up(self, caplog: pytest.LogCaptureFixture) -> None:
        write()
        outbox.work_off(clock=lambda: NOW + mails.KEPT + timedelta(seconds=1))
        assert (mail.outbox, OutboxJob.objects.count()) == ([], 0)
        assert "secret-of-the-link" not in caplog.text
