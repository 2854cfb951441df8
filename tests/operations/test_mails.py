"""Mails: rows with a text and a page, sent once or given up, and what is kept of them."""

import smtplib
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction

from accounts import leaving, mails, membership, tasks  # noqa: F401 - registers the worker's handlers
from accounts.mail_kinds import KINDS, TOPICS, Topic
from accounts.models import Company, Mail, Membership, User
from portal.core import outbox
from portal.core.models import OutboxJob
from tests.factories import NOW, caller

LINK = "https://licenses.example.com/confirm-address/MQ:1abc:secret-of-the-link"
TO = "dora@example.com"
TEMPLATES = Path(__file__).resolve().parents[2] / "portal" / "templates"
pytestmark = pytest.mark.django_db


def write(**changes: Any) -> Mail:
    context = {"activate_url": LINK, "owner": None, **changes}
    return mails.write(
        "account/email/email_confirmation_signup", to=TO, language="en", context=context, now=NOW
    )


def work_off(after: timedelta = timedelta()) -> int:
    return outbox.work_off(clock=lambda: NOW + after)


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
        written = write()
        assert LINK in written.text.splitlines()
        assert f'href="{LINK}"' in written.html
        assert "<p>Hello,</p>" in written.html

    def test_the_page_has_its_styles_in_one_place(self) -> None:
        assert "<style>" in write().html
        assert "style=" not in write().html

    def test_what_people_are_called_does_no_harm_in_the_page(self) -> None:
        class Owner:
            get_full_name = "<b>Bold</b> & Co"

        written = write(owner=Owner())
        assert "Hello <b>Bold</b> & Co," in written.text
        assert "&lt;b&gt;Bold&lt;/b&gt; &amp; Co" in written.html

    def test_each_has_a_message_id_of_its_own_from_the_first_moment(self) -> None:
        ids = {write().message_id, write().message_id}

        assert len(ids) == 2
        assert all(one.startswith("<") and one.endswith("@localhost>") for one in ids)

    def test_one_of_a_rolled_back_business_is_not_there(self) -> None:
        with transaction.atomic():
            write()
            transaction.set_rollback(True)

        assert not Mail.objects.exists()
        assert work_off() == 0

    def test_it_speaks_the_language_of_whoever_gets_it(self) -> None:
        written = mails.write(
            "account/email/password_changed", to=TO, language="de", context={"owner": None}, now=NOW
        )

        assert "Guten Tag" in written.text
        assert '<html lang="de">' in written.html


