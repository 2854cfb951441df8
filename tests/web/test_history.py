"""Histories: every event that concerns a company is told in a sentence (mission rule 38)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import Project, User
from devices import blocking, seq_floors
from devices.models import Device
from licenses.history_sentences import SENTENCES, told
from portal.core.models import AuditEntry
from tests import factories
from tests.factories import NOW
from tests.web.conftest import SignedIn

ROOT = Path(__file__).resolve().parents[2]
HARDWARE_ID = "00-90-33-01-0A-FF"
FACTS = {
    "name": "Main building",
    "key": "5E-W3",
    "product": "Port 14",
    "quantity": 2,
    "source": "DEFAULT",
    "destination": "City hospital",
    "seq": 7,
    "installed": 6,
    "effective": 5,
    "reason": "stolen",
    "gained": True,
    "order": "SO-1",
    "new": "7K-2M",
}


ALICE = User(pk=1, forename="Alice", email="alice@example.com")


def recorded() -> Iterator[str]:
    """Every event that operations record for a company, by its name in the code."""
    for app in ("accounts", "devices", "licenses", "support"):
        for file in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                    "audit.record",
                    "_tell_of_device",
                    "move_course.tell",
                    # In the module itself; elsewhere it is the name of something else.
                    *(["tell"] if file.name == "move_course.py" else []),
                ):
                    of_a_company = any(word.arg == "company_id" for word in node.keywords)
                    if of_a_company or ast.unparse(node.func) != "audit.record":
                        yield from (
                            part.value
                            for part in ast.walk(node.args[0])
                            if isinstance(part, ast.Constant) and isinstance(part.value, str)
                        )


def entry(event: str, **change: object) -> AuditEntry:
    fields = {"actor_name": "Alice", "hardware_id": HARDWARE_ID, "facts": FACTS, "at": NOW}
    return AuditEntry(event=event, **(fields | change))


def sentence(one: AuditEntry) -> str:
    [line] = told([one])
    return f"{line.before}{line.hardware_id}{line.after}"


class TestSentences:
    def test_there_is_one_for_every_event_of_a_company(self) -> None:
        events = set(recorded())
        assert {"device-claimed", "device-blocked", "licenses-returned"} <= events
        assert events - set(SENTENCES) == set()

    @pytest.mark.parametrize("event", sorted(SENTENCES))
    def test_each_is_filled_in(self, event: str) -> None:
        words = sentence(entry(event))
        assert "%" not in words
        assert "None" not in words

    @pytest.mark.parametrize(
        ("event", "change", "words"),
        [
            ("licenses-returned", {}, f"{HARDWARE_ID} gave back 2 × Port 14 (seq 7)."),
            (
                "licenses-returned",
                {"actor": ALICE},
                f"{HARDWARE_ID} gave back 2 × Port 14 (seq 7); Alice brought the file.",
            ),
            ("device-acknowledged", {}, f"{HARDWARE_ID} said: seq 6 is installed, seq 5 in effect."),
            ("device-claimed", {}, f"{HARDWARE_ID} came into this project by a claim that it signed."),
            (
                "device-claimed",
                {"facts": {"gained": False}},
                f"{HARDWARE_ID} left this project by a claim that it signed.",
            ),
            (
                "claim-code-made",
                {"hardware_id": "", "facts": {"wanted": HARDWARE_ID}},
                f"Alice made a claim code for {HARDWARE_ID}.",
            ),
            ("something-new", {}, f"Alice: something-new {HARDWARE_ID}"),
        ],
    )
    def test_they_say_who_and_what(self, event: str, change: dict[str, object], words: str) -> None:
        assert sentence(entry(event, **change)) == words

    def test_the_hardware_id_stands_apart(self) -> None:
        [line] = told([entry("claim-code-made", hardware_id="", facts={"wanted": HARDWARE_ID})])
        assert (line.before, line.hardware_id, line.after) == (
            "Alice made a claim code for ",
            HARDWARE_ID,
            ".",
        )


class TestOnTheDevicePage:
    def test_blocks_are_told_with_their_reason(
        self, signed_in: SignedIn, alice: User, sam: User, project: Project
    ) -> None:
        device: Device = factories.make_device(project=project)
        stolen = factories.caller(sam, reason="It was stolen.")
        found = factories.caller(sam, reason="It was found.")
        blocking.block_device(device=device, caller=stolen, now=NOW)
        blocking.unblock_device(device=device, caller=found, now=NOW)
        ahead = factories.caller(sam, reason="It had seen seq 9.")
        seq_floors.raise_device_seq(device=device, value=9, caller=ahead, now=NOW)

        page = signed_in(alice).get(f"/devices/{device.hardware_id}")

        told_of = f'<span class="mono nowrap">{device.hardware_id}</span>'
        assert f"Sam Example blocked {told_of}: It was stolen." in page.text
        assert f"Sam Example unblocked {told_of}: It was found." in page.text
        assert f"let the next seq of {told_of} be above 9: It had seen seq 9." in page.text
        assert "This device is blocked since" not in page.text
