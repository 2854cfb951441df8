from collections.abc import Iterator

import pytest
from django.urls import reverse

from accounts.models import User
from portal.core import outbox
from portal.core.models import LongJob
from portal.core.problems import NotAllowed
from tests.api.conftest import Api
from tests.factories import NOW
from tests.long_jobs.counting import ask, known
from tests.web.conftest import SignedIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]


@pytest.fixture
def job(alice: User) -> Iterator[LongJob]:
    with known():
        yield ask(alice)


def work() -> None:
    outbox.work_off(clock=lambda: NOW, limit=1)


class TestPage:
    def test_it_shows_how_far_the_work_is_and_leads_to_the_result(
        self, signed_in: SignedIn, alice: User, job: LongJob
    ) -> None:
        client = signed_in(alice)
        address = reverse("long-job", args=[job.pk])
        assert "0 of 25" in client.get(address).text
        work()
        page = client.get(address).text
        assert "10 of 25" in page
        assert '<meta http-equiv="refresh"' in page
        part = client.get(f"{address}?part=1").text
        assert 'value="10" max="25"' in part
        assert "<html" not in part
        assert client.post(reverse("long-job-result", args=[job.pk])).status_code == 409
        work()
        work()

        page = client.get(address).text
        assert "25 rows were done." in page
        assert "refresh" not in page
        file = client.post(reverse("long-job-result", args=[job.pk]))

        assert file.headers["Content-Disposition"] == 'attachment; filename="numbers.txt"'
        content = b"".join(file)
        assert content.decode().split() == [str(number) for number in range(25)]
        assert len(content) == int(file.headers["Content-Length"])
        assert "Counting" in client.get(reverse("long-jobs")).text

    def test_its_buttons_cancel_it_and_let_it_go_on(
        self, signed_in: SignedIn, alice: User, job: LongJob
    ) -> None:
        client = signed_in(alice)
        refused = client.post(reverse("long-job-resume", args=[job.pk]), follow=True)
        assert "did not fail" in refused.text
        assert "Cancelled" in client.post(reverse("long-job-cancel", args=[job.pk]), follow=True).text
        LongJob.objects.update(state="failed", refusal=NotAllowed.code)

        assert str(NotAllowed.title) in client.get(reverse("long-job", args=[job.pk])).text
        assert "0 of 25" in client.post(reverse("long-job-resume", args=[job.pk]), follow=True).text

    def test_it_is_its_owner_s_alone(
        self, signed_in: SignedIn, alice: User, charlie: User, job: LongJob
    ) -> None:
        client = signed_in(charlie)
        for name in ("long-job", "long-job-cancel", "long-job-resume", "long-job-result"):
            address = reverse(name, args=[job.pk])
            answer = client.get(address) if name == "long-job" else client.post(address)
            assert answer.status_code == 404, name
        assert "Nothing works for you" in client.get(reverse("long-jobs")).text


class TestREST:
    def test_a_program_asks_how_far_it_is_and_takes_the_result(self, alice: User, job: LongJob) -> None:
        api = Api(alice)
        work()
        answer = api.get(f"background/{job.pk}")
        assert (answer["state"], answer["done"], answer["total"], answer["code"]) == ("running", 10, 25, None)
        assert api.send("GET", f"background/{job.pk}/result", b"").json()["code"] == "no-result"
        work()
        work()

        file = api.send("GET", f"background/{job.pk}/result", b"")

        assert b"".join(file).endswith(b"24\n")
        api.refuse("POST", f"background/{job.pk}/cancel", {}, status=409, code="background-job-over")

    def test_it_is_its_owner_s_alone(self, charlie: User, job: LongJob) -> None:
        api = Api(charlie)
        for method, path in (("GET", ""), ("POST", "/cancel"), ("GET", "/result")):
            api.refuse(method, f"background/{job.pk}{path}", status=404, code="no-such-background-job")