class TestSending:
    def test_it_goes_out_once_under_the_message_id_of_its_row(self) -> None:
        written = write()
        assert work_off() == 1
        assert work_off() == 0
        [message] = mail.outbox
        assert (message.to, message.subject) == ([TO], "Activate your account")
        assert message.message()["Message-ID"] == written.message_id
        assert message.message()["Auto-Submitted"] == "auto-generated"
        written.refresh_from_db()
        assert (written.state, written.attempts, written.ended_at) == ("sent", 1, NOW)
        assert not OutboxJob.objects.exists()

    def test_a_job_that_runs_twice_sends_once(self) -> None:
        written = write()

        mails.send(mail_id=written.pk, now=NOW)
        mails.send(mail_id=written.pk, now=NOW)

        assert len(mail.outbox) == 1

    def test_a_body_with_a_secret_is_erased_and_others_stay(self) -> None:
        secret = write()
        plain = mails.write(
            "account/email/password_changed", to=TO, language="en", context={"owner": None}, now=NOW
        )
        work_off()

        secret.refresh_from_db()
        plain.refresh_from_db()

        assert (secret.text, secret.html) == ("", "")
        assert "The password of your account was changed." in plain.text

    def test_a_server_that_is_away_is_tried_again(
        self, grumpy: type[Grumpy], settings: LazySettings, caplog: pytest.LogCaptureFixture
    ) -> None:
        grumpy.refusal = ConnectionRefusedError("mail server away")
        written = write()
        work_off()
        written.refresh_from_db()
        assert (written.state, written.attempts) == ("queued", 1)
        assert written.last_error == "ConnectionRefusedError: mail server away"
        assert written.next_try_at == NOW + timedelta(seconds=2) == OutboxJob.objects.get().due_at
        assert "secret-of-the-link" not in caplog.text
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        work_off(timedelta(minutes=1))
        [message] = mail.outbox
        assert message.message()["Message-ID"] == written.message_id

    def test_the_pause_doubles_up_to_an_hour_and_then_it_is_given_up(self, grumpy: type[Grumpy]) -> None:
        grumpy.refusal = ConnectionRefusedError("mail server away")
        written = write()
        moment, pauses = NOW, []
        while outbox.work_off(clock=lambda: moment):  # noqa: B023
            written.refresh_from_db()
            if written.next_try_at is None:
                break
            pauses.append((written.next_try_at - moment).total_seconds())
            moment = written.next_try_at

        assert pauses[:4] == [2, 4, 8, 16]
        assert pauses[-1] == 3600
        assert written.state == "failed"
        assert timedelta() < moment - (NOW + mails.KEPT) <= timedelta(hours=1)
        assert written.last_error == "ConnectionRefusedError: mail server away"
        assert not OutboxJob.objects.exists()

    @pytest.mark.parametrize(
        "refusal",
        [
            smtplib.SMTPRecipientsRefused({TO: (452, b"mailbox full")}),
            smtplib.SMTPDataError(451, b"try again later"),
            smtplib.SMTPServerDisconnected("gone"),
            TimeoutError("timed out"),
        ],
    )
    def test_what_is_refused_for_now_is_tried_again(self, grumpy: type[Grumpy], refusal: Exception) -> None:
        grumpy.refusal = refusal
        written = write()
        work_off()
        written.refresh_from_db()
        assert (written.state, OutboxJob.objects.count()) == ("queued", 1)

    @pytest.mark.parametrize(
        "refusal",
        [
            smtplib.SMTPRecipientsRefused({TO: (550, f"no user {TO}".encode())}),
            smtplib.SMTPDataError(554, b"not wanted"),
            UnicodeEncodeError("ascii", "ü", 0, 1, "no such letter"),
        ],
    )
    def test_what_is_refused_for_good_is_given_up(
        self, grumpy: type[Grumpy], refusal: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        grumpy.refusal = refusal
        written = write()
        work_off()
        written.refresh_from_db()
        assert (written.state, written.text, OutboxJob.objects.count()) == ("failed", "", 0)
        assert "mail given up" in caplog.text
        assert TO not in caplog.text
        assert TO not in written.last_error

    def test_a_mail_older_than_its_links_is_given_up(self, caplog: pytest.LogCaptureFixture) -> None:
        written = write()
        work_off(mails.KEPT + timedelta(seconds=1))
        written.refresh_from_db()
        assert (mail.outbox, written.state, OutboxJob.objects.count()) == ([], "failed", 0)
        assert "secret-of-the-link" not in caplog.text


class TestForgetting:
    def test_who_leaves_gets_a_last_mail_and_nothing_of_them_stays(self, alice: User) -> None:
        mails.write(
            "account/email/password_changed",
            to=alice.email,
            language="en",
            context={"owner": alice},
            recipient=alice,
            now=NOW,
        )
        work_off()
        address = alice.email
        leaving.delete_account(user=alice, caller=caller(alice), now=NOW)

        work_off()

        assert mail.outbox[-1].to == [address]
        kept = Mail.objects.values_list("to", "subject", "text", "html")
        assert set(kept) == {("", "", "", "")}
        assert len(kept) == 2

    def test_an_invitation_that_ended_is_not_sent_any_more_and_its_address_is_forgotten(
        self, alice: User, company: Company
    ) -> None:
        invitation = membership.invite_member(
            company=company,
            email=TO,
            role=Membership.Role.MEMBER,
            inviter=alice,
            caller=caller(alice),
            now=NOW,
        )
        membership.withdraw_invitation(invitation=invitation, caller=caller(alice), now=NOW)

        work_off()

        [row] = Mail.objects.filter(kind="invitation")
        assert (row.to, row.text, row.state) == ("", "", "failed")
        assert mail.outbox == []

    def test_rows_that_ended_long_ago_are_deleted_and_waiting_ones_stay(self, grumpy: type[Grumpy]) -> None:
        grumpy.refusal = smtplib.SMTPDataError(554, b"not wanted")
        write()
        work_off()
        waiting = write()

        mails.forget_old(now=NOW + mails.ROWS_KEPT)
        assert Mail.objects.count() == 2
        mails.forget_old(now=NOW + mails.ROWS_KEPT + timedelta(seconds=1))

        assert list(Mail.objects.all()) == [waiting]


class TestKinds:
    def test_every_template_of_a_mail_has_a_kind_and_every_kind_a_template(self) -> None:
        templates = {
            path.name.removesuffix("_subject.txt").replace("_", "-")
            for path in TEMPLATES.rglob("email/*_subject.txt")
        }

        assert templates == set(KINDS)

    def test_every_topic_is_explained_and_has_a_kind(self) -> None:
        assert set(TOPICS) == set(Topic)
        assert {kind.topic for kind in KINDS.values() if kind.topic} == set(Topic)

    def test_nobody_can_do_without_what_is_about_their_safety(self) -> None:
        assert [name for name, kind in KINDS.items() if kind.personal and kind.topic] == []
        assert [name for name, kind in KINDS.items() if kind.secret and kind.topic] == []
