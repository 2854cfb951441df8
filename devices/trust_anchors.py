"""Whose device certificates count: trust anchors and the hardware IDs they speak for (trust.md 1)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from devices import pki
from devices.models import AnchorPrefix, TrustAnchor
from devices.queries import NoSuchAnchor
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid

REASONS = {
    "not-a-certificate": _("this is not a PEM certificate"),
    "not-an-authority": _("it is not the certificate of a CA with a P-256 or P-384 key"),
    "place": _("the hardware ID is in serialNumber or CN"),
    "no-prefix": _("it would speak for no hardware ID without a prefix"),
    "prefix": _("a prefix has three to six octets"),
    "name": _("the manufacturer has no name, or one of more than 100 characters"),
}


class AnchorUnusable(Invalid):
    """Facts hold `field`: which part of what was given it is about."""

    code = "anchor-unusable"
    title = _("This cannot be a trust anchor: %(reason)s.")
    why = _(
        "A trust anchor lets a manufacturer's devices prove who they are, for many years. A weak key or too "
        "wide a range would let others speak for them as well."
    )
    way_out = _("Give the PEM certificate of a CA with a P-256 or P-384 key, and prefixes like 00-90-33.")
    source = "trust.md 1"


class AnchorKnown(Conflict):
    code = "anchor-known"
    title = _("This certificate is a trust anchor already, of %(manufacturer)s.")
    why = _(
        "Each certificate is one anchor with one manufacturer. Entered twice, it could be removed once and "
        "still be trusted."
    )
    way_out = _("Nothing needs to be done, unless it shall speak for other hardware IDs.")
    source = "trust.md 1"


class PrefixOfAnotherManufacturer(Conflict):
    code = "prefix-of-another-manufacturer"
    title = _("The prefix %(prefix)s belongs to %(manufacturer)s already.")
    why = _(
        "If two manufacturers could speak for one range, each could make certificates for devices of the "
        "other and take over their licenses."
    )
    way_out = _("Each range of hardware IDs belongs to one manufacturer. Correct the prefix or the name.")
    source = "trust.md 1"


def look_at_trust_anchor(
    *, certificate: bytes, prefixes: Sequence[str], hardware_id_in: str
) -> pki.CertificateFacts:
    """Read what `add_trust_anchor` would accept, for people to compare first. Nothing is changed.

    :raises AnchorUnusable: the certificate, a prefix or the place cannot be used.
    """
    return pki.facts_of(_read(certificate, prefixes, hardware_id_in).certificate)


@transaction.atomic(durable=True)
def add_trust_anchor(
    *,
    certificate: bytes,
    manufacturer: str,
    prefixes: Sequence[str],
    hardware_id_in: str,
    caller: Caller,
    now: datetime,
) -> TrustAnchor:
    """Accept a manufacturer's CA for the hardware IDs under `prefixes`.

    :param certificate: the CA certificate as PEM.
    :param hardware_id_in: `serialNumber` or `CN`, where its device certificates hold the hardware ID.
    :raises AnchorUnusable: the certificate, a prefix, the manufacturer's name or the place cannot be used.
    :raises AnchorKnown: the certificate was accepted before.
    :raises PrefixOfAnotherManufacturer: one of the prefixes overlaps with another manufacturer's.
    :raises NoSuchAnchor: the act was done before, and the anchor has been removed since.
    """
    manufacturer, prefixes = manufacturer.strip(), sorted(set(prefixes))
    if not 0 < len(manufacturer) <= 100:
        raise AnchorUnusable(reason=REASONS["name"], field="manufacturer")
    parsed = _read(certificate, prefixes, hardware_id_in)
    der = parsed.certificate.public_bytes(Encoding.DER)
    act = acts.begin(
        operation="add-trust-anchor",
        caller=caller,
        given={
            "sha256": hashlib.sha256(der).hexdigest(),
            "manufacturer": manufacturer,
            "prefixes": prefixes,
            "in": hardware_id_in,
        },
        now=now,
    )
    if act.outcome is not None:
        # A repetition brings nothing back that somebody has removed for a reason.
        added = TrustAnchor.objects.filter(pk=act.outcome["anchor"]).first()
        if added is None:
            raise NoSuchAnchor
        return added
    _lock_prefixes()
    known = TrustAnchor.objects.filter(sha256=hashlib.sha256(der).digest()).first()
    if known is not None:
        raise AnchorKnown(manufacturer=known.manufacturer)
    for other in AnchorPrefix.objects.exclude(anchor__manufacturer=manufacturer).select_related("anchor"):
        for prefix in prefixes:
            if f"{prefix}-".startswith(f"{other.prefix}-") or f"{other.prefix}-".startswith(f"{prefix}-"):
                raise PrefixOfAnotherManufacturer(prefix=prefix, manufacturer=other.anchor.manufacturer)
    anchor = TrustAnchor.objects.create(
        manufacturer=manufacturer,
        certificate=der,
        sha256=hashlib.sha256(der).digest(),
        hardware_id_in=hardware_id_in,
        added_at=now,
        added_by=caller.name,
    )
    AnchorPrefix.objects.bulk_create(AnchorPrefix(anchor=anchor, prefix=prefix) for prefix in prefixes)
    audit.record(
        "trust-anchor-added",
        caller=caller,
        now=now,
        act=act,
        manufacturer=manufacturer,
        sha256=bytes(anchor.sha256).hex(),
        prefixes=prefixes,
    )
    acts.finish(act, outcome={"anchor": anchor.pk})
    return anchor


@transaction.atomic(durable=True)
def remove_trust_anchor(*, sha256: bytes, caller: Caller, now: datetime) -> None:
    """Stop accepting certificates that go back to an anchor. Keys that devices have pinned stay pinned.

    :param sha256: of the anchor's certificate: by it the act can be repeated after the anchor is gone.
    :raises ReasonNeeded: the caller gives no reason.
    :raises NoSuchAnchor: no such certificate is a trust anchor.
    """
    reason = acts.reason_of(caller)
    act = acts.begin(
        operation="remove-trust-anchor",
        caller=caller,
        given={"sha256": sha256.hex(), "reason": reason},
        now=now,
    )
    if act.outcome is not None:
        return
    anchor = TrustAnchor.objects.select_for_update().filter(sha256=sha256).first()
    if anchor is None:
        raise NoSuchAnchor
    prefixes = sorted(anchor.prefixes.values_list("prefix", flat=True))
    anchor.delete()
    audit.record(
        "trust-anchor-removed",
        caller=caller,
        now=now,
        act=act,
        manufacturer=anchor.manufacturer,
        sha256=sha256.hex(),
        prefixes=prefixes,
        reason=reason,
    )
    acts.finish(act, outcome={})


def _lock_prefixes() -> None:
    """Let nobody else add prefixes until commit: each new one is compared with all others, and two at once
    would not see each other. Row locks cannot do that for rows that are not there yet."""
    if connection.vendor == "postgresql":  # SQLite has one writer at a time anyway
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {AnchorPrefix._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def _read(certificate: bytes, prefixes: Sequence[str], hardware_id_in: str) -> pki.Anchor:
    place = next((place for place in get_args(pki.Place) if place == hardware_id_in), None)
    if place is None:
        raise AnchorUnusable(reason=REASONS["place"], field="hardware_id_in")
    try:
        return pki.Anchor(
            certificate=pki.read_pem(certificate), prefixes=tuple(prefixes), hardware_id_in=place
        )
    except pki.UnusableAnchor as error:
        field = "prefixes" if error.reason in {"no-prefix", "prefix"} else "certificate"
        raise AnchorUnusable(reason=REASONS[error.reason], field=field) from error
