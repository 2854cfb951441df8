"""Publishing a key set: signed by its roots, stored, in the public log and in the history (trust.md 6 and 8).

What each next key set lists is the business of `licenses.key_ceremony`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from licenses import bundle, jose, keyring, keyset, transparency
from licenses.keyring import DemoKeys, KeyRing
from licenses.keyset import KeyEntry, KeySetV1
from licenses.log_line import LeafType
from licenses.models import KeySetVersion
from licenses.signers import PublicKey, Signer
from portal.core import acts, audit, clock
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class KeySetChanged(Conflict):
    code = "key-set-changed"
    title = _("Somebody else published a key set at the same moment.")
    why = _(
        "Each key set follows exactly one other. If both were kept, some devices would believe one and some "
        "the other."
    )
    way_out = _("Look at it with “manage.py keys list” before you publish another. Nothing was changed.")
    source = "trust.md 6"


class KeySetsTooLarge(Conflict):
    """Told here, where it can still be avoided, and not to the device whose file does not fit."""

    code = "key-sets-too-large"
    title = _("Devices would not take that: key set and chain together are %(excess)s bytes too large.")
    why = _(
        "Devices read a license file only up to a fixed size. A key set that leaves no room for licenses "
        "would cut all of them off at once."
    )
    way_out = _("Keep the roots. Each change of roots lengthens every license file, for ever.")
    source = "trust.md 2"


def publish(
    act: Act,
    *,
    after: KeyRing | None,
    roots: Sequence[PublicKey],
    make_keys: Callable[[], Sequence[KeyEntry]],
    signers: Sequence[Signer],
    caller: Caller,
    now: datetime,
    **facts: Any,
) -> KeySetVersion:
    """Sign and store the key set after `after`, in the caller's transaction, and finish its act.

    :param after: the key ring of now; None for a first key set.
    :param make_keys: gives the keys to list; called last, so that none is made in vain.
    :param signers: the private roots, of both generations where they change.
    :param facts: what the history says beside the version.
    :raises KeySetChanged: somebody else was first.
    :raises KeySetsTooLarge: devices would not take bundles with a chain that long.
    :raises DemoKeys: the portal's identity is a demo's, and this is none.
    """
    if keyring.is_demo_identity(settings.PORTAL_ID) and not settings.DEMO:
        raise DemoKeys
    key_set = KeySetV1(
        issuer=settings.PORTAL_ID,
        version=after.version + 1 if after else 1,
        issued_at=clock.posix(now),
        keys=tuple(make_keys()),
        roots=tuple(roots),
    )
    payload = key_set.to_payload()
    signed = jose.sign_general(payload, typ=keyset.TYP, signers=signers)
    if after is not None:
        # What no device would accept is never published, whatever led to it.
        keyset.verify_step(after.key_set.root_set, signed, above=after.version)
        if set(roots) != set(after.key_set.roots):
            _check_size(signed, after)
    # ON CONFLICT DO NOTHING waits for another one who publishes this version, and then leaves theirs.
    wanted = KeySetVersion(version=key_set.version, signed=signed, made_at=now)
    KeySetVersion.objects.bulk_create([wanted], ignore_conflicts=True)
    row = KeySetVersion.objects.get(version=key_set.version)
    if bytes(row.signed) != signed:
        raise KeySetChanged
    transparency.record(
        act=act, leaf_type=LeafType.KEY_SET, told=[], document_sha256=transparency.sha256(payload), now=now
    )
    audit.record("key-set-published", caller=caller, now=now, act=act, version=row.version, **facts)
    acts.finish(act, outcome={"version": row.version})
    return row


def _check_size(link: bytes, after: KeyRing) -> None:
    """Whether bundles still have room for a chain with `link` at its end, and for a key set behind that.

    Only a change of roots makes bundles larger, so only here is there something to refuse.
    """
    # Twice: a key set that follows is no larger than the link, which has two signatures more.
    room = bundle.room_left_for_key_sets(map(len, (*after.chain_to_next, link, link)))
    if room < 0:
        raise KeySetsTooLarge(excess=-room)
