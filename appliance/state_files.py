"""The vault, the configuration and the operation as JSON files."""

from typing import Any, Final

from appliance import base64url, claims, strict_json
from appliance.bundle import MAX_BYTES, read_bundle
from appliance.clock import ClockRecord
from appliance.document import payload_of, read_document
from appliance.objects import Objects, objects_from_json, objects_to_json
from appliance.operation import Operation, TestMode
from appliance.pending import PendingClaim, PendingReturn, ReceiptRecord
from appliance.receipt import read_receipt
from appliance.refusals import Refusal
from appliance.state import Accepted, Configuration, Vault
from appliance.store import MAX_BYTES as MAX_FILE_BYTES
from appliance.tombstones import Tombstone

VAULT_FORMAT: Final = 2
CONFIGURATION_FORMAT: Final = 2
OPERATION_FORMAT: Final = 1


def vault_to_json(vault: Vault) -> dict[str, Any]:
    """Return the vault as JSON."""
    pending, record, claim = vault.pending_return, vault.receipt, vault.pending_claim
    return {
        "format": VAULT_FORMAT,
        "min_seq": vault.min_seq,
        "highest_seq": vault.highest_seq,
        "highest_sha256": vault.highest_sha256,
        "accepted": [{"seq": entry.seq, "sha256": entry.sha256} for entry in vault.accepted],
        "reset_due": vault.reset_due,
        # As text: the levels of a signed document must not add to those of this file.
        "keyset": _text(vault.keyset),
        "clock": {"floor": vault.clock.floor, "boot": vault.clock.boot, "running": vault.clock.running},
        "ctr": vault.ctr,
        "tombstones": [{"id": stone.id, "next_seq": stone.next_seq} for stone in vault.tombstones],
        "pending_return": pending
        and {
            "payload": base64url.encode(pending.payload),
            "labels": pending.labels,
            "reset_done": pending.reset_done,
        },
        "receipt": record and {"signed": _text(record.signed), "labels": record.labels},
        "pending_claim": claim and base64url.encode(claim.payload),
        "acknowledged": {"installed": vault.acknowledged[0], "in_effect": vault.acknowledged[1]},
    }


def vault_from_json(value: dict[str, Any] | None) -> Vault:
    """Read the vault, also one of a firmware that could not give back yet (format 1).

    :raises Refusal: `damaged-state`; a device without its vault has forgotten what it must never forget.
    """
    if value is None:
        raise Refusal("damaged-state", "vault.json is missing")
    try:
        vault = _vault(_since_format_1(value) if value["format"] == 1 else value)
        vault.held_keyset()
        return vault
    except (Refusal, KeyError, TypeError, AttributeError, ValueError) as error:
        raise Refusal("damaged-state", f"vault.json: {error}") from error


def configuration_to_json(configuration: Configuration) -> dict[str, Any]:
    """Return the configuration as JSON."""
    installed, in_effect = configuration.installed, configuration.in_effect
    return {
        "format": CONFIGURATION_FORMAT,
        "installed": _text(installed.members if installed else None),
        "in_effect": _text(in_effect.members if in_effect else None),
        "deleted": list(configuration.deleted),
        "gone": list(configuration.gone),
    }


def configuration_from_json(value: dict[str, Any] | None) -> Configuration:
    """Read the configuration, also one of a firmware that could not delete yet (format 1).

    Without one the device is as after a factory reset.

    :raises Refusal: `damaged-state`.
    """
    if value is None:
        return Configuration()
    try:
        if value["format"] == 1:
            value = {**value, "format": CONFIGURATION_FORMAT, "deleted": [], "gone": []}
        _check_format(value, CONFIGURATION_FORMAT)
        installed, in_effect = value["installed"], value["in_effect"]
        return Configuration(
            installed=read_bundle(installed.encode()) if installed else None,
            in_effect=read_bundle(in_effect.encode()) if in_effect else None,
            deleted=_ids(value["deleted"]),
            gone=_ids(value["gone"]),
        )
    except (Refusal, KeyError, AttributeError) as error:
        raise Refusal("damaged-state", f"configuration.json: {error}") from error


def operation_to_json(operation: Operation) -> dict[str, Any]:
    """Return what the device is doing as JSON."""
    mode = operation.test_mode
    return {
        "format": OPERATION_FORMAT,
        "resets": operation.resets,
        "resetting": operation.resetting,
        "test_mode": mode and {"used": mode.used, "boot": mode.boot, "running": mode.running},
        "calls": operation.calls,
    }


