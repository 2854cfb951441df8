"""The test license on the pages of a device (mission rules 20 to 23)."""

import json

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import Project, ProjectRight, User
from devices.models import Device
from licenses import trial_queries
from licenses.models import TestLicense
from tests import factories
from tests.operations.testing import created, downloaded
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today", "keyring")


@pytest.fixture
def device(project: Project) -> Device:
    return factories.make_device(project=project)


@pytest.fixture
def erins(signed_in: SignedIn, erin: User) -> Client:
    """An end customer's browser, who may operate the one project."""
    return signed_in(erin)


def url(name: str, device: Device) -> str:
    return reverse(name, args=[device.hardware_id])


def asked(**change: str) -> dict[str, str]:
    return {"version": "14", "quantity": "7", "act_key": "k1", **change}


class TestCreating:
    def test_it_is_created_once_however_often_the_button_is_pressed(
        self, erins: Client, device: Device
    ) -> None:
        first, done = (erins.post(url("device-test-license", device), asked(), follow=True) for _ in range(2))

        assert "The test license is there." in first.text
        assert "The test license is there." in done.text
        test = TestLicense.objects.get()
        assert (test.version, test.slave, test.quantity) == (14, False, 7)
        assert "7 of each PBX license" in done.text
        assert "created a test license of version 14 for" in done.text

    def test_for_a_slave_without_a_number(self, erins: Client, device: Device) -> None:
        erins.post(url("device-test-license", device), asked(slave="on", quantity=""))

        assert "a slave: gateway licenses only" in erins.get(url("device", device)).text

    @pytest.mark.parametrize(
        ("change", "status", "says"),
        [
            ({"quantity": ""}, 400, "The number of PBX licenses must be from 1 to 100."),
            ({"quantity": "101"}, 400, "The number of PBX licenses must be from 1 to 100."),
            ({"slave": "on"}, 400, "has no number of PBX licenses"),
            ({"version": "9"}, 400, "There is no test license of version 9."),
            ({"version": "x"}, 400, "There is no test license of version 0."),
            ({"quantity": "many"}, 400, "Enter a whole number."),
        ],
    )
    def test_what_cannot_be_is_said_beside_the_field(
        self, erins: Client, device: Device, change: dict[str, str], status: int, says: str
    ) -> None:
        page = erins.post(url("device-test-license", device), asked(**change))

        assert page.status_code == status
        assert says in page.text
        assert not TestLicense.objects.exists()

    def test_a_second_one_is_refused_with_an_explanation(
        self, erins: Client, erin: User, device: Device
    ) -> None:
        created(device)
        ends = downloaded(device).ends_at
        assert ends is not None

        with time_machine.travel(ends, tick=False):
            erins.force_login(erin)  # a session does not outlast three months
            page = erins.post(url("device-test-license", device), asked())

        assert page.status_code == 409
        assert "it ended on 2027-02-24 12:00:00 (UTC)" in page.text
        assert "test-license-used" in page.text


