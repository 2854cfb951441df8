"""`manage.py ledger verify`: silent over books that are right, and finding every fault that is planted.

Each check has at least one fault here that makes it speak; a check that never speaks would prove nothing.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from accounts.models import Project
from devices.models import Device
from licenses import assignment, ledger, verification
from licenses.models import ActivationKey, Grant, Holding, LicenseDocument, LogLeaf, LogLine, Transfer
from portal.core import acts
from portal.core.models import Act
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    find_key,
    get_product,
    give_back,
    make_device,
    make_key,
)
from tests.operations.test_corrections import FAULTS as FAULTS_OF_CORRECTIONS
from tests.operations.test_move_checks import FAULTS as FAULTS_OF_MOVES
from tests.operations.unbought import a_test_license

PastTheGuards = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Books:
    """A little of everything: keys of each state, two devices, a grant of each fate."""

    project: Project
    device: Device
    live: Grant
    returned: Grant
    unused_key: ActivationKey

    @property
    def document(self) -> LicenseDocument:
        """The latest document of the device."""
        return LicenseDocument.objects.filter(device=self.device).latest("seq")

    def holding(self, code: str = "Port") -> Holding:
        """What the project has free of a product."""
        return Holding.objects.get(holder__project=self.project, product__code=code)


@pytest.fixture
def books(project: Project, catalogue: None, keyring: object) -> Books:
    activated(project, {"Port": 10, "UC": 5})
    activated(project.company, {"Port": 2})
    unused = find_key(make_key(lines={"Port": 7, "UC": 1}))
    device, other = make_device(project=project), make_device(project=project)
    live, returned = assigned(device, 3), assigned(device, 2, "UC")
    undone = assigned(other, 1)
    assigned(other, 1, "UC")
    give_back(device, returned)
    assignment.undo_assignment(grant=undone, caller=caller(), now=NOW)
    return Books(project=project, device=device, live=live, returned=returned, unused_key=unused)


def rewrite(document: LicenseDocument, **changes: object) -> None:
    """Give a document another payload, with the hash that belongs to it."""
    payload = json.dumps(json.loads(bytes(document.payload)) | changes, separators=(",", ":")).encode()
    LicenseDocument.objects.filter(pk=document.pk).update(
        payload=payload, payload_sha256=hashlib.sha256(payload).digest()
    )


def act() -> Act:
    return acts.begin(operation="fault", caller=caller(), given={}, now=NOW)


# --- Faults, by the check that finds them ---


def raise_a_balance(books: Books) -> None:
    Holding.objects.filter(pk=books.holding().pk).update(balance=F("balance") + 1)


def raise_a_balance_and_the_guards_sum(books: Books) -> None:
    Holding.objects.filter(pk=books.holding().pk).update(balance=F("balance") + 1, moved=F("moved") + 1)


def lose_a_holding(books: Books) -> None:
    Holding.objects.filter(pk=books.holding().pk).delete()


def invent_a_holding(books: Books) -> None:
    holder = ledger.project_holder(books.project)
    Holding.objects.create(holder=holder, product=get_product("Fax"), balance=1, moved=1)


def change_a_transfer(books: Books) -> None:
    Transfer.objects.filter(source__kind="issuer").update(quantity=F("quantity") + 1)


def lose_a_transfer(books: Books) -> None:
    line = LogLine.objects.get(grant=books.live)
    LogLine.objects.filter(pk=line.pk).update(transfer=None)
    Transfer.objects.filter(log_line=None, source__kind="project", act=line.leaf.act).delete()


def spend_before_it_came(books: Books) -> None:
    came = Transfer.objects.get(
        source__kind="key", destination__project=books.project, product=get_product("Port")
    )
    line = LogLine.objects.get(transfer=came)
    later = Transfer.objects.create(
        act=came.act,
        product=came.product,
        quantity=came.quantity,
        source=came.source,
        destination=came.destination,
    )
    LogLine.objects.filter(pk=line.pk).update(transfer=later)
    Transfer.objects.filter(pk=came.pk).delete()


def change_the_guards_sum(books: Books) -> None:
    Holding.objects.filter(pk=books.holding().pk).update(moved=F("moved") + 1)


def give_the_issuer_a_balance(books: Books) -> None:
    Holding.objects.create(holder=ledger.issuer(), product=get_product("Port"), balance=0)


def enlarge_a_grant(books: Books) -> None:
    Grant.objects.filter(pk=books.live.pk).update(quantity=F("quantity") + 1)


def end_a_grant(books: Books) -> None:
    Grant.objects.filter(pk=books.live.pk).update(state="moved", ended_at=NOW, ended_by=act())


def revive_a_grant(books: Books) -> None:
    Grant.objects.filter(pk=books.returned.pk).update(state="live", ended_at=None, ended_by=None)


def swap_the_product_of_a_grant(books: Books) -> None:
    Grant.objects.filter(pk=books.live.pk).update(product=get_product("UC"))


def give_a_grant_to_another_device(books: Books) -> None:
    Grant.objects.filter(pk=books.live.pk).update(device=make_device(project=books.project))


def reissue_an_activated_key(books: Books) -> None:
    key = ActivationKey.objects.filter(state="activated").earliest("pk")
    ActivationKey.objects.filter(pk=key.pk).update(state="issued", activated_by=None)


def block_an_activated_key(books: Books) -> None:
    key = ActivationKey.objects.filter(state="activated").earliest("pk")
    ActivationKey.objects.filter(pk=key.pk).update(state="blocked", activated_by=None)


def mark_a_full_key_as_activated(books: Books) -> None:
    ActivationKey.objects.filter(pk=books.unused_key.pk).update(state="activated", activated_by=act())


def take_one_out_of_a_key(books: Books) -> None:
    key, project = ledger.key_holder(books.unused_key), ledger.project_holder(books.project)
    line = ledger.Line(product=get_product("Port"), quantity=1, source=key, destination=project)
    ledger.transfer(act=act(), lines=[line])


def flip_a_bit_of_a_document(books: Books) -> None:
    payload = bytearray(books.document.payload)
    payload[-2] ^= 1
    LicenseDocument.objects.filter(pk=books.document.pk).update(payload=bytes(payload))


def make_a_document_unreadable(books: Books) -> None:
    rewrite(books.document, items="none")


def give_a_document_another_seq(books: Books) -> None:
    rewrite(books.document, seq=99)


def address_a_document_to_another_device(books: Books) -> None:
    rewrite(books.document, sub="00-90-33-FF-FF-FF")


def leave_an_item_out(books: Books) -> None:
    rewrite(books.document, items=[])


def enlarge_an_item(books: Books) -> None:
    [item] = json.loads(bytes(books.document.payload))["items"]
    rewrite(books.document, items=[item | {"qty": 4}])


def lose_the_latest_document(books: Books) -> None:
    books.document.delete()


def lose_all_documents_of_a_device(books: Books) -> None:
    LicenseDocument.objects.filter(device=books.device).delete()


def lose_the_line_of_a_transfer(books: Books) -> None:
    LogLine.objects.filter(transfer__source__kind="issuer").delete()


def lose_a_line_of_a_grant(books: Books) -> None:
    LogLine.objects.filter(pk=LogLine.objects.filter(grant=books.returned).latest("pk").pk).delete()


def take_the_document_out_of_a_leaf(books: Books) -> None:
    LogLeaf.objects.filter(document_sha256=books.document.payload_sha256).update(document_sha256=None)


def change_a_line(books: Books) -> None:
    line = LogLine.objects.get(grant=books.live)
    LogLine.objects.filter(pk=line.pk).update(line=bytes(line.line).replace(b'"qty":3', b'"qty":2'))


def change_the_salt_of_a_line(books: Books) -> None:
    LogLine.objects.filter(grant=books.live).update(salt=b"\x00" * 16)


def change_a_leaf(books: Books) -> None:
    leaf = LogLeaf.objects.earliest("pk")
    LogLeaf.objects.filter(pk=leaf.pk).update(body=bytes(leaf.body).replace(b'"v":1', b'"v":2'))


def change_the_time_of_a_leaf(books: Books) -> None:
    LogLeaf.objects.filter(pk=LogLeaf.objects.earliest("pk").pk).update(at=NOW.replace(year=2025))


def part_a_leaf_from_its_act(books: Books) -> None:
    LogLeaf.objects.update(act=None)


def swap_two_lines(books: Books) -> None:
    first, second = LogLine.objects.filter(transfer__source__kind="issuer").order_by("pk")[:2]
    LogLine.objects.filter(pk=first.pk).update(line=second.line)


def lose_a_test_license(books: Books) -> None:
    a_test_license(books.live.device)
    books.live.device.test_licenses.all().delete()


def lengthen_a_test_license(books: Books) -> None:
    a_test_license(books.live.device)
    books.live.device.test_licenses.update(ends_at=NOW.replace(year=2030))


def lose_the_grants_of_a_test_license(books: Books) -> None:
    grant = a_test_license(books.live.device)
    Grant.objects.filter(pk=grant.pk).update(license_class="bought", expires_at=None)


FAULTS: dict[str, tuple[Callable[[Books], None], ...]] = {
    "_balances_follow_from_transfers": (
        raise_a_balance,
        raise_a_balance_and_the_guards_sum,
        lose_a_holding,
        invent_a_holding,
        change_a_transfer,
        lose_a_transfer,
    ),
    "_nobody_ever_held_less_than_nothing": (spend_before_it_came,),
    "_guard_column_agrees": (change_the_guards_sum,),
    "_issuer_and_retired_store_no_balance": (give_the_issuer_a_balance,),
    "_devices_hold_their_live_grants": (
        enlarge_a_grant,
        end_a_grant,
        revive_a_grant,
        swap_the_product_of_a_grant,
        give_a_grant_to_another_device,
    ),
    "_activated_keys_are_empty": (
        reissue_an_activated_key,
        block_an_activated_key,
        mark_a_full_key_as_activated,
        take_one_out_of_a_key,
    ),
    "_documents_are_what_they_say": (
        flip_a_bit_of_a_document,
        make_a_document_unreadable,
        give_a_document_another_seq,
        address_a_document_to_another_device,
    ),
    "_latest_documents_list_the_live_grants": (
        leave_an_item_out,
        enlarge_an_item,
        lose_the_latest_document,
        lose_all_documents_of_a_device,
    ),
    "_test_grants_are_those_of_test_licenses": (
        lose_a_test_license,
        lengthen_a_test_license,
        lose_the_grants_of_a_test_license,
    ),
    "_every_act_is_in_the_log": (
        lose_the_line_of_a_transfer,
        lose_a_line_of_a_grant,
        take_the_document_out_of_a_leaf,
    ),
    "_leaves_are_made_of_their_lines": (
        change_a_line,
        change_the_salt_of_a_line,
        change_a_leaf,
        change_the_time_of_a_leaf,
        part_a_leaf_from_its_act,
        swap_two_lines,
    ),
}
CHECKS = {check.violations.__name__: check for check in verification.CHECKS}


class TestVerifying:
    def test_right_books_are_right(self, books: Books) -> None:
        assert list(verification.violations()) == []

    def test_empty_books_are_right(self, db: None) -> None:
        assert list(verification.violations()) == []

    def test_every_check_has_a_fault_that_it_finds(self) -> None:
        assert set(FAULTS) | set(FAULTS_OF_MOVES) | set(FAULTS_OF_CORRECTIONS) == set(CHECKS)

    @pytest.mark.parametrize(
        ("check", "plant"),
        [
            pytest.param(check, plant, id=plant.__name__)
            for check, plants in FAULTS.items()
            for plant in plants
        ],
    )
    def test_it_finds(
        self, books: Books, plants_faults: PastTheGuards, check: str, plant: Callable[[Books], None]
    ) -> None:
        if plant is change_the_guards_sum and connection.vendor != "postgresql":
            pytest.skip("only PostgreSQL keeps the guard's sum")
        with plants_faults():
            plant(books)

        assert list(CHECKS[check].violations())

    def test_every_rule_is_a_sentence(self) -> None:
        for check in verification.CHECKS:
            assert check.holds.endswith(".")

    def test_a_missing_grant_is_found_wherever_it_is_in_the_order(
        self, books: Books, plants_faults: PastTheGuards
    ) -> None:
        """The check walks over two sorted streams side by side: first, middle and last place."""
        devices = [make_device(project=books.project) for _ in range(3)]
        grants = [assigned(device) for device in devices]
        for grant in grants:
            with plants_faults():
                Grant.objects.filter(pk=grant.pk).update(quantity=F("quantity") + 1)
            assert len(list(CHECKS["_devices_hold_their_live_grants"].violations())) == 1
            with plants_faults():
                Grant.objects.filter(pk=grant.pk).update(quantity=F("quantity") - 1)


class TestTheCommand:
    def test_it_says_that_the_books_are_right(self, books: Books) -> None:
        out = StringIO()
        call_command("ledger", "verify", stdout=out)

        assert out.getvalue().splitlines()[-1] == "The books are right."

    def test_it_answers_a_script(self, books: Books) -> None:
        out = StringIO()
        call_command("ledger", "verify", "--json", stdout=out)

        answer = json.loads(out.getvalue())
        assert (answer["right"], sum(answer["violations"].values())) == (True, 0)

    def test_it_fails_and_says_where(self, books: Books, plants_faults: PastTheGuards) -> None:
        with plants_faults():
            raise_a_balance_and_the_guards_sum(books)
        out = StringIO()

        with pytest.raises(CommandError) as caught:
            call_command("ledger", "verify", stdout=out)

        assert caught.value.returncode == 1
        assert "but its transfers say 7" in out.getvalue()
