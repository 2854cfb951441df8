"""Licenses coming back from a device, by its signed statement (mission rules 16 to 19, trust.md 5).

The statement is verified at the door; here its effect is worked out. A return with a good signature is always
answered, with one result for each grant it names. What the device does not hold changes nothing.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from devices import accepting, payloads
from devices.models import Device
from licenses import documents, handout, ledger, move_course, notices, queries, transparency
from licenses.handout import Bundle
from licenses.ledger import Line
from licenses.log_line import LeafType
from licenses.models import Grant, LicenseDocument, Move, Return
from licenses.receipt import Outcome, ReceiptV1
from licenses.transparency import Told
from portal.core import acts, audit, base64url, clock
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class StaleReturn(Conflict):
    """Facts hold `min_seq`, the number to sign."""

    code = "stale-return"
    title = _("The return of everything does not reach beyond the portal's current document.")
    why = _(
        "A device that gives back everything must never again accept one of its old documents. Otherwise an "
        "old file would bring the licenses to life there, while they are already used elsewhere."
    )
    way_out = _("Sign it again with min_seq %(min_seq)s: then no document made so far comes back to life.")
    source = "trust.md 3"


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A return that was taken, in words: its `jti`, the result for each grant id, and the `seq` of the
    document that no longer lists what was given back."""

    jti: str
    results: Sequence[tuple[str, Outcome]]
    next_seq: int


@dataclass(frozen=True, kw_only=True)
class Answer(Accepted):
    """What a device that asks gets beside: its receipt as signed, and the current bundle."""

    receipt: bytes
    bundle: Bundle


def return_licenses(
    *,
    device: Device,
    statement: payloads.Return,
    payload_sha256: bytes,
    caller: Caller,
    now: datetime,
) -> Answer:
    """Give whole grants back to the balance of the device's project, and answer with a receipt.

    While a move of the device is open they go to its replacement instead (mission rule 28).

    The same payload again gets the same receipt, byte for byte, and changes nothing (mission rule 19); only
    when keys left use is it signed again.

    :param payload_sha256: hash of the payload bytes that were signed.
    :raises StaleReturn: a return of everything, with a `min_seq` that does not rise above what there is.
    :raises JTIConflict: the statement's name was used before, with another payload.
    :raises NoKeySet, SigningKeyMissing: accepted, but not signed yet; ask again.
    """
    move_course.note_alive(device, now=now)
    accepted = _accept(
        device=device, statement=statement, payload_sha256=payload_sha256, caller=caller, now=now
    )
    document = handout.hand_out(device, event="document-fetched", caller=caller, now=now)
    # Outside of row locks, like every signature. Two that ask at once get the bytes that were stored first.
    bundle = handout.assemble(device, document, beside=accepted)
    assert bundle is not None, "without a tag to compare there is always a bundle"
    assert accepted.signed is not None, "what goes out beside a bundle is signed with it"
    return Answer(**_in_words(accepted), receipt=bytes(accepted.signed), bundle=bundle)


def take_carried_return(
    *,
    device: Device,
    statement: payloads.Return,
    payload_sha256: bytes,
    caller: Caller,
    now: datetime,
) -> Accepted:
    """The same for a return that somebody carried here: nothing is handed out to a device that is not there.

    Its receipt is signed with the next `.lic` file, which brings it to the device (trust.md 4). Until then
    an assignment can still be undone, because no document that lists it has left the house (mission rule 12).

    :param payload_sha256: hash of the payload bytes that were signed.
    :raises StaleReturn, JTIConflict: as for `return_licenses`.
    """
    row = _accept(device=device, statement=statement, payload_sha256=payload_sha256, caller=caller, now=now)
    return Accepted(**_in_words(row))


def _in_words(row: Return) -> dict[str, Any]:
    return {
        "jti": row.jti,
        "results": ReceiptV1.results_of(bytes(row.receipt_payload)),
        "next_seq": row.next_seq,
    }


def _accept(
    *,
    device: Device,
    statement: payloads.Return,
    payload_sha256: bytes,
    caller: Caller,
    now: datetime,
) -> Return:
    replacement: Device | None = None
    while True:
        try:
            return _accept_once(
                device=device,
                replacement=replacement,
                statement=statement,
                payload_sha256=payload_sha256,
                caller=caller,
                now=now,
            )
        except move_course.AlsoLock as open_move:
            replacement = open_move.replacement


@transaction.atomic(durable=True)
def _accept_once(
    *,
    device: Device,
    replacement: Device | None,
    statement: payloads.Return,
    payload_sha256: bytes,
    caller: Caller,
    now: datetime,
) -> Return:
    act = accepting.begin(operation="return-licenses", payload_sha256=payload_sha256, caller=caller, now=now)
    if act.outcome is not None:
        return Return.objects.get(act=act)
    # The lock makes "once" true: of two returns of a grant at once, the second finds it ended. That of the
    # replacement is taken with it, in the order of their ids, as by all that concerns a move.
    device, move = move_course.lock_with_move(device, beside=replacement, now=now)
    accepting.note_counter(device=device, ctr=statement.ctr, payload_sha256=payload_sha256, now=now)
    documents.note_seq_seen(device=device, seq_seen=statement.seq, now=now)
    results, ending = _results(device, statement, now=now)
    if ending:
        document = _take_back(ending, device=device, move=move, act=act, caller=caller, now=now)
    else:
        # Also where nothing changed: the receipt goes along in the `.lic` until its seq is acknowledged, so
        # it needs one that was not. And after a return of everything the device takes none at or below its
        # new min_seq.
        document = documents.issue(device=device, seq=documents.next_seq(device), act=None, now=now)
        move_course.note_late_return(device, caller=caller, now=now)
    row = _receipt(
        device=device,
        statement=statement,
        payload_sha256=payload_sha256,
        results=results,
        next_seq=document.seq,
        act=act,
        now=now,
    )
    # With the project it was taken in: another one that has the device later does not look into it.
    acts.finish(act, outcome={"return": row.pk, "project": device.project_id})
    return row


