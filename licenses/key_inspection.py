"""Whether the keys of this portal do for this release, and what to do if not (trust.md 10)."""

from dataclasses import dataclass

from django.conf import settings

from licenses import bundle, key_store, keyring, last_signed
from licenses.key_store import SigningKeyMissing
from licenses.keyring import KeyRing
from licenses.models import KeySetVersion

_DEMO = "licenses.E002"
_TWO_SIGNATURES = 5000  # bytes, a little more than one of each algorithm


@dataclass(frozen=True, kw_only=True)
class Shortcoming:
    """What is missing, and the way out: a command where there is one. For operators, so in English."""

    id: str
    text: str
    way_out: str


@dataclass(frozen=True, kw_only=True)
class KeyState:
    """A key of the current key set as its operator sees it; times are POSIX seconds."""

    kid: str
    alg: str
    state: str
    since: int
    kept: bool
    """Whether its private key is on this server."""


def key_set_shortcomings() -> list[Shortcoming]:
    """What the key set lacks for this release; nothing if there is none yet. Needs no key files."""
    version = KeySetVersion.objects.order_by("-version").values_list("version", flat=True).first()
    if version is None:
        return []
    key_set = keyring.key_set_of(version)
    found = []
    if keyring.is_demo_identity(key_set.issuer) and not settings.DEMO:
        found.append(
            Shortcoming(
                id=_DEMO,
                text="The key set in the database is a demo's; no device may be given documents by it.",
                way_out="Start with an empty database, and run: manage.py keys publish DIR",
            )
        )
    in_use = {entry.public_key.alg for entry in key_set.keys if entry.in_use}
    if lacking := sorted(set(key_store.DOCUMENT_ALGORITHMS) - in_use):
        found.append(
            Shortcoming(
                id="licenses.E003",
                text=f"This release signs with {', '.join(lacking)} too; key set {version} has no such key.",
                way_out="With the roots at hand, run: manage.py keys rotate DIR",
            )
        )
    return found


def shortcomings() -> list[Shortcoming]:
    """Everything that keeps this server from signing as this release should, key files included."""
    found = key_set_shortcomings()
    if any(shortcoming.id == _DEMO for shortcoming in found):
        return found  # a demo's keys are not even looked for
    try:
        ring = keyring.current()
        _ = ring.signers
    except keyring.NoKeySet:
        found.append(
            Shortcoming(
                id="licenses.E004",
                text="There is no key set yet: no document can be signed.",
                way_out="With the roots at hand, run: manage.py keys publish DIR",
            )
        )
    except SigningKeyMissing as missing:
        found.append(
            Shortcoming(
                id="licenses.E005",
                text=f"The file of the key {missing.facts['kid']} is not in {settings.SIGNING_KEYS_DIR}, or "
                "SIGNING_KEYS_PASSPHRASE does not open it.",
                way_out="Put the file back; if it is lost, run: manage.py keys rotate DIR",
            )
        )
    else:
        found += _rolled_back(ring)
    return found


def _rolled_back(ring: KeyRing) -> list[Shortcoming]:
    found = []
    if last_signed.recall(ring.database).is_missing:
        found.append(
            Shortcoming(
                id="licenses.E006",
                text="The database is older than the documents that this server has signed: it was restored "
                "from a backup. Nothing is signed.",
                way_out="To see which number to give: manage.py seq_floor show. "
                "Then: manage.py seq_floor raise NUMBER --reason TEXT",
            )
        )
    return found


def keys_listed() -> tuple[KeyRing, list[KeyState]]:
    """The current key ring, and its keys in the order of the key set.

    :raises NoKeySet, DemoKeys: there are none.
    """
    ring = keyring.current()
    kept = key_store.kept()
    states = []
    for entry in ring.key_set.keys:
        state, since = "in use", entry.not_before
        if entry.retired_at is not None:
            state, since = "retired", entry.retired_at
        if entry.compromised_at is not None:
            state, since = "compromised", entry.compromised_at
        kid = entry.public_key.kid
        states.append(KeyState(kid=kid, alg=entry.public_key.alg, state=state, since=since, kept=kid in kept))
    return ring, states


def keys_to_destroy() -> list[str]:
    """The `kid` of each key that is kept on this server and makes no signatures any more.

    :raises NoKeySet, DemoKeys: there are none.
    """
    in_use = {entry.public_key.kid for entry in keyring.current().key_set.keys if entry.in_use}
    return sorted(key_store.kept() - in_use)


def changes_of_roots_left() -> int:
    """How many more changes of roots the license files have room for, at the size of the key set of now.

    :raises NoKeySet, DemoKeys: there is none.
    """
    ring = keyring.current()
    link = len(ring.signed) + _TWO_SIGNATURES
    return max(0, bundle.room_left_for_key_sets([link, *map(len, ring.chain_to_next)]) // link)