def operation_from_json(value: dict[str, Any] | None) -> Operation:
    """Read what the device was doing; a device that was never reset does nothing.

    :raises Refusal: `damaged-state`.
    """
    if value is None:
        return Operation()
    try:
        _check_format(value, OPERATION_FORMAT)
        mode, calls = value["test_mode"], value["calls"]
        return Operation(
            resets=claims.integer(value, "resets"),
            resetting=claims.boolean(value, "resetting"),
            test_mode=mode
            and TestMode(claims.integer(mode, "used"), str(mode["boot"]), claims.integer(mode, "running")),
            calls={product: claims.integer(calls, product) for product in calls},
        )
    except (Refusal, KeyError, TypeError, AttributeError) as error:
        raise Refusal("damaged-state", f"operation.json: {error}") from error


def backup_to_json(configuration: Configuration, objects: Objects) -> dict[str, Any]:
    """Return what an administrator exports: the licenses as installed, users and config templates."""
    return {**configuration_to_json(configuration), "objects": objects_to_json(objects)}


def read_backup(data: bytes) -> tuple[Configuration, Objects | None]:
    """Read an exported configuration, as far as the device will read it from its own files later.

    The objects are None in a backup of a firmware that had none.

    :raises Refusal: `not-a-configuration`.
    """
    try:
        value = strict_json.loads(data, max_bytes=MAX_FILE_BYTES)
        configuration = configuration_from_json(value)
        if configuration.installed is not None:
            read_document(payload_of(configuration.installed.license))
        objects = objects_from_json(value["objects"]) if "objects" in value else None
    except (strict_json.NotStrictJSON, Refusal, TypeError) as error:
        raise Refusal("not-a-configuration", str(error)) from error
    return configuration, objects


def _since_format_1(value: dict[str, Any]) -> dict[str, Any]:
    return {
        **vault_to_json(Vault()),
        **value,
        "format": VAULT_FORMAT,
        "highest_seq": value["min_seq"],
        "highest_sha256": value["min_sha256"],
    }


def _vault(value: dict[str, Any]) -> Vault:
    _check_format(value, VAULT_FORMAT)
    clock, acknowledged, claim = value["clock"], value["acknowledged"], value["pending_claim"]
    return Vault(
        min_seq=claims.integer(value, "min_seq"),
        highest_seq=claims.integer(value, "highest_seq"),
        highest_sha256=value["highest_sha256"],
        accepted=tuple(
            Accepted(claims.integer(entry, "seq"), claims.text(entry, "sha256"))
            for entry in claims.objects(value, "accepted")
        ),
        reset_due=None if value["reset_due"] is None else claims.integer(value, "reset_due"),
        keyset=_object(value["keyset"]),
        clock=ClockRecord(
            claims.integer(clock, "floor"), str(clock["boot"]), claims.integer(clock, "running")
        ),
        ctr=claims.integer(value, "ctr"),
        tombstones=tuple(_tombstone(entry) for entry in claims.objects(value, "tombstones")),
        pending_return=_pending_return(value["pending_return"]),
        receipt=_receipt(value["receipt"]),
        pending_claim=_pending_claim(claim),
        acknowledged=(claims.integer(acknowledged, "installed"), claims.integer(acknowledged, "in_effect")),
    )


def _ids(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Refusal("malformed", "ids of deleted entries")
    return tuple(value)


def _tombstone(entry: dict[str, Any]) -> Tombstone:
    next_seq = None if entry["next_seq"] is None else claims.integer(entry, "next_seq")
    return Tombstone(claims.random_id(entry, "id"), next_seq)


def _pending_return(value: dict[str, Any] | None) -> PendingReturn | None:
    if value is None:
        return None
    payload = base64url.decode(claims.text(value, "payload", max_length=MAX_BYTES))
    pending = PendingReturn(payload, _labels(value), claims.boolean(value, "reset_done"))
    pending.check()
    return pending


def _pending_claim(value: str | None) -> PendingClaim | None:
    if value is None:
        return None
    claim = PendingClaim(base64url.decode(value))
    claim.check()
    return claim


def _receipt(value: dict[str, Any] | None) -> ReceiptRecord | None:
    if value is None:
        return None
    signed = claims.parse(value["signed"].encode(), max_bytes=MAX_BYTES)
    read_receipt(payload_of(signed))
    return ReceiptRecord(signed, _labels(value))


def _labels(value: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = value["labels"]
    if not all(isinstance(words, str) for words in labels.values()):
        raise Refusal("malformed", "a label that is no text")
    return labels


def _check_format(value: dict[str, Any], known: int) -> None:
    if value["format"] != known:
        raise Refusal("unknown-version", f"format {value['format']}")


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else strict_json.dumps(value).decode()


def _object(value: str | None) -> dict[str, Any] | None:
    if value is None:
        return None
    members = claims.parse(value.encode(), max_bytes=MAX_BYTES)
    if not members:
        raise Refusal("malformed", "a signed document with nothing in it")
    return members
