"""Entries of the history (mission rule 38)."""

from dataclasses import replace

import pytest

from accounts.models import User
from portal.core import acts, audit
from portal.core.models import AuditEntry
from tests.factories import NOW, caller


class TestRecording:
    def test_it_says_who_what_when_where_and_whom_it_concerns(self, alice: User) -> None:
        act = acts.begin(operation="test", caller=caller(alice), given={}, now=NOW)
        audit.record(
            "something",
            caller=replace(caller(alice), address="2001:db8::1"),
            now=NOW,
            act=act,
            company_id=1,
            project_id=2,
            hardware_id="00-90-33-01-0A-FF",
            quantity=3,
        )

        entry = AuditEntry.objects.get()
        assert (entry.event, entry.at, entry.act, entry.actor) == ("something", NOW, act, alice)
        assert (entry.who, entry.address) == ("Alice Example", "2001:db8::1")
        assert (entry.company_id, entry.project_id) == (1, 2)
        assert (entry.hardware_id, entry.facts) == ("00-90-33-01-0A-FF", {"quantity": 3})

    def test_it_keeps_no_name_of_a_user_so_that_a_new_name_is_told(self, alice: User) -> None:
        audit.record("something", caller=caller(alice), now=NOW)
        alice.surname = "Married"
        alice.save()

        entry = AuditEntry.objects.get()
        assert (entry.actor_name, entry.who) == ("", "Alice Married")

    @pytest.mark.django_db
    def test_it_keeps_the_name_of_what_is_no_user(self) -> None:
        audit.record("something", caller=caller(), now=NOW)

        assert AuditEntry.objects.get().who == "tests"

    @pytest.mark.django_db
    def test_it_may_concern_nobody(self) -> None:
        audit.record("something", caller=caller(), now=NOW)

        entry = AuditEntry.objects.get()
        assert (entry.company_id, entry.project_id, entry.hardware_id) == (None, None, "")
