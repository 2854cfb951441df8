"""REST doors on the evidence file of a move (mission rule 24)."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.doors import Door
from accounts.api.inputs import Input
from accounts.api.reference import operation
from accounts.models import ApiToken
from accounts.queries import OPERATE, RightMissing
from accounts.requests import caller, idempotency_key
from devices.queries import NoSuchDevice
from licenses import evidence_files, move_queries
from licenses.api import move_outputs
from licenses.api.devices import HARDWARE_ID, find_device
from licenses.api.moves import MOVE_ID
from licenses.evidence import add_evidence
from licenses.evidence_files import EvidenceNotAllowed, EvidenceThere, EvidenceTooLarge, NoEvidence
from licenses.move_course import MoveChanged, MoveEnded
from licenses.move_queries import NoSuchMove
from portal.core import clock
from portal.core.downloads import attachment

AROUND_THE_FILE = 16 * 1024
FILE: dict[str, Any] = {"type": "string", "format": "binary"}


class BoundedMultiPart(MultiPartParser):
    """multipart/form-data of one evidence file; what says that it is larger is not read at all.

    :raises EvidenceTooLarge: it says so.
    """

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        length = parser_context["request"].META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > settings.EVIDENCE_KIB * 1024 + AROUND_THE_FILE:
            raise EvidenceTooLarge(limit=settings.EVIDENCE_KIB)
        return super().parse(stream, media_type, parser_context)


@extend_schema_serializer(examples=[])
class NewEvidence(Input):
    file = serializers.FileField(
        max_length=255,
        allow_empty_file=True,
        help_text="PDF, PNG or JPEG. Its content decides, not its name or the type it is sent with.",
    )


class MoveEvidence(Door):
    parser_classes = [BoundedMultiPart]

    @operation(
        "get-evidence",
        "Download the evidence file of a move",
        scope=ApiToken.Scope.READ,
        answer=FILE,
        media_type="application/pdf",
        other_types=("image/png", "image/jpeg"),
        parameters=(HARDWARE_ID, MOVE_ID),
        refusals=(NoSuchDevice, NoSuchMove, NoEvidence),
    )
    def get(self, request: Request, hardware_id: str, move_id: int) -> HttpResponse:
        """As it was given, under a name that is safe to save."""
        device = find_device(request, hardware_id)
        found = evidence_files.get(move_queries.get_move(move_id=move_id, device=device))
        return attachment(bytes(found.content), name=found.name, media_type=found.media_type)

    @operation(
        "add-evidence",
        "Add an evidence file to a move",
        scope=ApiToken.Scope.OPERATE,
        takes=NewEvidence,
        reads="multipart/form-data",
        answer=move_outputs.Evidence,
        status=HTTPStatus.CREATED,
        parameters=(HARDWARE_ID, MOVE_ID),
        refusals=(
            NoSuchDevice,
            RightMissing,
            NoSuchMove,
            EvidenceNotAllowed,
            EvidenceTooLarge,
            EvidenceThere,
            MoveEnded,
            MoveChanged,
        ),
    )
    def post(self, request: Request, hardware_id: str, move_id: int) -> Response:
        """As multipart/form-data, while the move is open, once: it is not exchanged. Needs `operate`."""
        device = find_device(request, hardware_id, right=OPERATE)
        move = move_queries.get_move(move_id=move_id, device=device)
        # Megabytes are read for somebody who may give them.
        given = NewEvidence.read(request.data)["file"]
        content = given.read(settings.EVIDENCE_KIB * 1024 + 1)
        add_evidence(
            move=move,
            file=evidence_files.check(name=given.name, content=content),
            caller=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        kept = move_outputs.Evidence(evidence_files.of(move))
        return Response(kept.data, status=HTTPStatus.CREATED)
