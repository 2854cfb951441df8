from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Project, ProjectRight, User
from devices import enrollment
from devices.models import Device
from licenses.models import Acknowledged, LicenseDocument
from licenses.web import pasted
from tests import factories
from tests.factories import NOW
from tests.web.conftest import SignedIn

PASTED = """Hardware ID;Name
009033AA0001;City hospital
00-90-33-AA-00-02, "Town, hall"

nonsense;x
009033AA0001;again
0090.33aa.0003 North gate
"""


@pytest.fixture
def client(signed_in: SignedIn, alice: User) -> Client:
    return signed_in(alice)


class TestListOfDevices:
    def shown(self, client: Client, project: Project, **wanted: str) -> list[str]:
        page = client.get(reverse("project", args=[project.pk]), wanted)
        assert page.status_code == 200
        return [device.name for device in page.context["page"]]

    @pytest.fixture(autouse=True)
    def devices(self, project: Project) -> dict[str, Device]:
        """Of each sort one; their names are in another order than their hardware IDs."""
        factories.activated(project, {"Port": 10, "UC": 5, "Fax": 5, "Video": 5})
        made = {name: factories.make_device(project=project, name=name) for name in ("d", "c", "b", "a")}
        for name in ("c", "b", "a"):
            factories.assigned(made[name], 2)
        LicenseDocument.objects.filter(device__in=[made["b"], made["a"]]).update(
            handed_out_at=NOW, signed=b"signed", signed_under=1
        )
        enrollment.record_contact(device=made["a"], firmware="14r1", now=NOW)
        enrollment.record_contact(device=made["b"], firmware="14r1", now=NOW + timedelta(hours=1))
        Acknowledged.objects.create(device=made["a"], installed_seq=1, effective_seq=0, at=NOW)
        return made

    def test_it_is_narrowed_by_part_of_a_name_or_hardware_id(
        self, client: Client, project: Project, devices: dict[str, Device]
    ) -> None:
        assert self.shown(client, project, find="B") == [
            name
            for name, device in devices.items()
            if name == "b" or "B" in device.hardware_id.replace("-", "")
        ]
        assert self.shown(client, project, find=devices["c"].hardware_id.replace("-", ":").lower()) == ["c"]
        assert self.shown(client, project, find="nowhere") == []

    def test_it_is_narrowed_by_what_is_to_be_done(self, client: Client, project: Project) -> None:
        assert self.shown(client, project, show="without-licenses") == ["d"]
        assert self.shown(client, project, show="not-fetched") == ["c"]
        assert self.shown(client, project, show="waiting-for-reset") == ["a"]
        assert self.shown(client, project, show="silent") == ["d", "c"]
        assert self.shown(client, project, show="nonsense") == ["d", "c", "b", "a"]

    def test_it_is_sorted_either_way(self, client: Client, project: Project) -> None:
        assert self.shown(client, project, sort="name") == ["a", "b", "c", "d"]
        assert self.shown(client, project, sort="-id") == ["a", "b", "c", "d"]
        assert self.shown(client, project, sort="contact") == ["d", "c", "a", "b"]
        assert self.shown(client, project, sort="-contact") == ["b", "a", "d", "c"]
        assert self.shown(client, project, sort="nonsense") == ["d", "c", "b", "a"]

    def test_it_says_what_each_holds_and_waits_for(
        self, client: Client, project: Project, devices: dict[str, Device]
    ) -> None:
        for code in ("UC", "Fax", "Video"):
            factories.assigned(devices["b"], 1, code)
        text = client.get(reverse("project", args=[project.pk])).text
        assert "2 × Port 14" in text
        assert "and 1 more" in text
        assert text.count("Reset needed") == 1

    def test_its_pages_keep_what_it_is_narrowed_to(self, client: Client, project: Project) -> None:
        for _ in range(55):
            factories.make_device(project=project, name="Branch")
        page = client.get(reverse("project", args=[project.pk]), {"find": "bran", "sort": "-id"})
        assert 'href="?find=bran&amp;sort=-id&amp;page=2#devices"' in page.text
        assert "or to all 55 shown" in page.text


class TestPastedLists:
    def test_they_are_read_however_they_are_separated(self) -> None:
        lines = pasted.read(PASTED)
        assert [(line.number, line.hardware_id, line.name) for line in lines] == [
            (2, "009033AA0001", "City hospital"),
            (3, "00-90-33-AA-00-02", "Town, hall"),
            (5, "nonsense", "x"),
            (6, "009033AA0001", "again"),
            (7, "0090.33aa.0003", "North gate"),
        ]

    def test_a_hardware_id_with_blanks_is_one(self) -> None:
        [line] = pasted.read("00 90 33 aa 00 01 West wing")
        assert (line.hardware_id, line.name) == ("00 90 33 aa 00 01", "West wing")

    @pytest.mark.parametrize("name", ["", "Town; hall", 'The "old" mill', "a, b\tc", "  x", '"'])
    def test_what_is_written_is_read_again(self, name: str) -> None:
        [line] = pasted.read(pasted.write([("00-90-33-AA-00-01", name)]))
        assert (line.hardware_id, line.name) == ("00-90-33-AA-00-01", name.strip())


