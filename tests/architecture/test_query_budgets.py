"""How many statements the hot acts send to the database: a number that rises is seen in review.

Counted for a second act of its kind: the first one also makes holders. A notice costs three, to however many
people: who they are, their mails, the jobs that send them. BEGIN and COMMIT do not count.
"""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Project
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from licenses import activation, assignment, balances, delivery
from tests.device_api.devices import Signer
from tests.factories import NOW, activated, assigned, caller, get_product, give_back, make_device, make_key

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")


def statements(act: Callable[[], object]) -> list[str]:
    """The statements that an act sends."""
    with CaptureQueriesContext(connection) as captured:
        act()
    # The cache is in the database only where there is no Redis.
    return [
        query["sql"]
        for query in captured
        if "SAVEPOINT" not in query["sql"] and '"cache"' not in query["sql"]
    ]


class TestBudgets:
    def test_activate(self, project: Project) -> None:
        activated(project, {"Port": 500, "UC": 500})
        code = make_key(lines={"Port": 5, "UC": 5})

        sent = statements(
            partial(activation.activate_key, code=code, target=project, caller=caller(), now=NOW)
        )

        assert len(sent) == 6, "\n".join(sent)

    def test_assign(self, project: Project) -> None:
        activated(project, {"Port": 500})
        device = make_device(project=project)
        assigned(device)
        product = get_product()

        sent = statements(
            partial(assignment.assign, device=device, product=product, quantity=1, caller=caller(), now=NOW)
        )

        assert len(sent) == 3, "\n".join(sent)

    def test_undo(self, project: Project) -> None:
        activated(project, {"Port": 500})
        grant = assigned(make_device(project=project))

        sent = statements(partial(assignment.undo_assignment, grant=grant, caller=caller(), now=NOW))

        assert len(sent) == 21, "\n".join(sent)

    def test_return(self, project: Project) -> None:
        activated(project, {"Port": 500})
        grant = assigned(make_device(project=project))

        sent = statements(partial(give_back, grant.device, grant))

        assert len(sent) == 44, "\n".join(sent)

    def test_transfer(self, project: Project) -> None:
        activated(project.company, {"Port": 500})
        activated(project, {"Port": 500})
        product = get_product()

        sent = statements(
            partial(
                balances.transfer_licenses,
                source=project.company,
                destination=project,
                product=product,
                quantity=1,
                caller=caller(),
                now=NOW,
            )
        )

        assert len(sent) == 11, "\n".join(sent)

    def test_fetch_of_a_changed_document_that_is_signed(self, project: Project) -> None:
        activated(project, {"Port": 500})
        device = make_device(project=project)
        assigned(device)
        delivery.download(device=device, caller=caller(), now=NOW)

        sent = statements(
            partial(
                delivery.fetch, device=device, seq_seen=0, have=None, key_set_held=1, caller=caller(), now=NOW
            )
        )

        assert len(sent) == 4, "\n".join(sent)

    def test_fetch_of_what_the_device_has(self, project: Project) -> None:
        activated(project, {"Port": 500})
        device = make_device(project=project)
        assigned(device)
        tag = delivery.download(device=device, caller=caller(), now=NOW).tag

        sent = statements(
            partial(
                delivery.fetch, device=device, seq_seen=0, have=tag, key_set_held=1, caller=caller(), now=NOW
            )
        )

        assert len(sent) == 1, "\n".join(sent)

    @pytest.mark.usefixtures("today", "anchor")
    def test_fetch_of_what_the_device_has_at_the_door(self, project: Project, authority: Authority) -> None:
        device = make_device(project=project)
        signer = Signer.of(make_identity(authority, device.hardware_id, kind="P-256", now=NOW))
        have = signer.fetch().json()["tag"]

        sent = statements(partial(signer.fetch, have=have, seq=1, ks=1))

        assert len(sent) == 2, "\n".join(sent)
