"""Giving back, step by step (trust.md 5): what changes on the device at each.

1. `plan_return`: tombstones for everything given back, and the payload that will be signed, in one write.
2. `plan_return_reset`: the reset, so that nothing given back is in effect; only then is anything signed.
3. The statement is signed and sent, or written to a file: appliance/returning.py.
4. `plan_receipt`: the receipt is kept, and what was not given back after all loses its tombstone.

Nothing here touches the disk; every step can be taken again after a loss of power.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from appliance import claims, strict_json
from appliance.clock import Clock
from appliance.document import Item, payload_of
from appliance.installation import Change, Keys, Outcome, Trust, brought_into_effect, forgetting
from appliance.pending import ALL, PendingReturn, ReceiptRecord
from appliance.receipt import Fate, Receipt, read_receipt, verify_receipt
from appliance.refusals import Refusal
from appliance.state import State
from appliance.tombstones import answered, laid

MOST_GRANTS: Final = 200
"""As many licenses as one document can list (mission rule 13); a statement of them stays far below 64 KiB."""
LARGEST_STEP: Final = 1_000_000
"""How far one return of everything may raise `min_seq`. A number comes unsigned from the portal, or is typed:
a wrong one must not shut the device off from all documents to come. The portal goes no further either."""


def read_grants(ids: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of licenses as people gave them, each once, or ALL.

    :raises Refusal: `grant-malformed`, `too-many-grants`, `nothing-to-return`.
    """
    grants = tuple(dict.fromkeys(ids))
    if not grants:
        raise Refusal("nothing-to-return")
    if grants == ALL:
        return ALL
    if len(grants) > MOST_GRANTS:
        raise Refusal("too-many-grants", f"{len(grants)} licenses")
    for grant in grants:
        try:
            claims.random_id({"id": grant}, "id")
        except Refusal as error:
            raise Refusal("grant-malformed", grant[:40]) from error
    return grants


def resumes(pending: PendingReturn, grants: tuple[str, ...], min_seq: int | None) -> bool:
    """Say whether what is asked for is the return that waits already.

    :raises Refusal: `return-pending` if it is another one, and cannot take the place of the one that waits.
    """
    if set(grants) != set(pending.grants):
        raise Refusal("return-pending")
    return min_seq is None or min_seq == pending.min_seq


def plan_return(
    state: State, statement: dict[str, Any], grants: tuple[str, ...], min_seq: int | None
) -> Change:
    """Step 1: note what is given back.

    This also takes the place of the same return that waits, under a new `jti` and `ctr`: the portal has
    refused that one, or whoever typed a new `min_seq` has read so on its page. Should it have been taken
    after all, the new one comes to the same.

    :param statement: the members that every statement has.
    :param min_seq: for ALL, the lowest document still to be taken; None for the next after all installed.
    :raises Refusal: `min-seq-out-of-range`.
    """
    vault, items = state.vault, state.held_items()
    if grants == ALL:
        # One that waits has raised min_seq already, and another may have the same number.
        least = vault.min_seq if vault.pending_return else vault.min_seq + 1
        # Counted from what was verified, so that several wrong numbers lead no further than one.
        most = max(least, vault.highest_seq + LARGEST_STEP)
        min_seq = max(least, vault.highest_seq + 1) if min_seq is None else min_seq
        if not least <= min_seq <= most:
            raise Refusal("min-seq-out-of-range", f"{min_seq} is not within {least} and {most}")
    else:
        min_seq = vault.min_seq
    given_back = tuple(items) if grants == ALL else grants
    payload = {**statement, "ctr": vault.ctr + 1, "grants": list(grants), "min_seq": min_seq}
    earlier = vault.pending_return.labels if vault.pending_return else {}
    labels = {**earlier, **{name: label(items[name]) for name in given_back if name in items}}
    vault = replace(
        vault,
        ctr=vault.ctr + 1,
        min_seq=min_seq,
        tombstones=laid(vault.tombstones, given_back),
        pending_return=PendingReturn(strict_json.dumps(payload), labels),
    )
    return Change((replace(state, vault=vault),), Outcome.UNCHANGED)


def plan_return_reset(state: State, clock: Clock) -> Change:
    """Step 2: reset, as plan_reset does it.

    The vault says that it was done only when nothing given back is in effect any more, so that a loss of
    power before only repeats the reset.
    """
    pending = state.vault.pending_return
    assert pending is not None, "the caller has looked"
    begun = replace(state, operation=state.operation.begin_reset())
    first = brought_into_effect(begun)
    second = forgetting(first).with_clock(clock.raised(state.vault.clock, 0))
    noted = replace(second, vault=replace(second.vault, pending_return=replace(pending, reset_done=True)))
    done = replace(noted, operation=noted.operation.end_reset())
    return Change((begun, first, noted, done), Outcome.IN_EFFECT)


def receipt_of(value: object, state: State, keys: Keys, trust: Trust) -> Receipt | None:
    """Return the verified receipt for the return that waits, or None if `value` answers something else.

    A receipt of an earlier return comes with every bundle until the portal knows that a later document is
    installed; it is passed over, whatever became of the keys it was signed with.

    :raises Refusal: it names the return that waits, and verify_receipt refuses it.
    """
    pending = state.vault.pending_return
    if pending is None or value is None or _names_other(value, pending):
        return None
    return verify_receipt(
        value,
        keyset=keys.keyset,
        require=trust.require,
        hardware_id=trust.hardware_id,
        payload=pending.payload,
    )


def plan_receipt(state: State, receipt: Receipt, signed: dict[str, Any], clock: Clock) -> Change:
    """Step 4: keep the receipt, lift the tombstones of what was not given back, clear the return.

    :raises Refusal: `wrong-receipt` if it leaves out something the return named, or answers for more.
    """
    vault, pending = state.vault, state.vault.pending_return
    assert pending is not None, "receipt_of has looked"
    answers = {name for name, _fate in receipt.results}
    if pending.grants != ALL and answers != set(pending.grants):
        missing, foreign = set(pending.grants) - answers, answers - set(pending.grants)
        detail = f"it leaves out {min(missing)}" if missing else f"the return did not name {min(foreign)}"
        raise Refusal("wrong-receipt", detail)
    ended = receipt.ids(Fate.RETURNED, Fate.ALREADY)
    vault = replace(
        vault,
        tombstones=answered(
            vault.tombstones,
            ended=ended,
            lifted=receipt.ids(Fate.KEPT, Fate.UNKNOWN),
            # A portal that was rolled back may number its next document below one that runs here and still
            # lists what has ended: the tombstone stays until that one is left behind.
            next_seq=max(receipt.next_seq, state.highest_listing(ended) + 1),
        ),
        pending_return=None,
        receipt=ReceiptRecord(signed, pending.labels),
        clock=clock.raised(vault.clock, receipt.issued_at),
    )
    return Change((forgetting(replace(state, vault=vault)),), Outcome.RECEIPT_ONLY)


def label(item: Item) -> str:
    """Say in words what an item is."""
    return f"{item.quantity} x {item.product} {item.version}"


def _names_other(value: object, pending: PendingReturn) -> bool:
    try:
        payload = payload_of(value)
        return read_receipt(payload).return_jti != pending.jti
    except Refusal:
        # Unreadable: verifying it will say why.
        return False
