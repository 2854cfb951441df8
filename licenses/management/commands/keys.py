"""`manage.py keys make-roots DIR | publish DIR | roots`: the portal's signing keys (trust.md 6 and 10)."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from licenses import jose, keyring, keyset
from licenses.keyset import KeySetV1
from licenses.models import KeySetVersion
from licenses.signers import (
    Ed25519Signer,
    FileSigner,
    MLDSA65Signer,
    UnreadableKeyFile,
    read_key_file,
    write_key_file,
)
from portal.core import acts, clock
from portal.core.acts import Caller
from portal.core.errors import DomainError

ROOT_FILES = {"Ed25519": "root-ed25519.pem", "ML-DSA-65": "root-ml-dsa-65.pem"}


class Command(BaseCommand):
    help = "Make root keys, publish the first key set, or print the roots for the factory to pin."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        make = actions.add_parser("make-roots", help="make two root keys in a folder; keep it off the server")
        make.add_argument("folder", type=Path)
        publish = actions.add_parser(
            "publish", help="make document keys and sign the first key set with the roots"
        )
        publish.add_argument("folder", type=Path)
        publish.add_argument("--if-missing", action="store_true", help="do nothing where there is one")
        actions.add_parser("roots", help="print the roots as JSON, for devices to pin")

    def handle(self, *, action: str, **options: Any) -> None:
        match action:
            case "make-roots":
                self._make_roots(options["folder"])
            case "publish":
                self._publish(options["folder"], if_missing=options["if_missing"])
            case "roots":
                self._roots()

    def _make_roots(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made: list[FileSigner] = [Ed25519Signer.generate(), MLDSA65Signer.generate()]
        for signer in made:
            try:
                write_key_file(folder / ROOT_FILES[signer.alg], signer, _passphrase())
            except FileExistsError as error:
                raise CommandError(f"{folder} holds a root key already; nothing was overwritten") from error
        self.stdout.write(f"Two root keys are in {folder}. Keep them off the server, and a copy in a safe.")

    def _publish(self, folder: Path, *, if_missing: bool) -> None:
        if if_missing and KeySetVersion.objects.exists():
            return
        try:
            roots = [read_key_file(folder / name, _passphrase()) for name in ROOT_FILES.values()]
            row = keyring.publish_first_key_set(
                roots=roots,
                signers=keyring.make_document_keys(),
                caller=Caller(scope="command", key=acts.new_key(), name="command keys publish"),
                now=clock.now(),
            )
        except (OSError, UnreadableKeyFile) as error:
            raise CommandError(f"the root keys in {folder} cannot be read: {error}") from error
        except DomainError as error:
            raise CommandError(f"{error.headline} {error.detail} [{error.code}]") from error
        self.stdout.write(f"Key set {row.version} is published.")

    def _roots(self) -> None:
        try:
            signed = keyring.published()
        except DomainError as error:
            raise CommandError(f"{error.headline} {error.detail} [{error.code}]") from error
        key_set = KeySetV1.from_payload(jose.parse_general(signed, typ=keyset.TYP).payload)
        roots = [root.jwk() | {"kid": root.kid, "alg": root.alg} for root in key_set.roots]
        self.stdout.write(json.dumps({"roots": roots, "threshold": key_set.threshold}, indent=1))


def _passphrase() -> bytes:
    """The roots have a passphrase of their own; only the demo keeps one for both."""
    given = os.environ.get("ROOT_KEYS_PASSPHRASE", "")
    if given:
        return given.encode()
    if settings.DEMO:
        passphrase: bytes = settings.SIGNING_KEYS_PASSPHRASE
        return passphrase
    raise CommandError("ROOT_KEYS_PASSPHRASE is missing: it opens the files of the root keys")
