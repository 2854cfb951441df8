"""Statements of devices at once, through the doors: returns, fetches, claims, acknowledgements."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Project, User
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices.models import Alert, Device
from licenses import assignment, claims, delivery, queries, verification
from licenses.models import Acknowledged, Return
from portal.core import base64url
from portal.core.models import Act, AuditEntry
from tests.device_api.devices import ORIGIN, Signer
from tests.device_api.test_returning import JTIS
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    first_project,
    free,
    get_product,
    make_company,
    make_device,
)
from tests.operations.bookkeeping import latest, read
from tests.races.pool import SIZE, Pool, often

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "anchor")

ROUNDS = often(20)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


MakePair = Callable[[], tuple[Device, Signer]]


@pytest.fixture
def pair(project: Project, authority: Authority) -> MakePair:
    """Makes devices with the signers that speak for them; their keys are pinned already."""

    def make() -> tuple[Device, Signer]:
        device = make_device(project=project)
        signer = Signer.of(make_identity(authority, device.hardware_id, kind="P-256", now=NOW))
        assert signer.fetch().status_code == 200
        return device, signer

    return make


def said(signer: Signer, door: str, typ: str, **members: Any) -> Callable[[], tuple[int, Any]]:
    """A statement, signed now with a nonce of its own; sent and answered when it is called."""
    path = f"/device/v1/{door}"
    claimed = {"jti": next(JTIS)} | members
    body = signer.sign(header=signer.header(typ=typ, url=ORIGIN + path), claims=signer.claims(**claimed))

    def send() -> tuple[int, Any]:
        response: Any = Client().generic("POST", path, body, content_type="application/jose")
        return response.status_code, json.loads(response.content) if response.content else None

    return send


def returning(signer: Signer, *grants: str, **members: Any) -> Callable[[], tuple[int, Any]]:
    return said(
        signer, "returns", "lic-return+jws", **({"ctr": 1, "grants": list(grants), "min_seq": 0} | members)
    )


def fetching(signer: Signer) -> Callable[[], tuple[int, Any]]:
    return said(signer, "licenses", "lic-fetch+jws")


def seq_in(bundle: Any) -> int:
    seq: int = json.loads(base64url.decode(bundle["license"]["payload"]))["seq"]
    return seq


def results_in(answer: Any) -> list[str]:
    receipt = json.loads(base64url.decode(answer["receipt"]["payload"]))
    return [result["r"] for result in receipt["results"]]


class TestTheSameReturn:
    def test_thirty_two_times_at_once_has_one_effect_and_one_receipt(
        self, pool: Pool, project: Project, pair: MakePair
    ) -> None:
        activated(project, {"Port": 5})
        for count in range(1, ROUNDS + 1):
            device, signer = pair()
            grant, jti = queries.grant_id(assigned(device, 5)), next(JTIS)
            # The same payload each time; nonce and signature are of their own.
            outcomes = pool.race([returning(signer, grant, jti=jti) for _ in range(SIZE)])

            assert [status for status, _ in outcomes.answers] == [200] * SIZE
            receipts = [answer["receipt"] for _, answer in outcomes.answers]
            assert all(receipt == receipts[0] for receipt in receipts)
            assert results_in(outcomes.answers[0][1]) == ["returned"]
            assert Return.objects.filter(device=device).count() == 1
            assert Act.objects.filter(operation="return-licenses").count() == count
            assert (free(project), free(device), latest(device).seq) == (5, 0, 3)
        assert not Alert.objects.exists()
        assert list(verification.violations()) == []

    def test_one_nonce_lets_one_of_two_returns_in(self, pool: Pool, project: Project, pair: MakePair) -> None:
        activated(project, {"Port": 5})
        _, signer = pair()
        for number in range(ROUNDS):
            once = returning(signer, "A" * 22, ctr=number)
            outcomes = pool.race([once] * 8)
            assert sorted(status for status, _ in outcomes.answers) == [200] + [400] * 7
            refusals = {answer["code"] for status, answer in outcomes.answers if status == 400}
            assert refusals == {"bad-nonce"}


class TestAReturnMeets:
    def test_an_assignment_of_the_very_licenses(self, pool: Pool, project: Project, pair: MakePair) -> None:
        """They come back before the assignment, or it finds none."""
        activated(project, {"Port": 5})
        other = make_device(project=project)
        for _ in range(ROUNDS):
            device, signer = pair()
            grant = queries.grant_id(assigned(device, 5))
            outcomes = pool.race(
                [
                    returning(signer, grant),
                    partial(
                        assignment.assign,
                        device=other,
                        product=get_product(),
                        quantity=5,
                        caller=caller(),
                        now=NOW,
                    ),
                ]
            )
            assert outcomes.refused in ({}, {"insufficient-licenses": 1})
            assert free(device) == 0
            assert (free(project), free(other)) == ((5, 0) if outcomes.refused else (0, 5))
            for live in queries.live_grants(other):
                assignment.undo_assignment(grant=live, caller=caller(), now=NOW)
        assert list(verification.violations()) == []

    def test_an_assignment_to_the_same_device(self, pool: Pool, project: Project, pair: MakePair) -> None:
        """In one order or the other: two documents, and the last lists what is there."""
        activated(project, {"Port": 500, "UC": 500})
        for _ in range(ROUNDS):
            device, signer = pair()
            grant = queries.grant_id(assigned(device, 5))
            outcomes = pool.race([returning(signer, grant), partial(assigned, device, 3, "UC")])

            assert outcomes.refused == {}
            assert (free(device), free(device, "UC")) == (0, 3)
            assert [(item.product, item.qty) for item in latest(device).items] == [("UC", 3)]
            assert latest(device).seq == 4
        assert list(verification.violations()) == []

    def test_three_fetches(self, pool: Pool, project: Project, pair: MakePair) -> None:
        """Each gets the document of before or of after; after the answer nobody gets that of before."""
        activated(project, {"Port": 5})
        for _ in range(ROUNDS):
            device, signer = pair()
            grant = queries.grant_id(assigned(device, 5))
            outcomes = pool.race([returning(signer, grant), *(fetching(signer) for _ in range(3))])

            assert [status for status, _ in outcomes.answers] == [200] * 4
            (_, answer), *fetched = outcomes.answers
            assert results_in(answer) == ["returned"]
            assert seq_in(answer["bundle"]) == 3
            assert {seq_in(bundle) for _, bundle in fetched} <= {2, 3}
            assert seq_in(fetching(signer)()[1]) == 3
            document = queries.current_document(device)
            assert document is not None
            assert read(document).items == ()
        assert free(project) == 5

    def test_a_return_of_everything(self, pool: Pool, project: Project, pair: MakePair) -> None:
        activated(project, {"Port": 5})
        for _ in range(ROUNDS):
            device, signer = pair()
            grant = queries.grant_id(assigned(device, 5))
            outcomes = pool.race(
                [
                    returning(signer, grant),
                    returning(signer, "*", min_seq=3, ctr=2),
                    returning(signer, grant, ctr=3),
                ]
            )
            (named, _), (everything, told), (again, _) = outcomes.answers
            assert (named, again) == (200, 200)
            # If the others were first, there is a document beyond the number it names.
            assert everything == 200 or told["code"] == "stale-return"
            outcome = [
                word for status, answer in outcomes.answers if status == 200 for word in results_in(answer)
            ]
            assert outcome.count("returned") == 1
            assert (free(project), free(device)) == (5, 0)
        assert list(verification.violations()) == []


class TestClaims:
    @pytest.fixture
    def newcomer(self, charlie: User) -> Project:
        """Charlie's project; his company has ports of its own in it."""
        return activated(first_project(make_company(founder=charlie, name="Charlie Networks")), {"Port": 50})

    def code(self, project: Project, device: Device) -> str:
        user = project.company.memberships.get().user
        made = claims.make_claim_code(
            project=project, hardware_id=device.hardware_id, user=user, caller=caller(user), now=NOW
        )
        return made.code

    def claiming(self, signer: Signer, code: str, ctr: int) -> Callable[[], tuple[int, Any]]:
        return said(signer, "claims", "lic-claim+jws", ctr=ctr, code=code)

    def test_a_code_that_two_use_at_once_is_good_once(
        self, pool: Pool, newcomer: Project, pair: MakePair
    ) -> None:
        for _ in range(ROUNDS):
            device, signer = pair()
            code = self.code(newcomer, device)
            outcomes = pool.race([self.claiming(signer, code, ctr) for ctr in range(4)])

            told = sorted(answer.get("result", answer.get("code")) for _, answer in outcomes.answers)
            assert told == ["changed"] + ["claim-code-unknown"] * 3
            device.refresh_from_db()
            assert device.project == newcomer
            assert (
                AuditEntry.objects.filter(event="device-claimed", hardware_id=device.hardware_id).count() == 2
            )

    def test_of_two_projects_the_later_has_the_device(
        self, pool: Pool, project: Project, newcomer: Project, pair: MakePair
    ) -> None:
        third = first_project(make_company(founder=newcomer.company.memberships.get().user, name="Third"))
        for _ in range(ROUNDS):
            device, signer = pair()
            outcomes = pool.race(
                [
                    self.claiming(signer, self.code(to, device), ctr)
                    for ctr, to in enumerate((newcomer, third))
                ]
            )
            assert [answer for _, answer in outcomes.answers] == [{"result": "changed"}] * 2
            device.refresh_from_db()
            last = AuditEntry.objects.filter(event="device-claimed", hardware_id=device.hardware_id).latest(
                "pk"
            )
            assert (device.project_id, last.facts["gained"]) == (last.project_id, True)
        assert list(verification.violations()) == []

    def test_an_assignment_never_spends_what_the_new_project_has(
        self, pool: Pool, project: Project, newcomer: Project, pair: MakePair
    ) -> None:
        """It comes before the claim, which then is for support, or finds the device gone."""
        activated(project, {"Port": 100})
        for _ in range(100):
            device, signer = pair()
            outcomes = pool.race(
                [self.claiming(signer, self.code(newcomer, device), 1), partial(assigned, device)]
            )

            [(status, answer), *_] = outcomes.answers
            assert status == 200
            changed = answer == {"result": "changed"}
            assert outcomes.refused == ({"no-such-device": 1} if changed else {})
            assert free(device) == (0 if changed else 1)
            assert free(newcomer) == 50
        assert list(verification.violations()) == []


