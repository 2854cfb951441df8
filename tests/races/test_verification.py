"""`ledger verify` beside a portal at work: what is booked meanwhile is no fault."""

from functools import partial

import pytest
from django.core.management import call_command

from accounts.models import Project
from licenses import verification
from licenses.models import Transfer
from tests.factories import activated, assigned, make_device
from tests.races.pool import Pool

pytestmark = pytest.mark.usefixtures("catalogue")


class TestOneMoment:
    def test_it_does_not_see_what_others_book(self, pool: Pool, project: Project) -> None:
        activated(project, {"Port": 5})
        device = make_device(project=project)
        with verification.one_moment():
            before = Transfer.objects.count()
            pool.race([partial(assigned, device)])
            assert Transfer.objects.count() == before
            assert list(verification.violations()) == []

        assert Transfer.objects.count() == before + 1

    def test_the_command_is_silent_beside_acts(self, pool: Pool, project: Project) -> None:
        activated(project, {"Port": 200})
        devices = [make_device(project=project) for _ in range(4)]

        def work(device: object) -> None:
            for _ in range(20):
                assigned(device)  # type: ignore[arg-type]

        def verify() -> None:
            for _ in range(5):
                call_command("ledger", "verify", "--json", stdout=_Nowhere())

        pool.race([*(partial(work, device) for device in devices), verify])


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)
