"""Operations on the document keys and their roots; each publishes the next key set (trust.md 6 and 10).

They need the private roots, which are brought for this and taken away again. New document keys are kept
before a key set names them. Documents and receipts that were signed before are signed again when they are
next handed out (`licenses.handout`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from licenses import key_publication, key_store, keyring, keyset
from licenses.keyring import KeyRing
from licenses.keyset import KeyEntry
from licenses.models import KeySetVersion
from licenses.signers import PublicKey, Signer
from portal.core import acts, clock
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.models import Act


class KeySetExists(Conflict):
    code = "key-set-exists"
    title = _("There is a key set already.")
    why = _(
        "Devices know the portal by the roots of its first key set. A second first one would have other "
        "roots, and no device would accept its licenses."
    )
    way_out = _("Rotate its keys instead of making a first one.")
    source = "trust.md 6"


class OtherRoots(Invalid):
    code = "other-roots"
    title = _("These are not the roots of the current key set.")
    why = _(
        "Devices accept a key set only with the signatures of the roots they know. Signed by others, it "
        "would be useless to every device."
    )
    way_out = _("Bring the folder with the roots that devices know. Nothing was changed.")
    source = "trust.md 6"


class RootsUnchanged(Conflict):
    code = "roots-unchanged"
    title = _("The new roots are those of the current key set.")
    why = _(
        "A change of roots lengthens every license file for ever. One that changes nothing would cost that "
        "and protect nobody."
    )
    way_out = _("Make new ones in another folder with “manage.py keys make-roots”.")
    source = "trust.md 6"


class NoSuchKey(NotFound):
    code = "no-such-key"
    title = _("The current key set has no key %(kid)s.")
    why = _(
        "Marking a key as stolen makes everything it signed worthless. That must hit the right key, so it "
        "has to be named exactly."
    )
    way_out = _("“manage.py keys list” shows its keys. A key that is not listed counts for nothing already.")
    source = "trust.md 6"


class KeyNotInUse(Conflict):
    code = "key-not-in-use"
    title = _("The key %(kid)s makes no signatures any more.")
    why = _(
        "A key is taken out of use once, and the history keeps when and why. A second time would blur that."
    )
    way_out = _("Nothing needs to be done.")
    source = "trust.md 6"


@transaction.atomic(durable=True)
def publish_first_key_set(*, roots: Sequence[Signer], caller: Caller, now: datetime) -> KeySetVersion:
    """Publish key set 1: new document keys, vouched for by both roots.

    :raises KeySetExists: there is one already.
    :raises DemoKeys: the portal's identity is a demo's, and this is none.
    """
    act = _begin("publish-key-set", caller=caller, now=now, roots=roots)
    if act.outcome is not None:
        return KeySetVersion.objects.get(pk=act.outcome["version"])
    if KeySetVersion.objects.exists():
        raise KeySetExists
    return key_publication.publish(
        act,
        after=None,
        roots=_public(roots),
        make_keys=lambda: _new_keys(key_store.DOCUMENT_ALGORITHMS, now),
        signers=roots,
        caller=caller,
        now=now,
    )


@transaction.atomic(durable=True)
def rotate_keys(*, roots: Sequence[Signer], caller: Caller, now: datetime) -> KeySetVersion:
    """Put new document keys into use, one for each algorithm of this release.

    Those in use until now stay listed as retired; what was retired or compromised before leaves the key set.

    :raises OtherRoots: `roots` are not those of the current key set.
    :raises KeySetChanged: somebody else was first.
    :raises NoKeySet: there is none to follow.
    """
    act = _begin("rotate-keys", caller=caller, now=now, roots=roots)
    if act.outcome is not None:
        return KeySetVersion.objects.get(pk=act.outcome["version"])
    ring = _current(roots)
    retired = [replace(entry, retired_at=clock.posix(now)) for entry in ring.key_set.keys if entry.in_use]
    return key_publication.publish(
        act,
        after=ring,
        roots=ring.key_set.roots,
        make_keys=lambda: (*_new_keys(key_store.DOCUMENT_ALGORITHMS, now), *retired),
        signers=roots,
        caller=caller,
        now=now,
        retired=[entry.public_key.kid for entry in retired],
    )


@transaction.atomic(durable=True)
def retire_key(*, kid: str, roots: Sequence[Signer], caller: Caller, now: datetime) -> KeySetVersion:
    """Replace one document key by a new one of its algorithm. What it signed stays good until it leaves the
    key set, when its algorithm's next key is replaced.

    :raises NoSuchKey: the current key set does not list it.
    :raises KeyNotInUse: it was replaced before.
    :raises OtherRoots, KeySetChanged, NoKeySet: as for `rotate_keys`.
    """
    act = _begin("retire-key", caller=caller, now=now, roots=roots, kid=kid)
    if act.outcome is not None:
        return KeySetVersion.objects.get(pk=act.outcome["version"])
    ring = _current(roots)
    entry = _entry(ring, kid)
    if not entry.in_use:
        raise KeyNotInUse(kid=kid)
    retired = replace(entry, retired_at=clock.posix(now))
    return key_publication.publish(
        act,
        after=ring,
        roots=ring.key_set.roots,
        make_keys=lambda: _succeeded(retired, ring, now),
        signers=roots,
        caller=caller,
        now=now,
        retired=[kid],
    )


@transaction.atomic(durable=True)
def compromise_key(*, kid: str, roots: Sequence[Signer], caller: Caller, now: datetime) -> KeySetVersion:
    """Declare a document key compromised: no signature by it counts any more, whenever it was made.

    A key in use is replaced at once. Documents that it signed are signed again when they are next handed out,
    so that nobody loses a license.

    :raises NoSuchKey: the current key set does not list it.
    :raises KeyNotInUse: it was declared compromised before.
    :raises OtherRoots, KeySetChanged, NoKeySet: as for `rotate_keys`.
    """
    act = _begin("compromise-key", caller=caller, now=now, roots=roots, kid=kid)
    if act.outcome is not None:
        return KeySetVersion.objects.get(pk=act.outcome["version"])
    ring = _current(roots)
    entry = _entry(ring, kid)
    if entry.compromised_at is not None:
        raise KeyNotInUse(kid=kid)
    compromised = replace(entry, compromised_at=clock.posix(now))

    def keys() -> tuple[KeyEntry, ...]:
        if entry.in_use:
            return _succeeded(compromised, ring, now)
        return tuple(compromised if other == entry else other for other in ring.key_set.keys)

    return key_publication.publish(
        act,
        after=ring,
        roots=ring.key_set.roots,
        make_keys=keys,
        signers=roots,
        caller=caller,
        now=now,
        compromised=[kid],
    )


@transaction.atomic(durable=True)
def change_roots(
    *, roots: Sequence[Signer], new_roots: Sequence[Signer], caller: Caller, now: datetime
) -> KeySetVersion:
    """Hand over to new roots: the next key set is signed by the old and the new ones, and stays in the chain
    of every bundle from then on. The document keys stay as they are.

    :param roots: those of the current key set.
    :raises RootsUnchanged: the new ones are the old ones.
    :raises KeySetsTooLarge: devices would not take bundles with a chain that long.
    :raises OtherRoots, KeySetChanged, NoKeySet: as for `rotate_keys`.
    """
    act = _begin("change-roots", caller=caller, now=now, roots=roots, new_roots=new_roots)
    if act.outcome is not None:
        return KeySetVersion.objects.get(pk=act.outcome["version"])
    ring = _current(roots)
    before = set(ring.key_set.roots)
    if before == set(_public(new_roots)):
        raise RootsUnchanged
    staying = {root.kid for root in roots}
    return key_publication.publish(
        act,
        after=ring,
        roots=_public(new_roots),
        make_keys=lambda: ring.key_set.keys,
        signers=[*roots, *(root for root in new_roots if root.kid not in staying)],
        caller=caller,
        now=now,
        roots_changed=True,
    )


def _begin(
    operation: str,
    *,
    caller: Caller,
    now: datetime,
    roots: Sequence[Signer],
    new_roots: Sequence[Signer] = (),
    kid: str | None = None,
) -> Act:
    given = {
        "roots": [root.kid for root in roots],
        "new_roots": [root.kid for root in new_roots],
        "kid": kid,
    }
    return acts.begin(operation=operation, caller=caller, given=given, now=now)


def _current(roots: Sequence[Signer]) -> KeyRing:
    ring = keyring.current()
    if set(_public(roots)) != set(ring.key_set.roots):
        raise OtherRoots
    return ring


def _entry(ring: KeyRing, kid: str) -> KeyEntry:
    for entry in ring.key_set.keys:
        if entry.public_key.kid == kid:
            return entry
    raise NoSuchKey(kid=kid)


def _public(signers: Sequence[Signer]) -> tuple[PublicKey, ...]:
    return tuple(PublicKey.from_jwk(signer.public_jwk()) for signer in signers)


def _new_keys(algorithms: Sequence[str], now: datetime) -> tuple[KeyEntry, ...]:
    made = _public([key_store.make(alg) for alg in algorithms])
    return tuple(
        KeyEntry(public_key=public_key, typs=keyset.SIGNED_TYPS, not_before=clock.posix(now))
        for public_key in made
    )


def _succeeded(leaving: KeyEntry, ring: KeyRing, now: datetime) -> tuple[KeyEntry, ...]:
    """The keys with a new one in the place of `leaving`, which stays listed behind; what of its algorithm
    left use before is the generation before last, and goes."""
    alg = leaving.public_key.alg
    others = [entry for entry in ring.key_set.keys if entry.public_key.alg != alg]
    # The new one in front, as in a first key set: keys in use before keys that were.
    return (*_new_keys([alg], now), *others, leaving)
