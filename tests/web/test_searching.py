import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, Project, User
from licenses import activation, company_import
from licenses.models import ActivationKey
from tests import factories
from tests.web.conftest import SignedIn

URL = "/search"
HARDWARE_ID = "00-90-33-01-0A-FF"


@pytest.fixture
def world(company: Company, project: Project, charlie: User) -> None:
    """Something of every sort of Alice's company, and the same of Charlie's."""
    factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Münster, main building")
    factories.make_device(project=project, hardware_id="00-90-33-FF-00-01")
    key = factories.make_key(number="SO-4711")
    activation.activate_key(code=key, target=project, caller=factories.caller(), now=factories.NOW)
    factories.make_project(company=company, name="Town hall")
    theirs = factories.first_project(charlie.memberships.get().company)
    factories.make_device(project=theirs, hardware_id="00-90-33-01-0A-FE", name="main building")
    factories.activated(theirs)
    factories.make_project(company=theirs.company, name="Town hall of theirs")


def last_of(number: str) -> str:
    return ActivationKey.objects.get(order__number=number).last_four


@pytest.mark.usefixtures("world")
class TestSearch:
    @pytest.mark.parametrize("typed", ["01-0a", "010AF", "01:0a:f", "01.0af", "main build", "0-9033010A"])
    def test_it_finds_devices_by_part_of_their_hardware_id_or_name(
        self, typed: str, signed_in: SignedIn, alice: User
    ) -> None:
        page = signed_in(alice).get(URL, {"q": typed})
        assert [device.hardware_id for device in page.context["found"].devices] == [HARDWARE_ID]
        assert reverse("device", args=[HARDWARE_ID]) in page.text

    @pytest.mark.parametrize("typed", ["4711", "so-47", "reference of SO-4711"])
    def test_it_finds_keys_by_order_and_reference(self, typed: str, signed_in: SignedIn, alice: User) -> None:
        [key] = signed_in(alice).get(URL, {"q": typed}).context["found"].keys
        assert key.order.number == "SO-4711"

    def test_it_finds_keys_by_their_last_characters(self, signed_in: SignedIn, alice: User) -> None:
        last = last_of("SO-4711")
        for typed in (last, f"…{last.lower()}", last[-2:], f"-A{last}"):
            found = signed_in(alice).get(URL, {"q": typed}).context["found"].keys
            assert "SO-4711" in {key.order.number for key in found}, typed

    def test_it_finds_projects_by_part_of_their_name(self, signed_in: SignedIn, alice: User) -> None:
        page = signed_in(alice).get(URL, {"q": "town H"})
        assert [project.name for project in page.context["found"].projects] == ["Town hall"]

    def test_it_shows_an_end_customer_their_project_and_no_key(
        self, signed_in: SignedIn, erin: User, bob: User
    ) -> None:
        client = signed_in(erin)
        assert client.get(URL, {"q": "010A"}).context["found"].devices
        assert not client.get(URL, {"q": "SO-4711"}).context["found"]
        assert not client.get(URL, {"q": "town"}).context["found"]
        # A member without a right in the project sees neither its devices nor the keys that filled it.
        assert not signed_in(bob).get(URL, {"q": "010A"}).context["found"]
        assert not signed_in(bob).get(URL, {"q": "SO-4711"}).context["found"]

    def test_it_takes_a_whole_hardware_id_straight_to_the_device(
        self, signed_in: SignedIn, alice: User
    ) -> None:
        page = signed_in(alice).get(URL, {"q": "009033010aff"})
        assert page.headers["Location"] == reverse("device", args=[HARDWARE_ID])

    def test_it_offers_to_add_a_device_that_is_not_there(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        client = signed_in(alice)
        client.get(reverse("project", args=[project.pk]))
        page = client.get(URL, {"q": "009033aaaaaa"})
        link = f"{reverse('project', args=[project.pk])}?hardware_id=00-90-33-AA-AA-AA#add"
        assert link in page.text
        assert 'value="00-90-33-AA-AA-AA"' in client.get(link).text

    def test_it_does_not_say_whether_a_stranger_has_a_device(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        client = signed_in(alice)
        taken, free = (client.get(URL, {"q": f"009033010A{last}", "part": "1"}).text for last in ("FE", "FD"))
        assert taken.replace("FE", "FD") == free

    @pytest.mark.parametrize("typed", ["", "x", "  ", "\x00\x00", "%%", "__", "x" * 101])
    def test_it_finds_nothing_by_what_says_nothing(
        self, typed: str, signed_in: SignedIn, alice: User
    ) -> None:
        page = signed_in(alice).get(URL, {"q": typed})
        assert page.status_code == 200
        assert not page.context["found"]

    def test_it_gives_the_first_results_without_the_page_while_somebody_types(
        self,
        signed_in: SignedIn,
        alice: User,
        project: Project,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(6):
            factories.make_device(project=project, name="Münster")
        client = signed_in(alice)
        with django_assert_max_num_queries(8):
            part = client.get(URL, {"q": "Münster", "part": "1"})
        assert "<html" not in part.text
        assert len(part.context["found"].devices) == 5
        assert "press Enter" in part.text
        assert len(client.get(URL, {"q": "Münster"}).context["found"].devices) == 7


class TestKeysOfAnImportedProject:
    def test_they_are_found_by_the_company_that_has_the_project_now(
        self, signed_in: SignedIn, alice: User, company: Company, project: Project
    ) -> None:
        factories.activated(project)
        other = factories.make_company(founder=alice, name="Founded by accident")
        from_order = factories.make_key(number="SO-77")
        into = factories.first_project(other)
        activation.activate_key(code=from_order, target=into, caller=factories.caller(), now=factories.NOW)
        wanted = company_import.ask_for_company(
            target=company,
            number=other.pk,
            name=other.name,
            asker=alice,
            caller=factories.caller(alice),
            now=factories.NOW,
        )
        company_import.consent_to_import(wanted=wanted, caller=factories.caller(alice), now=factories.NOW)
        [key] = signed_in(alice).get(URL, {"q": "SO-77"}).context["found"].keys
        assert key.into_project == into.pk
