"""Idempotent calls (architecture.md, "The ledger"): begin, finish, and what a repetition finds."""

import pytest
from django.db import transaction

from portal.core import acts
from portal.core.acts import IdempotencyKeyReused
from portal.core.models import Act
from tests.factories import NOW, caller

pytestmark = pytest.mark.django_db


class TestBeginning:
    def test_a_first_call_has_no_outcome(self) -> None:
        act = acts.begin(operation="test", caller=caller(key="a"), given={"x": 1}, now=NOW)

        assert act.outcome is None
        assert (act.operation, act.key, act.at) == ("test", "a", NOW)

    def test_a_repetition_finds_the_outcome(self) -> None:
        first = acts.begin(operation="test", caller=caller(key="a"), given={"x": 1, "y": 2}, now=NOW)
        acts.finish(first, outcome={"made": 7})

        second = acts.begin(operation="test", caller=caller(key="a"), given={"y": 2, "x": 1}, now=NOW)

        assert (second.pk, second.outcome) == (first.pk, {"made": 7})

    @pytest.mark.parametrize(
        ("operation", "given"),
        [
            ("test", {"x": 2}),
            ("test", {}),
            ("test", {"x": "1"}),
            ("test", {"x": 1, "y": None}),
            ("other", {"x": 1}),
        ],
    )
    def test_another_request_of_the_same_name_is_refused(
        self, operation: str, given: dict[str, object]
    ) -> None:
        acts.finish(acts.begin(operation="test", caller=caller(key="a"), given={"x": 1}, now=NOW), outcome={})

        with pytest.raises(IdempotencyKeyReused):
            acts.begin(operation=operation, caller=caller(key="a"), given=given, now=NOW)

    def test_callers_do_not_share_names(self) -> None:
        for scope in ("user:1", "user:2"):
            acts.begin(operation="test", caller=caller(key="a", scope=scope), given={}, now=NOW)

        assert Act.objects.count() == 2

    def test_a_call_that_was_rolled_back_leaves_no_trace(self) -> None:
        with transaction.atomic():
            acts.begin(operation="test", caller=caller(key="a"), given={"x": 1}, now=NOW)
            transaction.set_rollback(True)

        assert acts.begin(operation="test", caller=caller(key="a"), given={"x": 2}, now=NOW).outcome is None

    def test_new_names_are_new(self) -> None:
        assert len({acts.new_key() for _ in range(100)}) == 100


class TestOutsideATransaction:
    @pytest.mark.django_db(transaction=True)
    def test_an_act_is_refused(self) -> None:
        with pytest.raises(AssertionError):
            acts.begin(operation="test", caller=caller(), given={}, now=NOW)