class TestTheSection:
    def test_it_leads_to_creating_where_there_is_none(self, erins: Client, device: Device) -> None:
        assert url("device-test-license", device) in erins.get(url("device", device)).text

    def test_it_offers_somebody_who_may_only_look_nothing(
        self, signed_in: SignedIn, bob: User, project: Project, device: Device
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        created(device)

        page = signed_in(bob).get(url("device", device)).text

        assert "5 of each PBX license" in page
        for name in ("", "-change", "-withdraw", "-start"):
            assert url(f"device-test-license{name}", device) not in page

    def test_it_tells_while_it_waits_that_the_file_is_without_it(
        self, erins: Client, project: Project, device: Device
    ) -> None:
        factories.activated(project, {"Port": 1})
        factories.assigned(device)
        created(device)

        page = erins.get(url("device", device)).text

        assert "The test license that waits is not in this file." in page
        assert "Until then it is in no license document." in page

    def test_it_tells_when_it_ends_and_when_it_has_ended(
        self, erins: Client, erin: User, device: Device
    ) -> None:
        created(device)
        ends = downloaded(device).ends_at
        assert ends is not None

        running = erins.get(url("device", device))
        assert running.context["test"].state == "running"
        assert (running.context["grants"], running.context["listed"]) == ([], 15)
        assert "It has a test license, and nothing else" in running.text
        assert "2027-02-24T12:00:00" in running.text
        assert url("device-test-license-change", device) not in running.text
        with time_machine.travel(ends, tick=False):
            erins.force_login(erin)  # a session does not outlast three months
            ended = erins.get(url("device", device))
        assert ended.context["listed"] == 0
        assert "There is no other test license for this hardware ID." in ended.text


class TestStarting:
    def test_it_is_asked_first(self, erins: Client, device: Device) -> None:
        created(device)

        page = erins.get(url("device-test-license-start", device))

        assert "Start the three months now?" in page.text
        assert "nothing stops it" in page.text
        assert url("device-download", device) in page.text  # without it
        assert trial_queries.get_test_license(device).started_at is None

    def test_the_button_starts_it_and_is_the_file(self, erins: Client, device: Device) -> None:
        created(device)

        answer = erins.post(url("device-test-license-start", device), {"act_key": "k1"})

        assert answer.headers["Content-Disposition"] == f'attachment; filename="{device.hardware_id}-1.lic"'
        assert "license" in json.loads(answer.content)
        assert trial_queries.get_test_license(device).started_at == factories.NOW
        history = erins.get(url("device", device)).text
        assert "downloaded the test license of" in history
        assert "Feb. 24, 2027, noon UTC" in history

    def test_pressed_again_it_is_the_same_file(self, erins: Client, device: Device) -> None:
        created(device)
        first, second = (
            erins.post(url("device-test-license-start", device), {"act_key": "k1"}).content for _ in range(2)
        )

        assert first == second

    def test_there_is_nothing_to_ask_once_it_runs(self, erins: Client, device: Device) -> None:
        created(device)
        downloaded(device)

        answer = erins.get(url("device-test-license-start", device))

        assert answer.headers["Location"] == url("device", device)

    def test_the_file_without_it_starts_nothing(self, erins: Client, device: Device) -> None:
        created(device)

        answer = erins.post(url("device-download", device), {"act_key": "k1"})

        assert answer.status_code == 200
        assert trial_queries.get_test_license(device).started_at is None


class TestChangingAndWithdrawing:
    def test_the_form_shows_what_there_is(self, erins: Client, device: Device) -> None:
        created(device, version=13, quantity=9)

        page = erins.get(url("device-test-license-change", device)).text

        assert '<option value="13" selected>' in page
        assert 'value="9"' in page

    def test_it_is_changed(self, erins: Client, device: Device) -> None:
        created(device)

        done = erins.post(url("device-test-license-change", device), asked(version="13"), follow=True)

        assert "The test license is changed." in done.text
        assert trial_queries.get_test_license(device).version == 13

    def test_it_is_withdrawn_after_a_question(self, erins: Client, device: Device) -> None:
        created(device)
        assert "another one can be created" in erins.get(url("device-test-license-withdraw", device)).text

        done = erins.post(url("device-test-license-withdraw", device), {"act_key": "k1"}, follow=True)

        assert "The test license is withdrawn." in done.text
        assert trial_queries.test_license_of(device) is None

    def test_once_it_runs_both_are_refused(self, erins: Client, device: Device) -> None:
        created(device)
        downloaded(device)

        for name in ("change", "withdraw"):
            page = erins.post(url(f"device-test-license-{name}", device), asked())
            assert page.status_code == 409
            assert "was downloaded already" in page.text

    def test_where_there_is_none_there_is_nothing_to_change(self, erins: Client, device: Device) -> None:
        for name in ("change", "start"):
            page = erins.get(url(f"device-test-license-{name}", device))
            assert page.status_code == 404
            assert "has no test license" in page.text


def test_it_speaks_german(signed_in: SignedIn, erin: User, device: Device) -> None:
    created(device)

    page = signed_in(erin).get(url("device", device), headers={"Accept-Language": "de"}).text

    assert "je 5 von jeder PBX-Lizenz" in page
