"""What there may be one of, made by several at once: hardware IDs, project names, pins, prefixes."""

from functools import partial

import pytest

from accounts import projects
from accounts.models import Company, Project, User
from appliance.factory.authority import make_authority, pem
from devices import enrollment, trust_anchors
from devices.models import Device, TrustAnchor
from licenses import adding
from tests.factories import NOW, caller, first_project, make_company, make_device, new_hardware_id
from tests.operations.test_enrollment import identity
from tests.races.pool import Pool


class TestHardwareIDs:
    def test_one_is_added_once(self, pool: Pool, project: Project, charlie: User) -> None:
        other = first_project(make_company(founder=charlie))
        for _ in range(100):
            hardware_id = new_hardware_id()
            outcomes = pool.race(
                [
                    partial(
                        adding.add_device, project=into, hardware_id=hardware_id, caller=caller(), now=NOW
                    )
                    for into in (project, other) * 4
                ]
            )
            assert len(outcomes.answers) == 1
            assert outcomes.refused == {"device-already-added": 3, "hardware-id-taken": 4}
            assert Device.objects.filter(hardware_id=hardware_id).count() == 1

    def test_one_first_word_pins(self, pool: Pool, project: Project) -> None:
        for _ in range(100):
            device = make_device(project=project)
            words = [identity(device.hardware_id, spki=bytes([number]) * 32) for number in range(4)]
            outcomes = pool.race(
                [
                    partial(
                        enrollment.pin_key,
                        device=Device.objects.select_related("project").get(pk=device.pk),
                        identity=word,
                        caller=caller(),
                        now=NOW,
                    )
                    for word in words
                ]
            )
            assert len(outcomes.answers) == 1
            assert outcomes.refused == {"key-not-pinned": 3}

    def test_a_first_contact_is_noted_by_all(self, pool: Pool, project: Project) -> None:
        for _ in range(50):
            device = make_device(project=project)
            outcomes = pool.race(
                [partial(enrollment.record_contact, device=device, firmware="14r1", now=NOW)] * 8
            )
            assert len(outcomes.answers) == 8


class TestProjectNames:
    def test_one_is_taken_once(self, pool: Pool, company: Company) -> None:
        for number in range(100):
            outcomes = pool.race(
                [
                    partial(projects.create_project, company=company, name=name, caller=caller(), now=NOW)
                    for name in (f"Berlin {number}", f"BERLIN {number}") * 4
                ]
            )
            assert len(outcomes.answers) == 1
            assert outcomes.refused == {"project-name-taken": 7}


class TestPrefixes:
    def test_two_manufacturers_do_not_get_one(self, pool: Pool, db: None) -> None:
        certificates = [pem(make_authority(name, now=NOW).root) for name in ("Example", "Other")]
        for number in range(50):
            outcomes = pool.race(
                [
                    partial(
                        trust_anchors.add_trust_anchor,
                        certificate=certificate,
                        manufacturer=name,
                        prefixes=[prefix],
                        hardware_id_in="CN",
                        caller=caller(),
                        now=NOW,
                    )
                    for certificate, name, prefix in zip(
                        certificates, ("Example", "Other"), ("00-90-33", "00-90-33-01"), strict=True
                    )
                ]
            )
            assert len(outcomes.answers) == 1, number
            assert outcomes.refused == {"prefix-of-another-manufacturer": 1}
            TrustAnchor.objects.all().delete()


@pytest.mark.usefixtures("db")
class TestThePoolItself:
    def test_what_is_no_refusal_is_raised(self, pool: Pool) -> None:
        with pytest.raises(ZeroDivisionError):
            pool.race([lambda: 1 // 0])
