"""The file that shows what happened to a broken device (mission rule 24)."""

import pytest
from django.conf import LazySettings

from devices.models import Device
from licenses import evidence, evidence_files, moves
from licenses.evidence_files import CheckedFile, EvidenceNotAllowed, EvidenceThere, EvidenceTooLarge
from licenses.models import Evidence, Move
from licenses.move_course import MoveEnded
from portal.core.downloads import attachment
from portal.core.models import AuditEntry
from tests.factories import NOW, caller
from tests.operations.bookkeeping import refused, unchanged
from tests.operations.moving import DAY, REASON, asked, withdrawn
from tests.pictures import JPEG, PDF, PNG


def added(move: Move, content: bytes = PDF, *, name: str = "report.pdf", key: str | None = None) -> None:
    file = evidence_files.check(name=name, content=content)
    evidence.add_evidence(move=move, file=file, caller=caller(key=key), now=NOW + DAY)


def checked(content: bytes = PDF, *, name: str = "report.pdf") -> CheckedFile:
    return evidence_files.check(name=name, content=content)


class TestWhatMayBeEvidence:
    @pytest.mark.parametrize(
        ("content", "kept"),
        [
            (PDF, ("it.pdf", "application/pdf")),
            (PNG, ("it.png", "image/png")),
            (JPEG, ("it.jpg", "image/jpeg")),
        ],
        ids=["PDF", "PNG", "JPEG"],
    )
    def test_its_content_says_what_it_is(self, content: bytes, kept: tuple[str, str]) -> None:
        file = checked(content, name="it.exe")

        assert (file.name, file.media_type) == kept

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<!DOCTYPE html><script>alert(1)</script>",
            b"\n%PDF-1.7\n%%EOF",
            b"GIF89a" + bytes(40),
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            b"PK\x03\x04" + bytes(100),
            b"\x7fELF" + bytes(100),
            PDF[:-6],
            PNG[:-4],
            PNG[:8] + b"<script>" + PNG[16:],
            JPEG[:-1],
            b"%PDF-1.7 %%EOF" + b"x" * 2000,
        ],
    )
    def test_nothing_else_whatever_it_is_called(self, content: bytes) -> None:
        with refused(EvidenceNotAllowed):
            checked(content, name="harmless.pdf")

    def test_nor_more_than_the_setting_allows(self, settings: LazySettings) -> None:
        settings.EVIDENCE_KIB = 1
        assert checked(PDF[:-6] + b" " * (1024 - len(PDF)) + PDF[-6:]).media_type == "application/pdf"

        with refused(EvidenceTooLarge, limit=1):
            checked(PDF[:-6] + b" " * (1025 - len(PDF)) + PDF[-6:])

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("../../etc/passwd", "passwd.pdf"),
            ("C:\\Users\\alice\\Report 7.PDF", "Report 7.pdf"),
            ("a\r\nSet-Cookie: x=1\x00.pdf", "aSet-Cookie_ x=1.pdf"),
            ("invoice\u202efdp.exe", "invoicefdp.pdf"),
            ('"><script>.html', "___script_.pdf"),
            ("Gerät.jpeg", "Gerät.pdf"),
            ("...", "evidence.pdf"),
            ("", "evidence.pdf"),
            ("x" * 300 + ".pdf", "x" * 80 + ".pdf"),
            (".htaccess", "htaccess.pdf"),
        ],
    )
    def test_its_name_is_made_safe(self, name: str, kept: str) -> None:
        assert checked(name=name).name == kept

    def test_it_is_saved_and_never_shown(self) -> None:
        answer = attachment(PDF, name="Gerät 7.pdf", media_type="application/pdf")

        assert answer.headers["Content-Disposition"] == (
            "attachment; filename=\"Ger_t 7.pdf\"; filename*=UTF-8''Ger%C3%A4t%207.pdf"
        )
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


class TestWithTheRequest:
    def ask(self, broken: Device, *, key: str, content: bytes = PNG) -> Move:
        who = caller(key=key, reason=REASON)
        return moves.ask_for_move(
            device=broken, replacement=None, evidence=checked(content), caller=who, now=NOW
        )

    def test_it_is_kept_with_the_move(self, broken: Device) -> None:
        move = self.ask(broken, key="once")

        kept = Evidence.objects.get(move=move)
        assert (bytes(kept.content), kept.size, kept.media_type) == (PNG, len(PNG), "image/png")
        assert kept.added_by == move.requested_by

    def test_once_for_a_request_that_is_repeated(self, broken: Device) -> None:
        assert self.ask(broken, key="once") == self.ask(broken, key="once")
        assert Evidence.objects.count() == 1


class TestLater:
    def test_it_is_added_while_the_move_is_open_and_told(self, broken: Device) -> None:
        move = asked(broken)

        added(move, JPEG, name="board.jpeg")

        assert bytes(evidence_files.get(move).content) == JPEG
        assert AuditEntry.objects.get(event="evidence-added").facts["name"] == "board.jpg"

    def test_repeated_it_is_added_once(self, broken: Device) -> None:
        move = asked(broken)
        for _again in range(2):
            added(move, key="once")

        assert AuditEntry.objects.filter(event="evidence-added").count() == 1

    def test_a_second_one_does_not_take_the_place_of_the_first(self, broken: Device) -> None:
        move = asked(broken)
        added(move)

        with refused(EvidenceThere), unchanged():
            added(move, PNG)

    def test_nothing_is_added_to_what_has_ended(self, broken: Device) -> None:
        move = withdrawn(asked(broken))

        with refused(MoveEnded, state="withdrawn"), unchanged():
            added(move)
