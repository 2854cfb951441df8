"""Taking a bundle in: the checks of trust.md 4 in their order, and what changes on the device then.

Nothing here touches the disk. `plan_*` returns the new states in the order in which they must be written, so
that the device can stop between any two of them and still run what it ran before, or was about to run.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from appliance.bundle import Bundle
from appliance.clock import Clock
from appliance.document import Item, LicenseDocument, verify_document
from appliance.keyset import KeySet, Roots, Walk, verify_keyset, walk_chain
from appliance.refusals import Refusal
from appliance.state import Accepted, Configuration, State, Vault, accept

LATEST_RESET: Final = 24 * 60 * 60
"""Seconds after which the device resets itself to drop what is no longer listed (mission rule 14)."""


class Outcome(StrEnum):
    """What installing came to."""

    INSTALLED = "installed"
    IN_EFFECT = "in-effect"
    ALREADY_INSTALLED = "already-installed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Trust:
    """What never changes on a device: hardware ID, the roots it was made with, what its firmware requires."""

    hardware_id: str
    pinned: Roots
    require: frozenset[str]


@dataclass(frozen=True)
class Verified:
    """A bundle whose key set and license document are good and meant for this device."""

    bundle: Bundle
    document: LicenseDocument
    keyset: KeySet
    signed_keyset: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """States to write, in this order; each differs from the one before in one file only."""

    states: tuple[State, ...]
    outcome: Outcome


def verify_bundle(bundle: Bundle, state: State, trust: Trust, *, portal: str | None = None) -> Verified:
    """Verify all of a bundle that this firmware understands, in the order of trust.md 4.

    :param portal: the issuer that must stand in the key set, when the device held none and had to take the
        portal's identity from the unsigned directory.
    :raises Refusal: `wrong-issuer`, `wrong-device`, `older-document`, `document-conflict`, `key-set-missing`
        and what verifying chain, key set and document raises.
    """
    keyset, signed_keyset = _verify_keys(bundle, state.vault, trust)
    document = verify_document(bundle.license, keyset=keyset, require=trust.require)
    if document.issuer != keyset.issuer or (portal is not None and keyset.issuer != portal):
        raise Refusal("wrong-issuer", document.issuer)
    if document.hardware_id != trust.hardware_id:
        raise Refusal("wrong-device", f"for {document.hardware_id}, this is {trust.hardware_id}")
    _check_seq(document, state.vault)
    return Verified(bundle, document, keyset, signed_keyset)


def plan_installation(state: State, verified: Verified, clock: Clock, *, firmware: int) -> Change:
    """Install a verified bundle, to take effect at the next reset or, where mission rule 14 says so, at once.

    The vault comes first: when the configuration names the new document, the vault must let it run. It also
    still lets the documents before it run, until the configuration no longer names them.
    """
    document, old = verified.document, state.configuration
    moment = clock.raised(state.vault.clock, max(document.issued_at, verified.keyset.issued_at))
    at_once = only_lengthens(state.in_effect, document, now=clock.now(moment), firmware=firmware)
    configuration = Configuration(verified.bundle, verified.bundle if at_once else old.in_effect)
    vault = replace(
        state.vault,
        min_seq=document.seq,
        min_sha256=document.sha256,
        accepted=_with(state.vault.accepted, accept(document)),
        reset_due=_reset_due(state, document, clock.floor(moment)),
        keyset=verified.signed_keyset,
        clock=moment,
    )
    first = State(vault, old)
    second = State(vault, configuration)
    outcome = Outcome.IN_EFFECT if at_once else Outcome.INSTALLED
    if state.installed == document:
        outcome = Outcome.ALREADY_INSTALLED
    return Change((first, second, _forgetting(second)), outcome)


def plan_reset(state: State, clock: Clock) -> Change:
    """Bring what is installed into effect.

    Here the configuration comes first: the vault may stop naming the old document only when nothing runs it.

    :raises Refusal: `nothing-installed`.
    """
    if state.installed is None:
        raise Refusal("nothing-installed")
    installed = state.configuration.installed
    first = replace(state, configuration=Configuration(installed, installed))
    second = _forgetting(first).with_clock(clock.raised(state.vault.clock, 0))
    return Change((first, second), Outcome.IN_EFFECT)


def only_lengthens(
    before: LicenseDocument | None, after: LicenseDocument, *, now: int, firmware: int
) -> bool:
    """Say whether `after` changes nothing in effect but ends, and those only to later or to none.

    Such a document works at once (mission rule 14), as when a bridge is lengthened or becomes bought. Items
    that are not in effect before, having ended or being of another version, may leave; none may come.

    :param now: device time, POSIX seconds.
    """
    if before is None:
        return False
    listed = {item.id: item for item in after.items}
    already = {item.id: item for item in before.items}
    if not listed.keys() <= already.keys():
        return False
    return all(
        _lengthened(item, listed.get(item.id))
        if works(item, now=now, firmware=firmware)
        else _idle(item, listed)
        for item in before.items
    )


def works(item: Item, *, now: int, firmware: int) -> bool:
    """Say whether an item of the document in effect licenses something now (mission rules 14, 15 and 34)."""
    return item.version == firmware and (item.expires_at is None or now < item.expires_at)


def _verify_keys(bundle: Bundle, vault: Vault, trust: Trust) -> tuple[KeySet, dict[str, Any]]:
    held = vault.held_keyset()
    if bundle.keyset is None:
        # The portal leaves a key set out that the device says it holds.
        if held is None or vault.keyset is None:
            raise Refusal("key-set-missing")
        return held, vault.keyset
    start = Walk(held.roots, held.version, vault.keyset_payload()) if held else Walk(trust.pinned, 0, None)
    here = walk_chain(start, bundle.chain, require=trust.require)
    keyset, payload = verify_keyset(here, bundle.keyset, require=trust.require)
    if held is not None and vault.keyset is not None and payload == vault.keyset_payload():
        return held, vault.keyset
    return keyset, bundle.keyset


def _check_seq(document: LicenseDocument, vault: Vault) -> None:
    if document.seq < vault.min_seq:
        raise Refusal("older-document", f"seq {document.seq}, installed before: {vault.min_seq}")
    if document.seq == vault.min_seq and document.sha256 != vault.min_sha256:
        raise Refusal("document-conflict", f"seq {document.seq}")


def _reset_due(state: State, document: LicenseDocument, floor: int) -> int | None:
    running = state.in_effect
    if running is None:
        return None
    leaving = _missing_in(document, running)
    if not leaving:
        return None
    pending = state.installed
    if state.vault.reset_due is not None and pending is not None and leaving & _missing_in(pending, running):
        # What leaves was already on its way out: a later document does not give it another day.
        return min(state.vault.reset_due, floor + LATEST_RESET)
    return floor + LATEST_RESET


def _missing_in(document: LicenseDocument, running: LicenseDocument) -> set[str]:
    return {item.id for item in running.items} - {item.id for item in document.items}


def _lengthened(before: Item, after: Item | None) -> bool:
    if after is None:
        return False
    same = (before.product, before.version, before.quantity) == (after.product, after.version, after.quantity)
    if before.expires_at is None or after.expires_at is None:
        return same and after.expires_at is None
    return same and after.expires_at >= before.expires_at


def _idle(before: Item, listed: dict[str, Item]) -> bool:
    # What has ended may leave the list or stay on it; coming to life again is a change.
    after = listed.get(before.id)
    return after is None or after.expires_at == before.expires_at


def _with(values: tuple[Accepted, ...], value: Accepted) -> tuple[Accepted, ...]:
    return values if value in values else (*values, value)


def _forgetting(state: State) -> State:
    """Let only those documents run that the configuration names, and call off a reset nobody needs."""
    named = {accept(document) for document in (state.installed, state.in_effect) if document is not None}
    accepted = tuple(entry for entry in state.vault.accepted if entry in named)
    due = state.vault.reset_due if state.reset_required else None
    return replace(state, vault=replace(state.vault, accepted=accepted, reset_due=due))
