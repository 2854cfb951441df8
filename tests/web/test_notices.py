"""The pages about what reaches people: notices, calendar, endings, and what came of mails."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts import mails, membership, tasks  # noqa: F401 - registers the handlers
from accounts.mail_kinds import STAFF_TOPICS, Topic
from accounts.models import CalendarFeed, Company, Mail, Membership, Project, UnwantedNotice, User
from portal.core import clock, outbox
from tests.factories import NOW, caller, join, make_device, make_token, make_user
from tests.operations.testing import created, downloaded
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today")
FOR_EVERYBODY = set(Topic) - set(STAFF_TOPICS)


class TestChoosing:
    def test_boxes_that_are_not_ticked_are_not_wanted(self, signed_in: SignedIn, alice: User) -> None:
        browser = signed_in(alice)
        assert browser.get(reverse("notices")).content.count(b" checked") == len(FOR_EVERYBODY)

        browser.post(reverse("notices"), {"returns": "on", "save": "1"})

        unwanted = set(UnwantedNotice.objects.values_list("topic", flat=True))
        assert unwanted == FOR_EVERYBODY - {Topic.RETURNS}
        assert browser.get(reverse("notices")).content.count(b" checked") == 1

    def test_without_a_single_tick_none_are_wanted(self, signed_in: SignedIn, alice: User) -> None:
        signed_in(alice).post(reverse("notices"), {"save": "1"})

        assert UnwantedNotice.objects.filter(user=alice).count() == len(FOR_EVERYBODY)

    def test_the_vendors_people_choose_also_what_is_for_them(self, staff: Client, sam: User) -> None:
        assert "Alerts for support" in staff.get(reverse("notices")).text

        staff.post(reverse("notices"), {"save": "1"})

        assert UnwantedNotice.objects.filter(user=sam).count() == len(Topic)


class TestMailsOfACompany:
    @pytest.fixture
    def invited(self, company: Company, alice: User) -> Mail:
        membership.invite_member(
            company=company,
            email="dora@example.com",
            role=Membership.Role.MEMBER,
            inviter=alice,
            caller=caller(alice),
            now=NOW,
        )
        return Mail.objects.get(kind="invitation")

    def page(self, browser: Client, company: Company) -> str:
        return browser.get(reverse("company-mails", args=[company.pk])).text

    def test_admins_see_whether_one_arrived_and_no_body(
        self, signed_in: SignedIn, alice: User, company: Company, invited: Mail
    ) -> None:
        browser = signed_in(alice)
        before = self.page(browser, company)
        outbox.work_off(clock=clock.now)
        after = self.page(browser, company)

        assert "dora@example.com" in before
        assert "Waiting" in before
        assert "Sent" in after
        assert "invitations/link" not in before + after

    def test_personal_ones_and_old_ones_are_not_there(
        self, signed_in: SignedIn, alice: User, company: Company, invited: Mail
    ) -> None:
        mails.write(
            "accounts/email/customer_link",
            to="secret@customer.example",
            language="en",
            context={},
            company_id=company.pk,
            now=NOW,
        )
        Mail.objects.filter(pk=invited.pk).update(written_at=NOW - timedelta(days=31))

        shown = self.page(signed_in(alice), company)

        assert "secret@customer.example" not in shown
        assert "dora@example.com" not in shown
        assert "No mails in the last 30 days" in shown


class TestMailsForSupport:
    def test_they_see_the_error_and_send_again(self, staff: Client, alice: User) -> None:
        mail = mails.write(
            "account/email/password_changed",
            to="dora@example.com",
            language="en",
            context={"owner": None},
            now=NOW,
        )
        Mail.objects.update(
            state="failed", next_try_at=None, ended_at=NOW, last_error="SMTPDataError: 554 not wanted"
        )
        assert "1 mail could not be delivered." in staff.get(reverse("staff")).text
        page = staff.get(reverse("staff-mails"), {"to": "DORA", "state": "failed"}).text
        assert "554 not wanted" in page
        assert mail.message_id.strip("<>") in page

        answer = staff.post(reverse("staff-mail-resend", args=[mail.pk]), {"act_key": "x"}, follow=True)

        assert "The mail is queued once more, as a new one." in answer.text
        assert Mail.objects.filter(state="queued", to="dora@example.com").count() == 1

    def test_a_refusal_is_said(self, staff: Client) -> None:
        mail = mails.write(
            "account/email/password_changed",
            to="dora@example.com",
            language="en",
            context={"owner": None},
            now=NOW,
        )

        answer = staff.post(reverse("staff-mail-resend", args=[mail.pk]), {"act_key": "x"}, follow=True)

        assert "The mail waits for its turn already." in answer.text
        assert Mail.objects.count() == 1

    def test_what_was_looked_for_and_is_not_there_leads_on(self, staff: Client) -> None:
        assert "No such mails" in staff.get(reverse("staff-mails"), {"to": "nobody@"}).text
        assert staff.post(reverse("staff-mail-resend", args=[10**12])).status_code == 404


class TestEndings:
    @pytest.fixture
    def hardware_id(self, project: Project, keyring: object) -> str:
        """Of a device whose test license ends in three months."""
        device = make_device(project=project)
        created(device)
        downloaded(device, now=NOW - timedelta(days=10))
        return device.hardware_id

    def test_what_ends_in_ninety_days_is_there_first_end_first(
        self, signed_in: SignedIn, alice: User, company: Company, hardware_id: str
    ) -> None:
        for name, days in (("Soon", 2), ("Late", 91)):
            make_token(company=company, maker=alice, name=name, expires_at=NOW + timedelta(days=days))

        page = signed_in(alice).get(reverse("endings")).text

        assert 0 < page.index("Soon") < page.index(hardware_id)
        assert "Late" not in page

    def test_tokens_are_shown_to_who_may_revoke_them(
        self, signed_in: SignedIn, alice: User, erin: User, company: Company, hardware_id: str
    ) -> None:
        make_token(company=company, maker=alice, name="Soon", expires_at=NOW + timedelta(days=2))

        page = signed_in(erin).get(reverse("endings")).text

        assert hardware_id in page
        assert "Soon" not in page

    def test_strangers_see_nothing(self, signed_in: SignedIn, charlie: User, hardware_id: str) -> None:
        page = signed_in(charlie).get(reverse("endings")).text

        assert "Nothing ends in the next 90 days" in page


class TestCalendar:
    def address(self, browser: Client) -> str:
        page = browser.post(reverse("calendar")).text
        return "/calendar/" + page.split("/calendar/", 1)[1].split(".ics", 1)[0] + ".ics"

    def test_a_program_reads_it_without_signing_in(
        self, signed_in: SignedIn, client: Client, alice: User, project: Project, keyring: object
    ) -> None:
        device = make_device(project=project)
        created(device)
        downloaded(device)

        answer = client.get(self.address(signed_in(alice)))

        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert "no-store" in answer.headers["Cache-Control"]
        text = answer.content.replace(b"\r\n ", b"").decode()
        assert f"SUMMARY:The test license of {device.hardware_id} ends" in text
        assert "DTSTART:20270224T120000Z" in text
        assert text == client.get(answer.wsgi_request.path).content.replace(b"\r\n ", b"").decode()

    def test_the_address_is_shown_once_and_kept_as_a_hash(self, signed_in: SignedIn, alice: User) -> None:
        browser = signed_in(alice)
        token = self.address(browser).removeprefix("/calendar/").removesuffix(".ics")

        assert token not in browser.get(reverse("calendar")).text
        assert token.encode() not in bytes(CalendarFeed.objects.get().token_sha256)

    def test_a_new_one_ends_the_old_and_revoking_ends_both(
        self, signed_in: SignedIn, client: Client, alice: User
    ) -> None:
        browser = signed_in(alice)
        old, new = self.address(browser), self.address(browser)
        assert [client.get(one).status_code for one in (old, new)] == [404, 200]

        browser.post(reverse("calendar"), {"revoke": "1"})

        assert client.get(new).status_code == 404
        assert not CalendarFeed.objects.exists()

    def test_of_somebody_who_may_not_sign_in_there_is_none(
        self, signed_in: SignedIn, client: Client, alice: User
    ) -> None:
        address = self.address(signed_in(alice))
        User.objects.filter(pk=alice.pk).update(is_active=False)

        assert client.get(address).status_code == 404

    def test_a_right_that_is_taken_away_takes_its_endings_out(
        self, signed_in: SignedIn, client: Client, company: Company, alice: User
    ) -> None:
        amir = make_user(name="Amir")
        join(user=amir, company=company, role=Membership.Role.ADMIN)
        make_token(company=company, maker=alice, name="Soon", expires_at=NOW + timedelta(days=2))
        address = self.address(signed_in(amir))
        assert "Soon" in client.get(address).text

        Membership.objects.filter(user=amir).delete()

        assert "Soon" not in client.get(address).text