class TestAddingMany:
    def test_it_reports_each_bad_line_and_adds_the_others_once_when_that_is_confirmed(
        self, client: Client, project: Project
    ) -> None:
        address = reverse("project-add-many", args=[project.pk])
        page = client.post(address, {"devices": PASTED, "act_key": "k1"})
        assert page.status_code == 200
        assert [(number, device.refusal.code) for number, device in page.context["wrong"]] == [
            (5, "hardware-id-malformed"),
            (6, "device-listed-twice"),
        ]
        assert Device.objects.count() == 0
        confirmed = {"devices": page.context["list"], "act_key": "k1", "confirm": "1"}
        for _ in range(2):
            done = client.post(address, confirmed, follow=True)
            assert "3 devices added." in done.text
        assert sorted(Device.objects.values_list("name", flat=True)) == [
            "City hospital",
            "North gate",
            "Town, hall",
        ]

    def test_it_says_so_when_something_changed_before_the_confirmation(
        self, client: Client, project: Project
    ) -> None:
        factories.make_device(project=project, hardware_id="00-90-33-AA-00-01")
        given = {"devices": "009033AA0001\n009033AA0002", "act_key": "k1", "confirm": "1"}
        page = client.post(reverse("project-add-many", args=[project.pk]), given)
        assert page.status_code == 409
        assert "device-already-added" in page.text
        assert Device.objects.count() == 1

    def test_it_wants_a_list_of_some_length(self, client: Client, project: Project) -> None:
        address = reverse("project-add-many", args=[project.pk])
        many = "\n".join(f"0090330{n:05X}" for n in range(501))
        for given in (many, "Hardware ID"):
            page = client.post(address, {"devices": given, "act_key": "k1"})
            assert page.status_code == 400
            assert "device-list-out-of-range" in page.text

    def test_it_looks_at_five_hundred_lines_in_few_queries(
        self,
        client: Client,
        project: Project,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        many = "\n".join(f"0090330{n:05X}" for n in range(500))
        with django_assert_max_num_queries(12):
            page = client.post(
                reverse("project-add-many", args=[project.pk]), {"devices": many, "act_key": "k1"}
            )
        assert len(page.context["good"]) == 500


class TestAssigningToMany:
    @pytest.fixture
    def devices(self, project: Project) -> list[Device]:
        factories.activated(project, {"Port": 10})
        return [factories.make_device(project=project) for _ in range(3)]

    def post(self, client: Client, project: Project, devices: str, **given: str) -> Any:
        return client.post(
            reverse("project-assign", args=[project.pk]),
            {"devices": devices, "product": "Port/14", "quantity": "3", "act_key": "k1", **given},
        )

    def test_it_shows_the_numbers_and_assigns_once_when_that_is_confirmed(
        self,
        client: Client,
        project: Project,
        devices: list[Device],
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        listed = "\n".join(device.hardware_id.lower().replace("-", ":") for device in devices)
        with django_assert_max_num_queries(12):
            page = self.post(client, project, listed)
        assert [row[1:] for row in page.context["preview"].devices] == [(0, 3)] * 3
        assert (page.context["preview"].free_before, page.context["preview"].free_after) == (10, 1)
        assert factories.free(project) == 10
        for _ in range(2):
            done = self.post(client, project, page.context["list"], confirm="1")
            assert done.headers["Location"] == reverse("project", args=[project.pk])
        assert (factories.free(project), factories.free(devices[0])) == (1, 3)
        assert "assigned to each of 3 devices" in client.get(reverse("project", args=[project.pk])).text

    def test_it_says_what_is_missing_and_changes_nothing(
        self, client: Client, project: Project, devices: list[Device]
    ) -> None:
        listed = "\n".join(device.hardware_id for device in devices)
        for given in ({}, {"confirm": "1"}):
            page = self.post(client, project, listed, quantity="4", **given)
            assert page.status_code == 409
            assert "12 of Port 14 wanted, 10 free" in page.text
        assert factories.free(project) == 10

    def test_it_names_the_lines_that_are_no_device_of_the_project(
        self, client: Client, project: Project, devices: list[Device], charlie: User
    ) -> None:
        theirs = factories.make_device(project=factories.first_project(charlie.memberships.get().company))
        page = self.post(client, project, f"{devices[0].hardware_id}\n\nx;y\n{theirs.hardware_id}")
        assert page.status_code == 400
        assert "Line 3: “x” is no device" in page.text
        assert f"Line 4: “{theirs.hardware_id}” is no device" in page.text

    def test_it_begins_with_the_devices_that_were_chosen_or_shown(
        self, client: Client, project: Project, devices: list[Device]
    ) -> None:
        address = reverse("project-assign", args=[project.pk])
        chosen = [devices[0].hardware_id, devices[2].hardware_id]
        assert client.get(address, {"device": chosen}).context["form"]["devices"].value().split() == chosen
        shown = client.get(address, {"find": devices[1].hardware_id, "show": ""})
        assert shown.context["form"]["devices"].value() == devices[1].hardware_id
        assert client.get(address).context["form"]["devices"].value() == ""

    def test_whoever_may_only_look_sees_no_marks(
        self, signed_in: SignedIn, bob: User, project: Project, devices: list[Device]
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        page = signed_in(bob).get(reverse("project", args=[project.pk]))
        assert devices[0].hardware_id in page.text
        assert 'name="device"' not in page.text
