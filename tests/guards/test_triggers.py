"""What PostgreSQL's triggers refuse to whoever writes past the operations, and what they let pass."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from licenses.models import Holding, Transfer
from tests.factories import NOW, get_product
from tests.guards.rows import Rows, again, change, remove

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no triggers of ours: table rebuilds drop them"
)
Write = Callable[[Rows], Any]


def end(rows: Rows) -> None:
    change(rows.grant, state="returned", ended_at=NOW, ended_by=rows.act)


def revive(rows: Rows) -> None:
    end(rows)
    change(rows.grant, state="live", ended_at=None, ended_by=None)


def end_twice(rows: Rows) -> None:
    end(rows)
    change(rows.grant, state="moved")


def number_twice(rows: Rows) -> None:
    change(rows.leaf, index=1)
    change(rows.leaf, index=2)


def withdraw(rows: Rows) -> None:
    change(rows.waiting, void="withdrawn", voided_at=NOW, voided_by=rows.act)


def count_again(rows: Rows) -> None:
    withdraw(rows)
    change(rows.waiting, void="", voided_at=None, voided_by=None)


def book_in(rows: Rows) -> None:
    change(rows.approved, hardware="booked-in", hardware_by=rows.stranger, hardware_at=NOW)


def book_in_twice(rows: Rows) -> None:
    book_in(rows)
    change(rows.approved, hardware_by=rows.user)


def drop_the_new_key(rows: Rows) -> None:
    change(rows.new_key, state="dropped", decided_by=rows.stranger, decided_at=NOW)


def accept_what_was_dropped(rows: Rows) -> None:
    drop_the_new_key(rows)
    change(rows.new_key, state="accepted")


def transfer_nowhere(rows: Rows) -> None:
    """To a holder without a holding of the product."""
    again(rows.transfer, product=get_product("Fax"))


def transfer_without_balance(rows: Rows) -> None:
    again(rows.transfer)


def raise_balance(rows: Rows) -> None:
    change(rows.holding, balance=F("balance") + 1)


def raise_what_moved(rows: Rows) -> None:
    change(rows.holding, moved=F("moved") + 1)


def invent_a_holding(rows: Rows) -> None:
    Holding.objects.create(holder=rows.balance, product=get_product("Fax"), balance=1)


NEVER = "is never changed like that"
UNEQUAL = "is not what its transfers moved"

REFUSED: dict[str, tuple[str, tuple[Write, ...]]] = {
    "core_act_never_update": (NEVER, (lambda rows: change(rows.act, reason="another"),)),
    "core_act_never_delete": (NEVER, (lambda rows: remove(again(rows.act, key="other", outcome=None)),)),
    "core_auditentry_never_update_or_delete": (
        NEVER,
        (lambda rows: change(rows.entry, event="nothing"), lambda rows: remove(rows.entry)),
    ),
    "support_look_never_update_or_delete": (
        NEVER,
        (lambda rows: change(rows.look, subject="another"), lambda rows: remove(rows.look)),
    ),
    "devices_newkey_never_update": (NEVER, (accept_what_was_dropped,)),
    "devices_newkey_never_delete": (NEVER, (lambda rows: remove(rows.new_key),)),
    "licenses_keysetversion_never_update_or_delete": (
        NEVER,
        (lambda rows: change(rows.key_set, signed=b"{}"), lambda rows: remove(rows.key_set)),
    ),
    "licenses_licensedocument_never_update": (
        NEVER,
        (
            lambda rows: change(rows.unsigned, payload=b"{}"),
            lambda rows: change(rows.unsigned, payload_sha256=b"\x07" * 32),
            lambda rows: change(rows.unsigned, seq=99),
        ),
    ),
    "licenses_licensedocument_never_delete": (NEVER, (lambda rows: remove(rows.unsigned),)),
    "licenses_return_never_update": (
        NEVER,
        (
            lambda rows: change(rows.returned, receipt_payload=b"{}"),
            lambda rows: change(rows.returned, payload_sha256=b"\x07" * 32),
            lambda rows: change(rows.returned, jti="other"),
            lambda rows: change(rows.returned, next_seq=99),
            lambda rows: change(rows.returned, device=rows.device),
        ),
    ),
    "licenses_return_never_delete": (NEVER, (lambda rows: remove(rows.returned),)),
    "licenses_logleaf_never_update": (
        NEVER,
        (
            number_twice,
            lambda rows: change(rows.leaf, body=b"{}"),
            lambda rows: change(rows.leaf, type="return"),
            lambda rows: change(rows.leaf, at=NOW.replace(year=2025)),
            lambda rows: change(rows.leaf, document_sha256=b"\x07" * 32),
        ),
    ),
    "licenses_logleaf_never_delete": (NEVER, (lambda rows: remove(again(rows.leaf)),)),
    "licenses_logline_never_update_or_delete": (
        NEVER,
        (lambda rows: change(rows.line, line=b"{}"), lambda rows: remove(rows.line)),
    ),
    "licenses_holding_never_delete": (NEVER, (lambda rows: remove(rows.holding),)),
    "licenses_grant_never_update": (NEVER, (revive, end_twice)),
    "licenses_grant_never_delete": (NEVER, (lambda rows: remove(again(rows.grant)),)),
    "licenses_testlicense_never_update": (
        NEVER,
        (
            lambda rows: change(rows.running, ends_at=NOW.replace(year=2030)),
            lambda rows: change(rows.running, started_at=NOW.replace(year=2025)),
            lambda rows: change(rows.running, version=13),
            lambda rows: change(rows.running, slave=False, quantity=2),
            lambda rows: change(
                rows.running, started_at=None, started_by=None, started_in=None, ends_at=None
            ),
            lambda rows: change(rows.waiting, hardware_id="00-90-33-77-77-77"),
            count_again,
        ),
    ),
    "licenses_testlicense_never_delete": (NEVER, (lambda rows: remove(rows.waiting),)),
    "licenses_evidence_never_update_or_delete": (
        NEVER,
        (lambda rows: change(rows.evidence, content=b"other"), lambda rows: remove(rows.evidence)),
    ),
    "licenses_move_never_update": (
        NEVER,
        (
            lambda rows: change(rows.move, broken=rows.device),
            lambda rows: change(rows.move, requested_at=NOW.replace(year=2027)),
            lambda rows: change(rows.move, open_until=NOW.replace(day=25)),
            lambda rows: change(rows.move, requested_by=rows.act),
            lambda rows: change(rows.approved, replacement=rows.device),
            lambda rows: change(rows.approved, state="refused"),
            lambda rows: change(rows.approved, ended_at=NOW.replace(year=2025)),
            lambda rows: change(rows.approved, decided_by=rows.stranger),
            book_in_twice,
        ),
    ),
    "licenses_move_never_delete": (NEVER, (lambda rows: remove(rows.move),)),
    "licenses_bridge_never_update": (
        NEVER,
        (
            lambda rows: change(rows.bridge, ends_at=NOW),
            lambda rows: change(rows.bridge, source=rows.grant),
            lambda rows: change(rows.bridge, move=rows.approved),
            lambda rows: change(rows.bridge, given_by=rows.user),
        ),
    ),
    "licenses_bridge_never_delete": (NEVER, (lambda rows: remove(rows.bridge),)),
    "licenses_transfer_never_update_or_delete": (
        NEVER,
        (lambda rows: change(rows.transfer, quantity=1), lambda rows: remove(rows.transfer)),
    ),
    "licenses_transfers_are_counted": ("a transfer needs a holding on both sides", (transfer_nowhere,)),
    "licenses_balance_is_what_moved": (
        UNEQUAL,
        (raise_balance, raise_what_moved, transfer_without_balance, invent_a_holding),
    ),
}


def check_deferred() -> None:
    """What PostgreSQL does at a commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


