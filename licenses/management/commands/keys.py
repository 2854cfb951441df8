"""`manage.py keys …`: the portal's signing keys and their roots (trust.md 6 and 10; docs/operations.md)."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from licenses import key_ceremony, key_inspection, key_store, keyring
from licenses.models import KeySetVersion
from licenses.signers import (
    Ed25519Signer,
    FileSigner,
    MLDSA65Signer,
    UnreadableKeyFile,
    UnsupportedKey,
    read_key_file,
    write_key_file,
)
from portal.core import acts, clock
from portal.core.acts import Caller
from portal.core.errors import DomainError

ROOT_FILES = {"Ed25519": "root-ed25519.pem", "ML-DSA-65": "root-ml-dsa-65.pem"}
PASSPHRASE = "ROOT_KEYS_PASSPHRASE"  # noqa: S105 - where it is, not what it is
NEW_PASSPHRASE = "NEW_ROOT_KEYS_PASSPHRASE"  # noqa: S105
FOLDER = "the folder with the root keys"
KID = "the key, as “keys list” shows it"


class Command(BaseCommand):
    help = "Make roots; publish, rotate, retire or declare compromised the keys of documents; look at them."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)

        def action(name: str, told: str, **arguments: str) -> CommandParser:
            made: CommandParser = actions.add_parser(name, help=told)
            for argument, meaning in arguments.items():
                made.add_argument(argument, type=str if argument == "kid" else Path, help=meaning)
            return made

        action("make-roots", "make two root keys in a folder; keep it off the server", folder="a new folder")
        publish = action("publish", "make document keys and sign the first key set", folder=FOLDER)
        publish.add_argument("--if-missing", action="store_true", help="do nothing where there is one")
        changes = [
            action("rotate", "put new document keys into use; the old ones are retired", folder=FOLDER),
            action("retire", "replace one document key", kid=KID, folder=FOLDER),
            action("compromise", "let no signature by a key count any more", kid=KID, folder=FOLDER),
            action(
                "change-roots", "hand over to new roots", folder=FOLDER, new_folder="that of the new ones"
            ),
        ]
        for change in changes:
            change.add_argument("--reason", default="", help="for the history")
            change.add_argument(
                "--act", default="", help="name of this change; given again, it is not repeated"
            )
        listing = action("list", "show the keys of the current key set")
        listing.add_argument("--json", action="store_true", help="for programs")
        action("encrypt-anew", "put the files of document keys under the newest passphrase")
        action("check", "exit with 1, and say what to run, if this release lacks a key")
        action("roots", "print the roots as JSON, for devices to pin")

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            self._handle(action, options)
        except DomainError as error:
            raise CommandError(f"{error.headline} {error.detail} [{error.code}]") from error

    def _handle(self, action: str, options: dict[str, Any]) -> None:
        match action:
            case "make-roots":
                self._make_roots(options["folder"])
            case "publish":
                self._publish(options)
            case "rotate":
                self._change(options, key_ceremony.rotate_keys)
            case "retire":
                self._change(options, key_ceremony.retire_key, kid=options["kid"])
            case "compromise":
                self._change(options, key_ceremony.compromise_key, kid=options["kid"])
            case "change-roots":
                new_roots = _roots(options["new_folder"], NEW_PASSPHRASE)
                self._change(options, key_ceremony.change_roots, new_roots=new_roots)
                self.stdout.write(
                    "Give the factory the new roots (manage.py keys roots), and keep the old ones until no "
                    "device is made with them any more."
                )
            case "list":
                self._list(as_json=options["json"])
            case _:
                {"check": self._check, "roots": self._roots, "encrypt-anew": self._encrypt_anew}[action]()

    def _make_roots(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        passphrase = _passphrase(PASSPHRASE)
        made: list[FileSigner] = [Ed25519Signer.generate(), MLDSA65Signer.generate()]
        for signer in made:
            try:
                write_key_file(folder / ROOT_FILES[signer.alg], signer, passphrase)
            except FileExistsError as error:
                raise CommandError(f"{folder} holds a root key already; nothing was overwritten") from error
        self.stdout.write(f"Two root keys are in {folder}. Keep them off the server, and a copy in a safe.")

    def _publish(self, options: dict[str, Any]) -> None:
        if options["if_missing"] and KeySetVersion.objects.exists():
            return
        row = key_ceremony.publish_first_key_set(
            roots=_roots(options["folder"], PASSPHRASE),
            caller=_caller("publish", options),
            now=clock.now(),
        )
        self.stdout.write(f"Key set {row.version} is published.")

    def _change(
        self, options: dict[str, Any], operation: Callable[..., KeySetVersion], **given: object
    ) -> None:
        row = operation(
            roots=_roots(options["folder"], PASSPHRASE),
            caller=_caller(operation.__name__.replace("_", "-"), options),
            now=clock.now(),
            **given,
        )
        self.stdout.write(
            f"Key set {row.version} is published. Documents are signed by its keys as they are handed out."
        )
        for kid in key_inspection.keys_to_destroy():
            self.stdout.write(f"No longer needed: {Path(settings.SIGNING_KEYS_DIR) / kid}.pem")

    def _list(self, *, as_json: bool) -> None:
        ring, states = key_inspection.keys_listed()
        left = key_inspection.changes_of_roots_left()
        if as_json:
            keys = [vars(state) for state in states]
            told = {"version": ring.version, "keys": keys, "changes_of_roots_left": left}
            self.stdout.write(json.dumps(told, indent=1))
            return
        self.stdout.write(f"Key set {ring.version} of {ring.key_set.issuer}")
        for state in states:
            day = datetime.fromtimestamp(state.since, UTC).strftime("%Y-%m-%d %H:%M UTC")
            here = "" if state.kept or state.state != "in use" else "  (not on this server)"
            self.stdout.write(f"{state.alg:<10} {state.state:<11} since {day}  {state.kid}{here}")
        self.stdout.write(f"License files have room for {left} more changes of roots.")

    def _check(self) -> None:
        found = key_inspection.shortcomings()
        if found:
            raise CommandError("\n".join(f"{one.text} {one.way_out} [{one.id}]" for one in found))
        self.stdout.write("The keys do for this release.")

    def _encrypt_anew(self) -> None:
        done = key_store.encrypt_anew()
        for kid in done:
            self.stdout.write(f"Under the newest passphrase: {kid}")
        self.stdout.write(f"{len(done)} of {len(key_store.kept())} files were encrypted anew.")

    def _roots(self) -> None:
        key_set = keyring.key_set_of(keyring.current_version())
        roots = [root.jwk() | {"kid": root.kid, "alg": root.alg} for root in key_set.roots]
        self.stdout.write(json.dumps({"roots": roots, "threshold": key_set.threshold}, indent=1))


def _roots(folder: Path, passphrase: str) -> list[FileSigner]:
    try:
        return [read_key_file(folder / name, _passphrase(passphrase)) for name in ROOT_FILES.values()]
    except (OSError, UnreadableKeyFile, UnsupportedKey) as error:
        raise CommandError(f"the root keys in {folder} cannot be read: {error}") from error


def _caller(operation: str, options: dict[str, Any]) -> Caller:
    return Caller(
        scope="command",
        key=options.get("act") or acts.new_key(),
        name=f"command keys {operation}",
        reason=options.get("reason", ""),
    )


def _passphrase(name: str) -> bytes:
    """The roots have passphrases of their own; only the demo keeps one for all keys.

    New roots may have that of the old ones.
    """
    given = os.environ.get(name) or os.environ.get(PASSPHRASE, "")
    if given:
        return given.encode()
    if settings.DEMO:
        passphrase: bytes = settings.SIGNING_KEYS_PASSPHRASE
        return passphrase
    raise CommandError(f"{PASSPHRASE} is missing: it opens the files of the root keys")
