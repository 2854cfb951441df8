"""Assigning, undoing, returning and handing out at once (mission rules 12, 13 and 19)."""

from collections.abc import Callable
from functools import partial

import pytest
from django.conf import LazySettings

from accounts.models import Project
from devices.models import Device
from licenses import assignment, delivery, documents, handout, queries, verification
from licenses.models import Grant, LicenseDocument
from portal.core.models import Act
from tests.factories import NOW, activated, assigned, caller, free, get_product, give_back, make_device
from tests.operations.bookkeeping import latest, read
from tests.races.pool import SIZE, Pool, often

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")


def assign_to(device: Device, code: str = "Port", quantity: int = 1) -> "partial[assignment.Assignment]":
    return partial(
        assignment.assign,
        device=device,
        product=get_product(code),
        quantity=quantity,
        caller=caller(),
        now=NOW,
    )


class TestAssigning:
    def test_of_thirty_two_five_get_the_last_five(self, pool: Pool, project: Project) -> None:
        devices = [make_device(project=project) for _ in range(SIZE)]
        for _ in range(often(200)):
            activated(project, {"Port": 5})
            outcomes = pool.race([assign_to(device) for device in devices])
            assert len(outcomes.answers) == 5
            assert outcomes.refused == {"insufficient-licenses": SIZE - 5}
            assert free(project) == 0
        assert list(verification.violations()) == []

    def test_the_same_request_thirty_two_times_at_once_has_one_effect_and_one_answer(
        self, pool: Pool, project: Project
    ) -> None:
        activated(project, {"Port": 1000})
        for repetition in range(1, often(200) + 1):
            device = make_device(project=project)
            racer = assign_to(device)
            outcomes = pool.race([racer] * SIZE)
            assert outcomes.refused == {}
            assert all(answer == outcomes.answers[0] for answer in outcomes.answers)
            assert free(device) == 1
            assert Act.objects.filter(operation="assign").count() == repetition
            assert latest(device).seq == 1

    def test_one_device_gets_several_products_at_once_each_in_a_document_of_its_own(
        self, pool: Pool, project: Project
    ) -> None:
        codes = ["Port", "UC", "Fax", "Video"]
        activated(project, dict.fromkeys(codes, 200))
        for _ in range(often(200)):
            device = make_device(project=project)
            outcomes = pool.race([assign_to(device, code) for code in codes])
            assert outcomes.refused == {}
            by_seq = sorted(outcomes.answers, key=lambda done: done.document.seq)
            assert [done.document.seq for done in by_seq] == [1, 2, 3, 4]
            for place, done in enumerate(by_seq, start=1):
                listed = {item.id for item in read(done.document).items}
                assert listed == {queries.grant_id(earlier.grant) for earlier in by_seq[:place]}
                assert done.grant.first_seq == place

    def test_the_last_place_on_a_device_is_given_once(
        self, pool: Pool, project: Project, settings: LazySettings
    ) -> None:
        settings.GRANTS_PER_DEVICE = 2
        activated(project, {"Port": 500, "UC": 500})
        for _ in range(often(100)):
            device = make_device(project=project)
            assigned(device)
            outcomes = pool.race([assign_to(device, code) for code in ("Port", "UC", "Port", "UC")])
            assert outcomes.refused == {"device-is-full": 3}

    def test_first_holdings_and_holders_are_made_once(self, pool: Pool, project: Project) -> None:
        activated(project, {"Port": 1000, "UC": 1000})
        for _ in range(often(50)):
            device = make_device(project=project)
            outcomes = pool.race([assign_to(device, code) for code in ["Port", "UC"] * 4])
            assert outcomes.refused == {}
            assert (free(device), free(device, "UC")) == (4, 4)


