"""Evidence files of moves: what may be one, and where it is kept (mission rule 24, docs/decisions/0020).

A file is judged by its content; what it is called, and what type somebody says it has, counts for nothing.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from licenses.models import Evidence, Move
from portal.core.errors import Conflict, Invalid, NotFound, TooLarge
from portal.core.models import Act

LONGEST_NAME = 80
PDF_END_WITHIN = 1024  # where programs look for it; some write a few bytes behind it


class EvidenceNotAllowed(Invalid):
    code = "evidence-not-allowed"
    title = _("The evidence is no whole PDF, PNG or JPEG file.")
    why = _(
        "Support and your colleagues open this file. Types that can hold a program, and files that only "
        "call themselves something harmless, are kept away from them."
    )
    way_out = _("Give a photograph (PNG, JPEG) or a PDF. Convert other documents to PDF first.")
    source = "mission rule 24"


class EvidenceTooLarge(TooLarge):
    code = "evidence-too-large"
    title = _("The evidence is larger than %(limit)s KiB.")
    why = _("The file is kept with the move for years, and in every backup.")
    way_out = _("Make the picture smaller, or give only the pages that matter.")
    source = "mission rule 24"


class EvidenceThere(Conflict):
    code = "evidence-there"
    title = _("This move has its evidence file already.")
    why = _("Support decides by what it has seen. A file that could be exchanged would prove nothing.")
    way_out = _("Tell support in words what the file does not show; the RMA number leads them to the move.")
    source = "mission rule 24"


class NoEvidence(NotFound):
    code = "no-evidence"
    title = _("This move has no evidence file.")
    why = _("Evidence is optional: a reason is enough to ask for a move.")
    way_out = _("As long as the move is open, one can be added.")
    source = "mission rule 24"


@dataclass(frozen=True, kw_only=True)
class CheckedFile:
    """A file whose content is what `media_type` says, with a name that is safe to show and to save."""

    name: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> bytes:
        """The hash by which a repeated request is known."""
        return hashlib.sha256(self.content).digest()


def check(*, name: str, content: bytes) -> CheckedFile:
    """Hold a file to what evidence may be.

    :param name: as the sender's computer calls it; only its last part is kept, without what cannot be seen,
        and with the ending that its content has.
    :raises EvidenceTooLarge: it is larger than EVIDENCE_KIB.
    :raises EvidenceNotAllowed: its content is none of the types, or only part of one.
    """
    if len(content) > settings.EVIDENCE_KIB * 1024:
        raise EvidenceTooLarge(limit=settings.EVIDENCE_KIB)
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-PDF_END_WITHIN:]:
        media_type, ending = "application/pdf", "pdf"
    elif content.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR") and content.endswith(b"IEND\xaeB`\x82"):
        media_type, ending = "image/png", "png"
    elif content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\x00").endswith(b"\xff\xd9"):
        media_type, ending = "image/jpeg", "jpg"
    else:
        raise EvidenceNotAllowed
    return CheckedFile(name=f"{_stem(name)}.{ending}", media_type=media_type, content=content)


def store(move: Move, file: CheckedFile, *, act: Act, now: datetime) -> None:
    """Keep the file with its move. The move's devices are locked, or it is new."""
    Evidence.objects.create(
        move=move,
        name=file.name,
        media_type=file.media_type,
        sha256=file.sha256,
        size=len(file.content),
        content=file.content,
        added_by=act,
        added_at=now,
    )


def of(move: Move) -> Evidence | None:
    """The evidence of a move, if there is some, without its bytes."""
    return Evidence.objects.defer("content").select_related("added_by__actor").filter(move=move).first()


def get(move: Move) -> Evidence:
    """The evidence of a move with its bytes.

    :raises NoEvidence: there is none.
    """
    found = Evidence.objects.filter(move=move).first()
    if found is None:
        raise NoEvidence
    return found


def _stem(name: str) -> str:
    last = re.split(r"[/\\]", name)[-1]
    # Categories C are what cannot be seen: control characters, and those that turn the direction of writing.
    seen = "".join(one for one in last if unicodedata.category(one)[0] not in "CZ" or one == " ")
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", seen.strip())[:LONGEST_NAME]
    return re.sub(r'["<>:|?*;%]', "_", stem).strip(" .") or "evidence"
