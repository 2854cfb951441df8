"""Tombstones: what has been given back stays out of effect, whatever document still lists it (trust.md 5)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from appliance.document import LicenseDocument


@dataclass(frozen=True)
class Tombstone:
    """An item given back. Documents from `next_seq` on, which the receipt says, no longer list it."""

    id: str
    next_seq: int | None = None


def without(document: LicenseDocument, tombstones: Iterable[Tombstone]) -> LicenseDocument:
    """Return `document` without the items given back."""
    gone = {tombstone.id for tombstone in tombstones}
    return replace(document, items=tuple(item for item in document.items if item.id not in gone))


def laid(tombstones: tuple[Tombstone, ...], ids: Collection[str]) -> tuple[Tombstone, ...]:
    """Return `tombstones` with one for each of `ids`; one that has its receipt already stays as it is."""
    known = {tombstone.id for tombstone in tombstones}
    return (*tombstones, *(Tombstone(name) for name in dict.fromkeys(ids) if name not in known))


def answered(
    tombstones: tuple[Tombstone, ...], *, ended: Collection[str], lifted: Collection[str], next_seq: int
) -> tuple[Tombstone, ...]:
    """Return what is left after a receipt.

    :param ended: ids that will never come back, those the device has never seen among them.
    :param lifted: ids that were not given back after all (`kept` and `unknown`). A tombstone that an earlier
        receipt has confirmed is not lifted by a later one.
    """
    kept = [
        replace(tombstone, next_seq=next_seq) if tombstone.next_seq is None else tombstone
        for tombstone in laid(tombstones, ended)
        if tombstone.next_seq is not None or tombstone.id not in lifted
    ]
    return tuple(kept)


def still_needed(
    tombstones: tuple[Tombstone, ...], *, min_seq: int, running: Collection[int]
) -> tuple[Tombstone, ...]:
    """Return the tombstones without which something given back could come into effect again.

    trust.md 5 drops one when a document of its `next_seq` or later is installed. Until the reset the document
    before may still run, and it lists what was given back: a tombstone stays as long as it does.

    :param min_seq: the lowest `seq` that can still be installed.
    :param running: the `seq` of every document that may run.
    """
    return tuple(
        tombstone
        for tombstone in tombstones
        if tombstone.next_seq is None or min((min_seq, *running)) < tombstone.next_seq
    )