class TestAcknowledgements:
    def test_they_only_raise_what_is_known_in_whichever_order(self, pool: Pool, pair: MakePair) -> None:
        for _ in range(ROUNDS):
            device, signer = pair()
            outcomes = pool.race(
                [
                    said(signer, "acks", "lic-ack+jws", ctr=seq, installed_seq=seq % 5, effective_seq=seq % 3)
                    for seq in range(8)
                ]
            )
            assert [status for status, _ in outcomes.answers] == [204] * 8
            known = Acknowledged.objects.get(device=device)
            assert (known.installed_seq, known.effective_seq) == (4, 2)

    def test_one_meets_a_fetch_and_the_receipt_is_left_out_from_then_on(
        self, pool: Pool, project: Project, pair: MakePair
    ) -> None:
        activated(project, {"Port": 5})
        for _ in range(ROUNDS):
            device, signer = pair()
            _, answer = returning(signer, queries.grant_id(assigned(device, 5)))()
            assert "receipt" in answer["bundle"]
            ack = said(signer, "acks", "lic-ack+jws", ctr=2, installed_seq=3, effective_seq=3)
            outcomes = pool.race([ack, *(fetching(signer) for _ in range(3))])

            (status, _), *fetched = outcomes.answers
            assert status == 204
            assert all(code == 200 and seq_in(bundle) == 3 for code, bundle in fetched)
            assert "receipt" not in fetching(signer)()[1]

    def test_one_meets_a_return_and_a_download(self, pool: Pool, project: Project, pair: MakePair) -> None:
        activated(project, {"Port": 5})
        for _ in range(ROUNDS):
            device, signer = pair()
            grant = queries.grant_id(assigned(device, 5))
            outcomes = pool.race(
                [
                    said(signer, "acks", "lic-ack+jws", ctr=2, installed_seq=2, effective_seq=2),
                    returning(signer, grant),
                    partial(delivery.download, device=device, caller=caller(), now=NOW),
                ]
            )
            assert outcomes.refused == {}
            assert Acknowledged.objects.get(device=device).installed_seq == 2
            assert (free(project), latest(device).seq) == (5, 3)