class TestTriggers:
    @pytest.mark.parametrize(
        ("says", "write"),
        [
            pytest.param(says, write, id=f"{name}-{number}")
            for name, (says, writes) in REFUSED.items()
            for number, write in enumerate(writes, start=1)
        ],
    )
    def test_it_refuses(self, rows: Rows, says: str, write: Write) -> None:
        check_deferred()

        with pytest.raises(IntegrityError, match=says), transaction.atomic():  # noqa: PT012
            write(rows)
            check_deferred()

    @pytest.mark.parametrize(
        "write",
        [
            end,
            lambda rows: change(rows.leaf, index=1),
            lambda rows: change(again(rows.act, key="other", outcome=None), outcome={}),
            lambda rows: change(rows.unsigned, signed=b"{}", signed_under=1, handed_out_at=NOW),
            lambda rows: change(rows.signed, signed=b"{}", signed_under=2),
            lambda rows: change(rows.grant, first_seq=7),
            withdraw,
            lambda rows: change(rows.waiting, version=13, slave=False, quantity=2),
            lambda rows: change(rows.running, void="revoked", voided_at=NOW, voided_by=rows.act),
            book_in,
            drop_the_new_key,
            lambda rows: change(rows.bridge, ends_at=NOW.replace(day=30, month=12)),
        ],
        ids=[
            "a grant's end",
            "a leaf's index",
            "an act's outcome",
            "a document's signature",
            "a newer signature",
            "a live grant's change",
            "a test license's withdrawal",
            "the change of one that waits",
            "the revocation of one that runs",
            "hardware that comes back",
            "a new key's end",
            "a bridge's later end",
        ],
    )
    def test_they_let_pass(self, rows: Rows, write: Write) -> None:
        with transaction.atomic():
            write(rows)
            check_deferred()

    def test_they_count_many_transfers_of_one_statement(self, rows: Rows) -> None:
        before = rows.holding.moved
        lines = [
            Transfer(
                act=rows.act,
                product=rows.transfer.product,
                quantity=quantity,
                source=rows.issuer,
                destination=rows.balance,
            )
            for quantity in (1, 2, 3)
        ]
        with transaction.atomic():
            Transfer.objects.bulk_create(lines)
            change(rows.holding, balance=F("balance") + 6)
            check_deferred()

        rows.holding.refresh_from_db()
        assert rows.holding.moved == before + 6

    def test_every_trigger_of_the_database_is_tried_above(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
            names = {row[0] for row in cursor.fetchall()}

        assert names == set(REFUSED)
