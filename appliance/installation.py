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
from appliance.pending import ALL
from appliance.refusals import Refusal
from appliance.state import Accepted, Configuration, State, Vault, accept
from appliance.tombstones import still_needed, without

LATEST_RESET: Final = 24 * 60 * 60
"""Seconds after which the device resets itself to drop what is no longer listed (mission rule 14)."""


class Outcome(StrEnum):
    """What an act came to."""

    INSTALLED = "installed"
    IN_EFFECT = "in-effect"
    ALREADY_INSTALLED = "already-installed"
    UNCHANGED = "unchanged"
    RECEIPT_ONLY = "receipt-only"
    RESTORED = "restored"
    DELETED = "deleted"
    RESTARTED = "restarted"


@dataclass(frozen=True)
class Trust:
    """What never changes on a device: hardware ID, the roots it was made with, what its firmware requires."""

    hardware_id: str
    pinned: Roots
    require: frozenset[str]


@dataclass(frozen=True)
class Keys:
    """The key set that the parts of a bundle are verified with, read and as it was signed."""

    keyset: KeySet
    signed: dict[str, Any]


@dataclass(frozen=True)
class Verified:
    """A bundle whose key set and license document are good and meant for this device."""

    bundle: Bundle
    document: LicenseDocument
    keys: Keys


@dataclass(frozen=True)
class Change:
    """States to write, in this order; each differs from the one before in one file only."""

    states: tuple[State, ...]
    outcome: Outcome


def verify_keys(bundle: Bundle, vault: Vault, trust: Trust, *, portal: str | None = None) -> Keys:
    """Return the key set of a bundle, or the one held where the bundle leaves it out.

    :param portal: the issuer that must stand in the key set, when the device held none and had to take the
        portal's identity from the unsigned directory.
    :raises Refusal: `key-set-missing`, `wrong-issuer`, and what verifying chain and key set raises.
    """
    held = vault.held_keyset()
    if bundle.keyset is None:
        # The portal leaves a key set out that the device says it holds.
        if held is None or vault.keyset is None:
            raise Refusal("key-set-missing")
        return Keys(held, vault.keyset)
    start = Walk(held.roots, held.version, vault.keyset_payload()) if held else Walk(trust.pinned, 0, None)
    here = walk_chain(start, bundle.chain, require=trust.require)
    keyset, payload = verify_keyset(here, bundle.keyset, require=trust.require)
    if portal is not None and keyset.issuer != portal:
        raise Refusal("wrong-issuer", keyset.issuer)
    if held is not None and vault.keyset is not None and payload == vault.keyset_payload():
        return Keys(held, vault.keyset)
    return Keys(keyset, bundle.keyset)


def verify_license(bundle: Bundle, keys: Keys, state: State, trust: Trust) -> Verified:
    """Verify the license document of a bundle, in the order of trust.md 4.

    :raises Refusal: `wrong-issuer`, `wrong-device`, `older-document`, `document-conflict`, and what verifying
        the document raises.
    """
    document = verify_document(bundle.license, keyset=keys.keyset, require=trust.require)
    if document.issuer != keys.keyset.issuer:
        raise Refusal("wrong-issuer", document.issuer)
    if document.hardware_id != trust.hardware_id:
        raise Refusal("wrong-device", f"for {document.hardware_id}, this is {trust.hardware_id}")
    _check_seq(document, state.vault)
    return Verified(bundle, document, keys)