def _results(
    device: Device, statement: payloads.Return, *, now: datetime
) -> tuple[list[tuple[str, Outcome]], list[Grant]]:
    """What becomes of each grant named, and the grants that end."""
    everything = statement.grants == payloads.ALL
    if everything:
        _raise_floor(device, statement.min_seq)
        named = {queries.grant_id(grant): grant for grant in queries.grants_at(device, now=now)}
        ids: Sequence[str] = list(named)
    else:
        ids = statement.grants
        named = queries.grants_named(ids, device=device)
    results = [(grant_id, _outcome(named.get(grant_id), everything=everything, now=now)) for grant_id in ids]
    return results, [named[grant_id] for grant_id, outcome in results if outcome == "returned"]


def _raise_floor(device: Device, min_seq: int) -> None:
    """Everything made so far must be below `min_seq`, and everything made from now on at or above it."""
    next_seq = documents.next_seq(device)
    if not next_seq <= min_seq < next_seq + documents.LARGEST_SEQ_JUMP:
        raise StaleReturn(min_seq=next_seq)
    device.seq_floor = min_seq - 1
    device.save(update_fields=["seq_floor"])


def _outcome(grant: Grant | None, *, everything: bool, now: datetime) -> Outcome:
    if grant is None:
        return "unknown"
    if grant.state != Grant.State.LIVE or (grant.expires_at is not None and grant.expires_at <= now):
        return "already"
    # What was bought stays where it cannot come back.
    if grant.license_class == Grant.Class.BOUGHT and not grant.product.returnable:
        return "kept"
    # A test license is not given back (mission rule 23); it ends where a device gives up all it has.
    if grant.license_class == Grant.Class.TEST and not everything:
        return "kept"
    return "returned"


def _take_back(
    grants: Sequence[Grant], *, device: Device, move: Move | None, act: Act, caller: Caller, now: datetime
) -> LicenseDocument:
    source, destination = ledger.device_holder(device), ledger.project_holder(device.project)
    moved = move_course.goes_along(move, grants, now=now)
    moved_ids = {grant.pk for grant in moved}
    given_back = [grant for grant in grants if grant.pk not in moved_ids]
    told_of_move: list[Told] = []
    if move is not None and moved:
        told_of_move = move_course.carry_over(move, moved, leaf_type=LeafType.MOVE, act=act, now=now)
    # Test licenses and bridges are no part of the ledger: they end, and nothing is credited (trust.md 5).
    bought = [grant for grant in given_back if grant.license_class == Grant.Class.BOUGHT]
    transfers = ledger.transfer(
        act=act,
        lines=[
            Line(product=grant.product, quantity=grant.quantity, source=source, destination=destination)
            for grant in bought
        ],
    )
    ledger.end_grants(act=act, grants=given_back, state=Grant.State.RETURNED, now=now)
    notices.licenses_returned(device, transfers, caller=caller, now=now)
    document = documents.issue(device=device, seq=documents.next_seq(device), act=act, now=now)
    by_grant = {grant.pk: transfer for grant, transfer in zip(bought, transfers, strict=True)}
    told_of_return = [Told(transfer=by_grant.get(grant.pk), grant=grant) for grant in given_back]
    for leaf_type, told in ((LeafType.RETURN, told_of_return), (LeafType.MOVE, told_of_move)):
        if told:
            transparency.record(
                act=act,
                leaf_type=leaf_type,
                told=told,
                document_sha256=bytes(document.payload_sha256),
                now=now,
            )
    for grant in given_back:
        audit.record(
            "licenses-returned",
            caller=caller,
            now=now,
            act=act,
            company_id=device.project.company_id,
            project_id=device.project_id,
            hardware_id=device.hardware_id,
            product=str(grant.product),
            quantity=grant.quantity,
            seq=document.seq,
        )
    if move is not None:
        move_course.finish_signed(move, moved, act=act, caller=caller, now=now)
    return document


def _receipt(
    *,
    device: Device,
    statement: payloads.Return,
    payload_sha256: bytes,
    results: Sequence[tuple[str, Outcome]],
    next_seq: int,
    act: Act,
    now: datetime,
) -> Return:
    payload = ReceiptV1(
        issuer=settings.PORTAL_ID,
        hardware_id=device.hardware_id,
        jti=base64url.encode(secrets.token_bytes(16)),
        issued_at=clock.posix(now),
        return_jti=statement.jti,
        return_sha256=payload_sha256,
        results=tuple(results),
        next_seq=next_seq,
    ).to_payload()
    return Return.objects.create(
        device=device,
        act=act,
        jti=statement.jti,
        payload_sha256=payload_sha256,
        next_seq=next_seq,
        received_at=now,
        receipt_payload=payload,
    )
