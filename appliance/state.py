"""What the device remembers, in three parts.

The *configuration* is what an administrator may export and restore, or lose by a factory reset: the
installed bundle and the one in effect. The *vault* lies outside of it and survives both (trust.md 5): the
highest `seq`, the documents that may run, what has been given back, the device's counter, the key set and the
floor of the clock. A restored configuration cannot bring back what the vault has left behind, since nothing
runs that the vault does not name, and nothing of it that has a tombstone there. The *operation* is what goes
on since the last reset: appliance/operation.py.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from appliance.bundle import Bundle
from appliance.clock import FACTORY_RECORD, ClockRecord
from appliance.document import Item, LicenseDocument, payload_of, read_document
from appliance.keyset import KeySet, read_keyset
from appliance.operation import Operation
from appliance.pending import ALL, PendingClaim, PendingReturn, ReceiptRecord
from appliance.refusals import Refusal
from appliance.tombstones import Tombstone, without


@dataclass(frozen=True)
class Accepted:
    """A license document that may run: its `seq` and the SHA-256 of its payload, in hexadecimal."""

    seq: int
    sha256: str


@dataclass(frozen=True)
class Vault:
    """The part outside the exported configuration.

    `highest_seq` and `highest_sha256` name the highest document ever installed. No document below `min_seq`
    is taken: that is the highest `seq`, unless a return of everything has raised it further.
    `reset_due` is the latest time, on the floor clock in POSIX seconds, of the reset that ends what the
    installed document no longer lists (mission rule 14). `keyset` is the highest one held, as it was signed.
    `ctr` is the counter of the last return, acknowledgement or claim; `acknowledged` what the portal was told
    last to be installed and in effect; `receipt` the last receipt.
    """

    min_seq: int = 0
    highest_seq: int = 0
    highest_sha256: str = ""
    accepted: tuple[Accepted, ...] = ()
    reset_due: int | None = None
    keyset: dict[str, Any] | None = None
    clock: ClockRecord = FACTORY_RECORD
    ctr: int = 0
    tombstones: tuple[Tombstone, ...] = ()
    pending_return: PendingReturn | None = None
    receipt: ReceiptRecord | None = None
    pending_claim: PendingClaim | None = None
    acknowledged: tuple[int, int] = (0, 0)

    def keyset_payload(self) -> bytes | None:
        """Return the payload bytes of the key set held. It was verified when it was taken."""
        return payload_of(self.keyset) if self.keyset else None

    def held_keyset(self) -> KeySet | None:
        """Return the key set held, read."""
        payload = self.keyset_payload()
        return read_keyset(payload) if payload is not None else None


@dataclass(frozen=True)
class Configuration:
    """The exported part: the bundle installed last, and the one that was installed at the last reset.

    `deleted` names the items that the administrator took out (mission rule 30), or ALL for the document: they
    go out of effect at the next reset, and stay out until a document is installed. `gone` names those that
    the last reset has left out of what is in effect.
    """

    installed: Bundle | None = None
    in_effect: Bundle | None = None
    deleted: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """All parts together, with the documents of the bundles that the vault lets run."""

    vault: Vault
    configuration: Configuration
    operation: Operation = field(default_factory=Operation)

    @property
    def installed(self) -> LicenseDocument | None:
        """The document that comes into effect at the next reset, without what was given back or deleted."""
        return self._left_of(self.configuration.installed, self.configuration.deleted)

    @property
    def in_effect(self) -> LicenseDocument | None:
        """The document that came into effect last, without what was given back, or deleted before it did.

        A tombstone works at once, and so does lifting one: the document in effect is still the same.
        """
        return self._left_of(self.configuration.in_effect, self.configuration.gone)

    @property
    def reset_required(self) -> bool:
        """Whether the installed document is another than the one in effect."""
        return self.installed is not None and self.installed != self.in_effect

    @property
    def seqs(self) -> tuple[int, int]:
        """The `seq` installed and the one in effect, 0 for none: what an acknowledgement says."""
        installed, in_effect = self.installed, self.in_effect
        return (installed.seq if installed else 0, in_effect.seq if in_effect else 0)

    @property
    def acknowledgement_due(self) -> bool:
        """Whether the portal has not been told yet what is installed and in effect."""
        return self.seqs not in {(0, 0), self.vault.acknowledged}

    def held_items(self) -> dict[str, Item]:
        """Return every item of the documents that may run, given back or not, by its id."""
        return {item.id: item for document in self._documents() for item in document.items}

    def highest_listing(self, ids: Collection[str]) -> int:
        """Return the highest `seq` of the documents that may run and list one of `ids`; 0 if none does."""
        listing = (
            document.seq for document in self._documents() if any(item.id in ids for item in document.items)
        )
        return max(listing, default=0)

    def with_clock(self, clock: ClockRecord) -> "State":
        """Return the state with another record of the clock."""
        return replace(self, vault=replace(self.vault, clock=clock))

    def _documents(self) -> list[LicenseDocument]:
        configuration = self.configuration
        documents = (self._running(configuration.in_effect), self._running(configuration.installed))
        return [document for document in documents if document is not None]

    def _left_of(self, bundle: Bundle | None, deleted: Collection[str]) -> LicenseDocument | None:
        document = self._running(bundle)
        if document is None:
            return None
        left = without(document, self.vault.tombstones)
        items = () if deleted == ALL else tuple(item for item in left.items if item.id not in deleted)
        return replace(left, items=items)

    def _running(self, bundle: Bundle | None) -> LicenseDocument | None:
        if bundle is None:
            return None
        try:
            document = read_document(payload_of(bundle.license))
        except Refusal as error:
            raise Refusal("damaged-state", f"configuration.json: {error}") from error
        return document if accept(document) in self.vault.accepted else None


def accept(document: LicenseDocument) -> Accepted:
    """Return the name under which the vault lets `document` run."""
    return Accepted(document.seq, document.sha256)
