"""What closes a company or a project, against what comes in at that moment (mission rules 3 to 5, 7)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts import membership, rights
from accounts.models import Company, Invitation, Membership, Project, ProjectRight, User
from devices.models import Device
from licenses import (
    activation,
    adding,
    archiving,
    assignment,
    balances,
    company_import,
    device_projects,
    verification,
)
from licenses.models import CompanyImport, Holder
from portal.core.models import AuditEntry
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    first_project,
    free,
    get_product,
    give_back,
    join,
    make_company,
    make_device,
    make_key,
    make_project,
    make_user,
    new_hardware_id,
)
from tests.races.meeting import meet
from tests.races.pool import Pool, often

pytestmark = pytest.mark.usefixtures("catalogue")
REPETITIONS = often(30)


def wanted_of(source: Company, target: Company, asker: User) -> CompanyImport:
    return CompanyImport.objects.create(
        source=source,
        target=target,
        asked_by=asker,
        asked_at=NOW,
        expires_at=NOW + company_import.GOOD_FOR,
    )


def consent(wanted: CompanyImport) -> partial[CompanyImport]:
    return partial(company_import.consent_to_import, wanted=wanted, caller=caller(), now=NOW)


def activate(target: Company | Project) -> partial[activation.Activation]:
    return partial(activation.activate_key, code=make_key(), target=target, caller=caller(), now=NOW)


def nothing_stranded() -> bool:
    """Nothing is left with a company that is only a name, or with a holder that was put aside."""
    left = Holder.objects.filter(holdings__balance__gt=0)
    return not (
        left.filter(company__imported_into__isnull=False).exists()
        or left.filter(former_project__isnull=False).exists()
    )


class TestImporting:
    def test_activations_land_where_the_balances_are(self, pool: Pool, company: Company, alice: User) -> None:
        brought_in = 0
        for _ in range(REPETITIONS):
            source = make_company(founder=alice, name="Accident")
            project = first_project(source)
            racers = [activate(project) for _ in range(4)] + [activate(source) for _ in range(4)]

            outcomes = pool.race([*racers, consent(wanted_of(source, company, alice))])

            assert set(outcomes.refused) <= {"company-imported"}
            assert nothing_stranded()
            project.refresh_from_db()
            assert project.company == company
            brought_in += 5 * (len(outcomes.answers) - 1)
            held = sum(free(one) for one in Project.objects.filter(company=company)) + free(company)
            assert held == brought_in
        assert list(verification.violations()) == []

    def test_transfers_that_cross_it_lose_nothing(self, pool: Pool, company: Company, alice: User) -> None:
        product = get_product()
        for number in range(1, REPETITIONS + 1):
            source = activated(make_company(founder=alice, name="Accident"), {"Port": 50})
            project = activated(first_project(source), {"Port": 50})
            transfers = [
                partial(
                    balances.transfer_licenses,
                    source=give,
                    destination=take,
                    product=product,
                    quantity=3,
                    caller=caller(),
                    now=NOW,
                )
                for give, take in ((source, project), (project, source)) * 4
            ]

            outcomes = pool.race([*transfers, consent(wanted_of(source, company, alice))])

            assert set(outcomes.refused) <= {"company-imported"}
            assert nothing_stranded()
            held = sum(free(one) for one in Project.objects.filter(company=company)) + free(company)
            assert held == 100 * number
        assert list(verification.violations()) == []

    def test_devices_assign_and_give_back_across_it(
        self, pool: Pool, company: Company, alice: User, keyring: object
    ) -> None:
        product = get_product()
        for _ in range(REPETITIONS):
            source = make_company(founder=alice, name="Accident")
            project = activated(first_project(source), {"Port": 50})
            devices = [make_device(project=project) for _ in range(4)]
            grants = [assigned(device, 2) for device in devices]
            racers = [
                partial(assignment.assign, device=one, product=product, quantity=1, caller=caller(), now=NOW)
                for one in devices
            ] + [partial(give_back, device, grant) for device, grant in zip(devices, grants, strict=True)]

            outcomes = pool.race([*racers, consent(wanted_of(source, company, alice))])

            assert outcomes.refused == {}
            assert nothing_stranded()
            assert free(project) == 46
        assert list(verification.violations()) == []

    def test_what_is_assigned_meanwhile_is_in_the_history_of_the_company_that_has_it(
        self, pool: Pool, company: Company, alice: User, keyring: object
    ) -> None:
        source = make_company(founder=alice, name="Accident")
        device = make_device(project=activated(first_project(source), {"Port": 5}))
        given = caller()

        outcomes = meet(
            pool,
            first=consent(wanted_of(source, company, alice)),
            second=partial(
                assignment.assign, device=device, product=get_product(), quantity=1, caller=given, now=NOW
            ),
        )

        assert outcomes.refused == {}
        entry = AuditEntry.objects.get(event="licenses-assigned")
        assert entry.company_id == company.pk
        assert list(verification.violations()) == []

    def test_two_that_take_in_each_other_do_not_wait_for_ever(self, pool: Pool, alice: User) -> None:
        for _ in range(REPETITIONS):
            first, second = (activated(make_company(founder=alice), {"Port": 5}) for _ in range(2))

            outcomes = pool.race(
                [consent(wanted_of(first, second, alice)), consent(wanted_of(second, first, alice))]
            )

            assert outcomes.refused == {"company-imported": 1}
            assert free(first) + free(second) == 10
        assert list(verification.violations()) == []

    def test_one_company_goes_into_one_other(self, pool: Pool, alice: User) -> None:
        for _ in range(REPETITIONS):
            source = activated(make_company(founder=alice), {"Port": 5})
            targets = [make_company(founder=alice) for _ in range(4)]

            outcomes = pool.race([consent(wanted_of(source, target, alice)) for target in targets])

            assert len(outcomes.answers) == 1
            assert outcomes.refused == {"company-imported": 3}
            assert sum(free(target) for target in targets) == 5

    def test_nobody_joins_what_is_only_a_name(self, pool: Pool, company: Company, alice: User) -> None:
        for _ in range(REPETITIONS):
            source = make_company(founder=alice, name="Accident")
            dora = make_user(name="Dora")
            invitation = membership.invite_member(
                company=source,
                email=dora.email,
                role=Membership.Role.ADMIN,
                inviter=alice,
                caller=caller(),
                now=NOW,
            )

            outcomes = pool.race(
                [
                    partial(
                        membership.accept_invitation,
                        invitation=invitation,
                        user=dora,
                        caller=caller(),
                        now=NOW,
                    ),
                    consent(wanted_of(source, company, alice)),
                ]
            )

            assert not Membership.objects.filter(company=source).exists()
            came_over = Membership.objects.filter(company=company, user=dora).exists()
            assert came_over == (outcomes.refused == {})
            assert not Invitation.objects.filter(ended_at=None).exists()


class TestArchiving:
    def test_nothing_is_in_the_archive(self, pool: Pool, company: Company) -> None:
        for _ in range(REPETITIONS):
            project = make_project(company=company)
            racers: list[Callable[[], Any]] = [
                partial(archiving.archive_project, project=project, caller=caller(), now=NOW),
                activate(project),
                partial(
                    adding.add_device,
                    project=project,
                    hardware_id=new_hardware_id(),
                    caller=caller(),
                    now=NOW,
                ),
            ]

            outcomes = pool.race(racers)

            project.refresh_from_db()
            has = bool(free(project)) or Device.objects.filter(project=project).exists()
            assert has != (project.archived_at is not None)
            assert set(outcomes.refused) <= {"project-archived", "project-not-empty"}


class TestDevices:
    def test_a_device_is_released_or_gets_licenses(self, pool: Pool, project: Project) -> None:
        activated(project, {"Port": REPETITIONS})
        for _ in range(REPETITIONS):
            device = make_device(project=project)

            outcomes = pool.race(
                [
                    partial(device_projects.release_device, device=device, caller=caller(), now=NOW),
                    partial(
                        assignment.assign,
                        device=device,
                        product=get_product(),
                        quantity=1,
                        caller=caller(),
                        now=NOW,
                    ),
                ]
            )

            device.refresh_from_db()
            assert (device.released_at is None) == (free(device) == 1)
            assert len(outcomes.answers) == 1
        assert list(verification.violations()) == []

    def test_a_released_one_is_taken_up_once(self, pool: Pool, project: Project, charlie: User) -> None:
        theirs = first_project(make_company(founder=charlie))
        for _ in range(REPETITIONS):
            device = make_device(project=project)
            device_projects.release_device(device=device, caller=caller(), now=NOW)

            outcomes = pool.race(
                [
                    partial(
                        adding.add_device,
                        project=into,
                        hardware_id=device.hardware_id,
                        caller=caller(),
                        now=NOW,
                    )
                    for into in (project, theirs)
                ]
            )

            assert len(outcomes.answers) == 1
            assert outcomes.refused == {"hardware-id-taken": 1}

    def test_a_return_at_the_change_of_project_goes_to_one_of_the_two(
        self, pool: Pool, company: Company, project: Project, keyring: object
    ) -> None:
        activated(project, {"Port": REPETITIONS})
        elsewhere = make_project(company=company)
        for _ in range(REPETITIONS):
            device = make_device(project=project)
            grant = assigned(device)

            outcomes = pool.race(
                [
                    partial(
                        device_projects.change_project,
                        device=device,
                        project=elsewhere,
                        caller=caller(),
                        now=NOW,
                    ),
                    partial(give_back, device, grant),
                ]
            )

            assert outcomes.refused == {}
            assert free(project) + free(elsewhere) == REPETITIONS
        assert list(verification.violations()) == []


class TestMembers:
    def test_two_admins_do_not_both_go(self, pool: Pool, alice: User) -> None:
        for _ in range(REPETITIONS):
            company = make_company(founder=alice)
            second, third = make_user(name="Second"), make_user(name="Third")
            rows = [
                Membership.objects.get(user=alice, company=company),
                join(user=second, company=company, role=Membership.Role.ADMIN),
            ]
            join(user=third, company=company)

            outcomes = pool.race(
                [
                    partial(membership.leave_company, company=company, user=alice, caller=caller(), now=NOW),
                    partial(
                        membership.change_role,
                        membership=rows[1],
                        role=Membership.Role.MEMBER,
                        caller=caller(),
                        now=NOW,
                    ),
                ]
            )

            assert outcomes.refused == {"last-admin": 1}

    def test_who_is_removed_keeps_no_right(self, pool: Pool, project: Project, alice: User) -> None:
        for _ in range(REPETITIONS):
            user = make_user(name="Second")
            join(user=user, company=project.company)

            outcomes = pool.race(
                [
                    partial(
                        membership.remove_member,
                        company=project.company,
                        user_id=user.pk,
                        caller=caller(),
                        now=NOW,
                    ),
                    partial(
                        rights.set_right,
                        project=project,
                        user_id=user.pk,
                        level=ProjectRight.Level.MANAGE,
                        caller=caller(),
                        now=NOW,
                    ),
                ]
            )

            assert set(outcomes.refused) <= {"nobody-to-give-a-right"}
            assert not ProjectRight.objects.filter(user=user).exists()

    def test_an_address_is_invited_once(self, pool: Pool, company: Company, alice: User) -> None:
        for number in range(5):
            outcomes = pool.race(
                [
                    partial(
                        membership.invite_member,
                        company=company,
                        email=f"person{number}@example.com",
                        role=Membership.Role.MEMBER,
                        inviter=alice,
                        caller=caller(),
                        now=NOW,
                    )
                ]
                * 8
            )
            assert outcomes.refused == {}  # one caller, one act: all get the same answer
            assert len({answer.pk for answer in outcomes.answers}) == 1
