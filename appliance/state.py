"""What the device remembers, in two parts.

The *configuration* is what an administrator may export and restore, or lose by a factory reset: the
installed bundle and the one in effect. The *vault* lies outside of it and survives both (trust.md 5): the
highest `seq`, the documents that may run, the key set and the floor of the clock; what has been given back
belongs there, too. A restored configuration cannot bring back what the vault has left behind, since nothing
runs that the vault does not name.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from appliance import base64url, claims, strict_json
from appliance.bundle import MAX_BYTES, Bundle, license_payload, read_bundle
from appliance.clock import FACTORY_RECORD, ClockRecord
from appliance.document import LicenseDocument, read_document
from appliance.keyset import KeySet, read_keyset
from appliance.refusals import Refusal

FORMAT: Final = 1


@dataclass(frozen=True)
class Accepted:
    """A license document that may run: its `seq` and the SHA-256 of its payload, in hexadecimal."""

    seq: int
    sha256: str


@dataclass(frozen=True)
class Vault:
    """The part outside the exported configuration.

    `min_seq` and `min_sha256` name the highest document ever installed; a lower one is never taken.
    `reset_due` is the latest time, on the floor clock in POSIX seconds, of the reset that ends what the
    installed document no longer lists (mission rule 14). `keyset` is the highest one held, as it was signed.
    """

    min_seq: int = 0
    min_sha256: str = ""
    accepted: tuple[Accepted, ...] = ()
    reset_due: int | None = None
    keyset: dict[str, Any] | None = None
    clock: ClockRecord = FACTORY_RECORD

    def keyset_payload(self) -> bytes | None:
        """Return the payload bytes of the key set held. It was verified when it was taken."""
        return base64url.decode(self.keyset["payload"]) if self.keyset else None

    def held_keyset(self) -> KeySet | None:
        """Return the key set held, read."""
        payload = self.keyset_payload()
        return read_keyset(payload) if payload is not None else None


@dataclass(frozen=True)
class Configuration:
    """The exported part: the bundle installed last, and the one that was installed at the last reset."""

    installed: Bundle | None = None
    in_effect: Bundle | None = None


@dataclass(frozen=True)
class State:
    """Both parts together, with the documents of the bundles that the vault lets run."""

    vault: Vault
    configuration: Configuration

    @property
    def installed(self) -> LicenseDocument | None:
        """The document that comes into effect at the next reset, or is in effect already."""
        return self._running(self.configuration.installed)

    @property
    def in_effect(self) -> LicenseDocument | None:
        """The document that came into effect last."""
        return self._running(self.configuration.in_effect)

    @property
    def reset_required(self) -> bool:
        """Whether the installed document is another than the one in effect."""
        return self.installed is not None and self.installed != self.in_effect

    def with_clock(self, clock: ClockRecord) -> "State":
        """Return the state with another record of the clock."""
        return replace(self, vault=replace(self.vault, clock=clock))

    def _running(self, bundle: Bundle | None) -> LicenseDocument | None:
        if bundle is None:
            return None
        try:
            document = read_document(license_payload(bundle))
        except Refusal as error:
            raise Refusal("damaged-state", f"configuration.json: {error}") from error
        known = Accepted(document.seq, document.sha256) in self.vault.accepted
        return document if known else None


def accept(document: LicenseDocument) -> Accepted:
    """Return the name under which the vault lets `document` run."""
    return Accepted(document.seq, document.sha256)


def vault_to_json(vault: Vault) -> dict[str, Any]:
    """Return the vault as JSON."""
    return {
        "format": FORMAT,
        "min_seq": vault.min_seq,
        "min_sha256": vault.min_sha256,
        "accepted": [{"seq": entry.seq, "sha256": entry.sha256} for entry in vault.accepted],
        "reset_due": vault.reset_due,
        # As text: the levels of a signed document must not add to those of this file.
        "keyset": _text(vault.keyset),
        "clock": {"floor": vault.clock.floor, "boot": vault.clock.boot, "running": vault.clock.running},
    }


def vault_from_json(value: dict[str, Any] | None) -> Vault:
    """Read the vault.

    :raises Refusal: `damaged-state`; a device without its vault has forgotten what it must never forget.
    """
    if value is None:
        raise Refusal("damaged-state", "vault.json is missing")
    try:
        _check_format(value)
        clock = value["clock"]
        return Vault(
            min_seq=claims.integer(value, "min_seq"),
            min_sha256=value["min_sha256"],
            accepted=tuple(
                Accepted(claims.integer(entry, "seq"), claims.text(entry, "sha256"))
                for entry in claims.objects(value, "accepted")
            ),
            reset_due=None if value["reset_due"] is None else claims.integer(value, "reset_due"),
            keyset=_object(value["keyset"]),
            clock=ClockRecord(
                claims.integer(clock, "floor"), str(clock["boot"]), claims.integer(clock, "running")
            ),
        )
    except (Refusal, KeyError, TypeError) as error:
        raise Refusal("damaged-state", f"vault.json: {error}") from error


def configuration_to_json(configuration: Configuration) -> dict[str, Any]:
    """Return the configuration as JSON."""
    installed, in_effect = configuration.installed, configuration.in_effect
    return {
        "format": FORMAT,
        "installed": _text(installed.members if installed else None),
        "in_effect": _text(in_effect.members if in_effect else None),
    }


def configuration_from_json(value: dict[str, Any] | None) -> Configuration:
    """Read the configuration; without one the device is as after a factory reset.

    :raises Refusal: `damaged-state`.
    """
    if value is None:
        return Configuration()
    try:
        _check_format(value)
        installed, in_effect = value["installed"], value["in_effect"]
        return Configuration(
            installed=read_bundle(installed.encode()) if installed else None,
            in_effect=read_bundle(in_effect.encode()) if in_effect else None,
        )
    except (Refusal, KeyError, AttributeError) as error:
        raise Refusal("damaged-state", f"configuration.json: {error}") from error


def _check_format(value: dict[str, Any]) -> None:
    if value["format"] != FORMAT:
        raise Refusal("unknown-version", f"format {value['format']}")


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else strict_json.dumps(value).decode()


def _object(value: str | None) -> dict[str, Any] | None:
    return None if value is None else claims.parse(value.encode(), max_bytes=MAX_BYTES)