def plan_installation(state: State, verified: Verified, clock: Clock, *, firmware: int) -> Change:
    """Install a verified bundle, to take effect at the next reset or, where mission rule 14 says so, at once.

    The vault comes first: when the configuration names the new document, the vault must let it run. It also
    still lets the documents before it run, until the configuration no longer names them.
    """
    document, old = verified.document, state.configuration
    moment = clock.raised(state.vault.clock, max(document.issued_at, verified.keys.keyset.issued_at))
    # What was given back may still be listed: the portal did not know yet when it made the document.
    alive = without(document, state.vault.tombstones)
    at_once = only_lengthens(state.in_effect, alive, now=clock.now(moment), firmware=firmware)
    # What was deleted comes back with the document; it was out of effect, so it never comes at once.
    configuration = (
        Configuration(verified.bundle, verified.bundle)
        if at_once
        else Configuration(verified.bundle, old.in_effect, gone=old.gone)
    )
    vault = replace(
        state.vault,
        min_seq=document.seq,
        highest_seq=document.seq,
        highest_sha256=document.sha256,
        accepted=_with(state.vault.accepted, accept(document)),
        reset_due=_reset_due(state, alive, clock.floor(moment)),
        keyset=verified.keys.signed,
        clock=moment,
    )
    first = replace(state, vault=vault)
    second = replace(first, configuration=configuration)
    outcome = Outcome.IN_EFFECT if at_once else Outcome.INSTALLED
    if state.installed == alive:
        outcome = Outcome.ALREADY_INSTALLED
    return Change((first, second, forgetting(second)), outcome)


def plan_reset(state: State, clock: Clock) -> Change:
    """Restart the device: calls and test mode end, and what is installed comes into effect.

    The first write says that a reset goes on, the last that it is over: once begun it is gone through with,
    whatever happens to the power. In between, the configuration comes before the vault: that may stop naming
    the old document only when nothing runs it.

    :raises Refusal: `nothing-installed` if there is nothing to end either.
    """
    if state.installed is None and not (state.operation.busy or state.operation.resetting):
        raise Refusal("nothing-installed")
    begun = replace(state, operation=state.operation.begin_reset())
    first = brought_into_effect(begun)
    second = forgetting(first).with_clock(clock.raised(state.vault.clock, 0))
    done = replace(second, operation=second.operation.end_reset())
    outcome = Outcome.RESTARTED if state.installed is None else Outcome.IN_EFFECT
    return Change((begun, first, second, done), outcome)


def plan_restore(state: State, backup: Configuration) -> Change:
    """Take the installed bundle of a backup, to come into effect at the reset like any other.

    The vault has the last word on whether it runs, so nothing comes back that has ended or was given back.
    """
    here = state.configuration
    configuration = Configuration(backup.installed, here.in_effect, backup.deleted, here.gone)
    return Change((replace(state, configuration=configuration),), Outcome.RESTORED)


def brought_into_effect(state: State) -> State:
    """Return the state whose configuration has the installed document in effect, if there is one."""
    installed, deleted = state.configuration.installed, state.configuration.deleted
    if state.installed is None:
        return state
    if deleted == ALL:
        return replace(state, configuration=Configuration())
    return replace(state, configuration=Configuration(installed, installed, deleted, deleted))


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


def _check_seq(document: LicenseDocument, vault: Vault) -> None:
    if document.seq < vault.min_seq:
        ruled_out = vault.min_seq > vault.highest_seq
        why = "a return of everything has ruled out all below" if ruled_out else "installed before:"
        raise Refusal("older-document", f"seq {document.seq}, {why} {vault.min_seq}")
    # A return of everything raises min_seq without a document of that number.
    if document.seq == vault.highest_seq and document.sha256 != vault.highest_sha256:
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


def forgetting(state: State) -> State:
    """Let only those documents run that the configuration names, call off a reset nobody needs, and drop the
    tombstones that have nothing left to keep down."""
    documents = (state.installed, state.in_effect)
    named = {accept(document) for document in documents if document is not None}
    vault = state.vault
    accepted = tuple(entry for entry in vault.accepted if entry in named)
    vault = replace(
        vault,
        accepted=accepted,
        reset_due=vault.reset_due if state.reset_required else None,
        tombstones=still_needed(
            vault.tombstones, min_seq=vault.min_seq, running=[entry.seq for entry in accepted]
        ),
    )
    return replace(state, vault=vault)
