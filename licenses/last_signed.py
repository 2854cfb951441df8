"""The last document that was signed here, remembered outside of the database (docs/decisions/0035).

A database that was restored from a backup lacks the documents of the time since, and would give their
numbers again: two documents of one device under one `seq`, both signed. So each server that signs
remembers the newest document that it signed, in a file, and signs nothing for a database that lacks it,
until the operator has raised the numbers of all devices above what was given out (`manage.py seq_floor`,
trust.md 3).
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from devices.models import SeqFloor
from licenses.models import LicenseDocument
from portal.core.errors import Unavailable

_LOOK = f"""
    SELECT EXISTS (SELECT 1 FROM {LicenseDocument._meta.db_table} WHERE id = %s AND payload_sha256 = %s),
           (SELECT MAX(value) FROM {SeqFloor._meta.db_table})
"""  # noqa: S608 (the names of the tables)

log = structlog.get_logger(__name__)


class DatabaseOlderThanDocuments(Unavailable):
    code = "database-older-than-documents"
    title = _("The portal's database is older than the documents that it has signed.")
    why = _(
        "It was restored from a backup, and would give numbers of license documents a second time. Devices "
        "refuse what has a number they have seen, so nothing is signed until the numbers are raised."
    )
    way_out = _(
        "The operator raises them with “manage.py seq_floor raise”; “manage.py seq_floor show” says how far. "
        "Ask again then: nothing is lost, or done twice."
    )
    source = "trust.md 3"


@dataclass(frozen=True, kw_only=True)
class LastSigned:
    """document, payload_sha256: which row it was, and what (hexadecimal).
    seq: the highest of any device that was signed here.
    floor: the seq floor of all devices at the time."""

    document: int
    payload_sha256: str
    seq: int
    floor: int


@dataclass(frozen=True, kw_only=True)
class Memory:
    """last: what this server remembers of the database; None before the first document, or without the file.
    floor: the seq floor of all devices now.
    is_missing: whether the database lacks it, and no floor was raised above it since."""

    file: Path
    last: LastSigned | None
    floor: int
    is_missing: bool


def recall(database: str) -> Memory:
    """Hold what is remembered of a database against it.

    :param database: `KeyRing.database`.
    """
    file = Path(settings.LAST_SIGNED_DIR) / f"{database}.json"
    last = _read(file)
    # The hash as well: a restored database gives the row's number again before long.
    row, sha256 = (last.document, bytes.fromhex(last.payload_sha256)) if last else (0, b"")
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, (row, sha256))
        [(there, floor)] = cursor.fetchall()
    floor = floor or 0
    # A restored database has no floor that the file does not know of, but one that was raised since.
    raised = last is not None and floor > last.floor and floor >= last.seq
    return Memory(file=file, last=last, floor=floor, is_missing=not (last is None or there or raised))


def require_present(database: str) -> Memory:
    """:raises DatabaseOlderThanDocuments: this database lacks the last document that was signed here."""
    memory = recall(database)
    if memory.is_missing:
        raise DatabaseOlderThanDocuments
    return memory


def remember(document: LicenseDocument, memory: Memory) -> None:
    """The document is signed, its row committed. Documents that are older than the last one change nothing.

    What cannot be written is told in the log and keeps nobody from a license: then a restored database is
    noticed by what devices have seen, as it is where the file was lost.
    """
    new = LastSigned(
        document=document.pk,
        payload_sha256=bytes(document.payload_sha256).hex(),
        seq=document.seq,
        floor=memory.floor,
    )
    try:
        with _alone(memory.file):
            last = _read(memory.file)
            if last is None or (last.floor, last.document) < (new.floor, new.document):
                _write(memory.file, replace(new, seq=max(new.seq, last.seq if last else 0)))
            elif last.seq < new.seq:
                _write(memory.file, replace(last, seq=new.seq))
    except OSError:
        log.exception("the last signed document cannot be remembered", file=str(memory.file))


def _read(file: Path) -> LastSigned | None:
    try:
        return LastSigned(**json.loads(file.read_text(encoding="ascii")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        log.exception("what was signed last cannot be read", file=str(file))
        return None


def _write(file: Path, last: LastSigned) -> None:
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(asdict(last)), encoding="ascii")
    beside.replace(file)  # whole or not at all; it need not outlive a power cut, which the database does


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Processes of one server write one after the other."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
