"""What the constraints of orders and keys refuse, by their names: part of tests.guards.test_constraints."""

from collections.abc import Callable
from typing import Any

from accounts.models import VendorToken
from licenses.models import ReplacementRequest
from orders.models import OrderUpload, OrderUploadChunk, OrderUploadPiece
from portal.core.models import LongJob
from tests.factories import NOW
from tests.guards.rows import Rows, again, change

Violation = Callable[[Rows], Any]


def asked(rows: Rows, **changes: Any) -> ReplacementRequest:
    """An admin asked for another key."""
    given = {
        "activation_key": rows.issued,
        "company": rows.project.company,
        "asked_by": rows.user,
        "asked_at": NOW,
        "reason": "lost",
    }
    return ReplacementRequest.objects.create(**given | changes)


def asked_twice(rows: Rows) -> None:
    asked(rows)
    asked(rows)


def replaced_twice(rows: Rows) -> None:
    for fingerprint in (b"\x07" * 32, b"\x08" * 32):
        again(rows.issued, fingerprint=fingerprint, replaces=rows.used)


def two_canceled_by_one_act(rows: Rows) -> None:
    change(rows.order, canceled_by=rows.act)
    again(rows.order, number="SO-X", canceled_by=rows.act)


def a_vendor_token(rows: Rows, **changes: Any) -> VendorToken:
    """A token of the vendor's, beside the one of the rows."""
    given = {"name": "Shop", "scopes": "orders", "secret_sha256": b"\x07" * 32, "last_four": "abcd"}
    return VendorToken.objects.create(**given | {"made_by": rows.user, "made_at": NOW} | changes)


def two_vendor_tokens(**changes: Any) -> Violation:
    def violate(rows: Rows) -> None:
        a_vendor_token(rows)
        a_vendor_token(rows, **changes)

    return violate


def an_upload(rows: Rows, **changes: Any) -> OrderUpload:
    """A list of one order."""
    given = {"made_by": rows.user, "made_at": NOW, "checked_at": NOW, "rows": 1, "orders": 1, "keys": 1}
    return OrderUpload.objects.create(**given | changes)


def two_chunks_in_one_place(rows: Rows) -> None:
    upload = an_upload(rows)
    for _chunk in range(2):
        OrderUploadChunk.objects.create(upload=upload, position=0, orders=[])


def two_pieces_in_one_place(rows: Rows) -> None:
    upload = an_upload(rows)
    for _piece in range(2):
        OrderUploadPiece.objects.create(upload=upload, position=0, content=b"x")


def two_lists_of_one_job(work: str) -> Violation:
    def violate(rows: Rows) -> None:
        job = LongJob.objects.create(
            kind="enter-orders", owner=rows.user, call="x", total=1, asked_at=NOW, name="", content_type=""
        )
        an_upload(rows, **{work: job})
        an_upload(rows, **{work: job})

    return violate


ORDERS: dict[str, tuple[Violation, ...]] = {
    "an_order_has_a_key_or_one_for_each_line": (lambda rows: change(rows.order, keys_per="box"),),
    "licenses_order_canceled_by_id_key": (two_canceled_by_one_act,),
    "licenses_activationkey_replaces_id_key": (replaced_twice,),
    "a_key_that_ended_is_blocked_for_good": (
        lambda rows: change(rows.issued, ending="canceled", ended_by=rows.act),
        lambda rows: change(rows.issued, state="blocked", ending="replaced"),
        lambda rows: change(rows.issued, state="blocked", ended_by=rows.act),
        lambda rows: change(rows.issued, state="blocked", ended_by=rows.act, ending="gone"),
    ),
    "a_secret_is_one_vendor_token": (two_vendor_tokens(name="Other"),),
    "vendor_tokens_in_force_have_names_of_their_own": (
        two_vendor_tokens(name="SHOP", secret_sha256=b"\x08" * 32),
    ),
    "a_vendor_token_is_stored_as_a_hash": (lambda rows: a_vendor_token(rows, secret_sha256=b"short"),),
    "a_vendor_token_has_a_name": (lambda rows: a_vendor_token(rows, name=""),),
    "an_upload_has_orders": (
        lambda rows: an_upload(rows, orders=0),
        lambda rows: an_upload(rows, orders=2),
    ),
    "only_a_confirmed_upload_has_a_result": (lambda rows: an_upload(rows, taken_at=NOW),),
    "chunks_of_an_upload_are_in_order": (two_chunks_in_one_place,),
    "pieces_of_an_upload_are_in_order": (two_pieces_in_one_place,),
    "only_what_was_found_right_is_entered": (
        lambda rows: an_upload(rows, confirmed_at=NOW, problems=1),
        lambda rows: an_upload(rows, confirmed_at=NOW, checked_at=None),
        lambda rows: an_upload(rows, confirmed_at=NOW, unreadable="encoding"),
    ),
    "orders_orderupload_job_id_key": (two_lists_of_one_job("job"),),
    "orders_orderupload_checking_id_key": (two_lists_of_one_job("checking"),),
    "one_open_request_to_replace_a_key": (asked_twice,),
    "a_decided_replacement_knows_its_act": (
        lambda rows: asked(rows, state="replaced"),
        lambda rows: asked(rows, state="open", decided_by=rows.act),
        lambda rows: asked(rows, state="lost", decided_by=rows.act),
    ),
}