class TestEndingAGrant:
    def test_a_grant_is_returned_once(self, pool: Pool, project: Project) -> None:
        activated(project, {"Port": 5})
        device = make_device(project=project)
        for _ in range(often(200)):
            grant = assigned(device, 5)
            outcomes = pool.race([partial(give_back, device, grant) for _ in range(4)])
            results = sorted(outcome for done in outcomes.answers for _, outcome in done.results)
            assert results == ["already", "already", "already", "returned"]
            assert (free(project), free(device)) == (5, 0)
        assert list(verification.violations()) == []

    def test_a_grant_is_returned_or_undone_but_not_both(self, pool: Pool, project: Project) -> None:
        activated(project, {"Port": 5})
        device = make_device(project=project)
        for _ in range(often(100)):
            grant = assigned(device, 5)
            outcomes = pool.race(
                [
                    partial(give_back, device, grant),
                    partial(assignment.undo_assignment, grant=grant, caller=caller(), now=NOW),
                ]
            )
            undone = outcomes.refused == {}
            assert outcomes.refused in ({}, {"grant-already-ended": 1})
            grant.refresh_from_db()
            assert grant.state == ("revoked" if undone else "returned")
            assert (free(project), free(device)) == (5, 0)

    def test_an_assignment_is_undone_or_handed_out_but_not_both(self, pool: Pool, project: Project) -> None:
        activated(project, {"Port": 1000})
        for _ in range(often(200)):
            device = make_device(project=project)
            grant = assigned(device)
            # Signed before the race: what is left of handing out is what an undo can come across.
            documents.sign(LicenseDocument.objects.get(device=device))
            hand_outs: list[Callable[[], object]] = [
                partial(delivery.download, device=device, caller=caller(), now=NOW),
                partial(
                    delivery.fetch,
                    device=device,
                    seq_seen=0,
                    have=None,
                    key_set_held=1,
                    caller=caller(),
                    now=NOW,
                ),
            ]
            undo = partial(assignment.undo_assignment, grant=grant, caller=caller(), now=NOW)
            outcomes = pool.race([*hand_outs, undo])
            carried = LicenseDocument.objects.get(device=device, seq=1).handed_out_at is not None
            assert outcomes.refused == ({"assignment-carried": 1} if carried else {})
            assert Grant.objects.get(pk=grant.pk).state == ("live" if carried else "revoked")
            seqs = {answer.seq for answer in outcomes.answers if isinstance(answer, handout.Bundle)}
            assert seqs == ({1} if carried else {2})


class TestSigning:
    def test_whoever_signs_at_once_hands_out_the_same_bytes(self, pool: Pool, project: Project) -> None:
        for _ in range(often(50)):
            device = make_device(project=project)
            outcomes = pool.race(
                [partial(delivery.download, device=device, caller=caller(), now=NOW) for _ in range(8)]
            )
            assert len({answer.content for answer in outcomes.answers}) == 1
            assert LicenseDocument.objects.filter(device=device).count() == 1


class TestAssigningToMany:
    def test_acts_over_the_same_devices_never_wait_for_each_other_in_a_circle(
        self, pool: Pool, project: Project
    ) -> None:
        activated(project, {"Port": 2000})
        for _ in range(8):
            devices = [make_device(project=project) for _ in range(6)]
            turned = list(reversed(devices))
            racers = [
                partial(
                    assignment.assign_to_devices,
                    devices=devices if number % 2 else turned,
                    product=get_product(),
                    quantity=1,
                    caller=caller(),
                    now=NOW,
                )
                for number in range(6)
            ]
            outcomes = pool.race(racers)
            assert outcomes.refused == {}
            assert [free(device) for device in devices] == [6] * 6
        assert list(verification.violations()) == []

    def test_acts_over_one_of_the_devices_never_wait_in_a_circle_with_one_over_all(
        self, pool: Pool, project: Project
    ) -> None:
        devices = [make_device(project=project) for _ in range(4)]
        activated(project, {"Port": 1000})
        for device in devices:  # holders and holdings are there: nothing is made, everything is locked
            assigned(device)
        for _ in range(often(100)):
            to_all = partial(
                assignment.assign_to_devices,
                devices=devices,
                product=get_product(),
                quantity=1,
                caller=caller(),
                now=NOW,
            )
            assert pool.race([to_all, *map(assign_to, devices)]).refused == {}
        assert list(verification.violations()) == []

    def test_of_two_that_want_all_one_gets_all_and_the_other_nothing(
        self, pool: Pool, project: Project
    ) -> None:
        devices = [make_device(project=project) for _ in range(6)]
        for _ in range(8):
            activated(project, {"Port": 3})
            racers = [
                partial(
                    assignment.assign_to_devices,
                    devices=part,
                    product=get_product(),
                    quantity=1,
                    caller=caller(),
                    now=NOW,
                )
                for part in (devices[:3], devices[3:])
            ]
            outcomes = pool.race(racers)
            assert outcomes.refused == {"insufficient-licenses": 1}
            assert free(project) == 0
