"""`?dry_run=1`: what would change, by the same rules; and nothing stays of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import LazySettings

from accounts.models import Company, Project, User
from devices.models import Device
from licenses import balances
from portal.core import acts
from portal.core.errors import DomainError
from tests import factories, rows
from tests.api.conftest import ApiOf
from tests.api.scenes import HARDWARE_ID, viewer

pytestmark = pytest.mark.usefixtures("catalogue")


@dataclass(frozen=True)
class Scene:
    """An operation in Alice's company, whose project has five ports free."""

    path: str
    body: Callable[[Device], dict[str, Any]]
    status: int
    changes: Callable[[Device], list[dict[str, Any]]]


def ports(quantity: int = 2) -> dict[str, Any]:
    return {"product": "Port", "version": 14, "quantity": quantity}


def change(before: int, after: int, **of: Any) -> dict[str, Any]:
    nobody = {"company": None, "project": None, "device": None}
    return {**nobody, **of, "product": "Port", "version": 14, "before": before, "after": after}


SCENES = {
    "activate": Scene(
        "keys/activate",
        lambda device: {"code": factories.make_key(lines={"Port": 7}), "project": device.project_id},
        200,
        lambda device: [change(5, 12, project=device.project_id)],
    ),
    "transfer": Scene(
        "transfers",
        lambda device: {
            "source": {"project": device.project_id},
            "destination": {"company": device.project.company_id},
            **ports(),
        },
        201,
        lambda device: [
            change(5, 3, project=device.project_id),
            change(0, 2, company=device.project.company_id),
        ],
    ),
    "assign": Scene(
        f"devices/{HARDWARE_ID}/assignments",
        lambda _device: ports(),
        201,
        lambda device: [change(5, 3, project=device.project_id), change(0, 2, device=HARDWARE_ID)],
    ),
}


def counts() -> dict[str, int]:
    """How many rows every table has, those of other packages among them."""
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


@pytest.mark.parametrize("name", SCENES)
class TestEach:
    def test_it_says_what_would_change_and_changes_nothing(
        self, api: ApiOf, alice: User, device: Device, name: str
    ) -> None:
        scene = SCENES[name]
        body = scene.body(device)
        program = api(alice)
        before, rows_before = rows.everything(), counts()

        answer = program.post(f"{scene.path}?dry_run=1", body, status=200)

        assert answer == {"dry_run": True, "changes": scene.changes(device)}
        assert rows.everything() == before
        assert counts() == rows_before

    def test_what_it_said_is_what_happens(self, api: ApiOf, alice: User, device: Device, name: str) -> None:
        scene = SCENES[name]
        body = scene.body(device)
        said = api(alice).post(f"{scene.path}?dry_run=1", body, key="req-1", status=200)["changes"]

        api(alice).post(scene.path, body, key="req-1", status=scene.status)

        owners: dict[str, Any] = {
            "company": device.project.company,
            "project": device.project,
            "device": device,
        }
        for row in said:
            [owner] = [owners[kind] for kind in owners if row[kind] is not None]
            assert factories.free(owner) == row["after"]

    @pytest.mark.parametrize("value", ["2", "true", ""])
    def test_the_parameter_has_two_values(
        self, api: ApiOf, alice: User, device: Device, name: str, value: str
    ) -> None:
        scene = SCENES[name]
        body = scene.body(device)
        before = rows.everything()

        api(alice).refuse("POST", f"{scene.path}?dry_run={value}", body, status=400, code="invalid-input")

        assert rows.everything() == before

    def test_zero_is_no_dry_run(self, api: ApiOf, alice: User, device: Device, name: str) -> None:
        scene = SCENES[name]

        api(alice).post(f"{scene.path}?dry_run=0", scene.body(device), status=scene.status)

    def test_of_what_was_done_under_the_name_nothing_would_change(
        self, api: ApiOf, alice: User, device: Device, name: str
    ) -> None:
        scene = SCENES[name]
        body = scene.body(device)
        api(alice).post(scene.path, body, key="req-1", status=scene.status)

        again = api(alice).post(f"{scene.path}?dry_run=1", body, key="req-1", status=200)

        assert again["changes"] == []


class TestRefusals:
    @pytest.mark.parametrize("name", ["transfer", "assign"])
    def test_one_more_than_there_is_is_refused_alike(
        self, api: ApiOf, alice: User, device: Device, name: str
    ) -> None:
        scene = SCENES[name]
        body = scene.body(device) | ports(6)

        def refused(query: str) -> dict[str, Any]:
            return api(alice).refuse(
                "POST", scene.path + query, body, status=409, code="insufficient-licenses"
            )

        assert refused("?dry_run=1") == refused("")

    def test_a_used_key_is_refused_alike(self, api: ApiOf, alice: User, device: Device) -> None:
        scene = SCENES["activate"]
        body = scene.body(device)
        api(alice).post(scene.path, body)

        api(alice).refuse("POST", f"{scene.path}?dry_run=1", body, status=409, code="key-already-activated")

    def test_view_is_not_enough(self, api: ApiOf, device: Device) -> None:
        api(viewer(device.project)).refuse(
            "POST",
            f"devices/{HARDWARE_ID}/assignments?dry_run=1",
            ports(),
            status=403,
            code="right-missing",
        )

    def test_tries_of_keys_are_counted_all_the_same(
        self, api: ApiOf, alice: User, device: Device, settings: LazySettings
    ) -> None:
        scene = SCENES["activate"]
        body = scene.body(device)
        settings.KEY_LOOKUPS_PER_HOUR = 1

        # In another hour than the one in which the scene's own keys were counted.
        with time_machine.travel(factories.NOW + timedelta(days=1), tick=False):
            program = api(alice)
            program.post(f"{scene.path}?dry_run=1", body)

            program.refuse("POST", f"{scene.path}?dry_run=1", body, status=429, code="rate-limited")


class TestRehearsing:
    def test_a_refusal_leaves_nothing_either(self, company: Company, project: Project) -> None:
        before = rows.everything()

        with pytest.raises(DomainError):
            acts.rehearse(
                balances.transfer_licenses,
                observe=dict,
                source=company,
                destination=project,
                product=factories.get_product(),
                quantity=1,
                caller=factories.caller(),
                now=factories.NOW,
            )

        assert rows.everything() == before
