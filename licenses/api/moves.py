"""REST doors on moves after hardware failure, for partners (mission rules 24 and 25)."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.doors import Door
from accounts.api.inputs import Input, Nothing, Text
from accounts.api.reference import operation
from accounts.models import ApiToken
from accounts.queries import OPERATE, RightMissing
from accounts.requests import caller, idempotency_key, principal
from accounts.scopes import CompanyImported, ProjectArchived
from devices.queries import NoSuchDevice
from licenses import evidence_files, move_queries, moves
from licenses.api import move_outputs
from licenses.api.devices import HARDWARE_ID, find_device
from licenses.models import Move
from licenses.move_course import MoveChanged, MoveEnded, NothingToMove, ReplacementElsewhere
from licenses.move_queries import NoSuchMove
from licenses.moves import (
    MoveOpen,
    ReplacementIsBroken,
    ReplacementOfAnOpenMove,
    RMATooLong,
    SameDevice,
    SameReplacement,
)
from licenses.room import DeviceIsFull
from portal.core import clock
from portal.core.acts import ReasonNeeded

TAKES_IT = (NoSuchDevice, RightMissing, SameDevice, ReplacementElsewhere, ReplacementIsBroken, DeviceIsFull)
_REPLACEMENT = "Hardware ID of the replacement: a device of the same company in which you may operate."


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "With the replacement",
            value={
                "replacement": "00-90-33-01-0B-07",
                "reason": "The power supply burned out.",
                "rma": "RMA-4711",
            },
        ),
        OpenApiExample("Not known yet", value={"reason": "Lightning."}),
    ]
)
class NewMove(Input):
    replacement = Text(
        required=False,
        default=None,
        allow_null=True,
        help_text=f"{_REPLACEMENT} Left out where it is not known yet.",
    )
    reason = Text(help_text="What happened, in a sentence.")
    rma = Text(required=False, default="", help_text="Number of the vendor's return procedure, if any.")


@extend_schema_serializer(
    examples=[OpenApiExample("Another device", value={"replacement": "00-90-33-01-0B-07"})]
)
class NewReplacement(Input):
    replacement = Text(help_text=_REPLACEMENT)


class DeviceMoves(Door):
    @operation(
        "list-moves",
        "List the moves of a broken device",
        scope=ApiToken.Scope.READ,
        answer=move_outputs.MoveList,
        parameters=(HARDWARE_ID,),
        refusals=(NoSuchDevice,),
    )
    def get(self, request: Request, hardware_id: str) -> Response:
        """Those that were asked for in its present project, the latest first."""
        device = find_device(request, hardware_id)
        records = [_described(request, move) for move in move_queries.moves_from(device)]
        return Response(move_outputs.MoveList({"moves": records}).data)

    @operation(
        "ask-for-move",
        "Ask for a move after hardware failure",
        scope=ApiToken.Scope.OPERATE,
        takes=NewMove,
        answer=move_outputs.Move,
        status=HTTPStatus.CREATED,
        parameters=(HARDWARE_ID,),
        refusals=(
            *TAKES_IT,
            ReasonNeeded,
            RMATooLong,
            MoveOpen,
            NothingToMove,
            ReplacementOfAnOpenMove,
            ProjectArchived,
            CompanyImported,
        ),
    )
    def post(self, request: Request, hardware_id: str) -> Response:
        """The device is broken and signs nothing: its licenses shall go to a replacement.

        The replacement gets a bridge at once, unless `support_first` says why not: its next fetch brings all
        that the broken device had. If the broken device can still sign, its return moves the licenses without
        support. Needs `operate` for both devices.
        """
        given = NewMove.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        replacement = None
        if given["replacement"] is not None:
            replacement = find_device(request, given["replacement"], right=OPERATE)
        asked = moves.ask_for_move(
            device=device,
            replacement=replacement,
            rma=given["rma"],
            caller=caller(
                request,
                company=device.project.company,
                key=idempotency_key(request),
                reason=given["reason"],
            ),
            now=clock.now(),
        )
        return _answer(request, asked, status=HTTPStatus.CREATED)


MOVE_ID = OpenApiParameter("move_id", int, OpenApiParameter.PATH, description="The move's `id`.")


class DeviceMove(Door):
    @operation(
        "get-move",
        "Get a move of a broken device",
        scope=ApiToken.Scope.READ,
        answer=move_outputs.Move,
        parameters=(HARDWARE_ID, MOVE_ID),
        refusals=(NoSuchDevice, NoSuchMove),
    )
    def get(self, request: Request, hardware_id: str, move_id: int) -> Response:
        """Where it stands, and until when its bridge lasts."""
        device = find_device(request, hardware_id)
        return _answer(request, move_queries.get_move(move_id=move_id, device=device))


class MoveReplacement(Door):
    @operation(
        "name-replacement",
        "Name the replacement of a broken device",
        scope=ApiToken.Scope.OPERATE,
        takes=NewReplacement,
        answer=move_outputs.Move,
        parameters=(HARDWARE_ID, MOVE_ID),
        refusals=(*TAKES_IT, NoSuchMove, MoveEnded, SameReplacement, MoveChanged),
    )
    def post(self, request: Request, hardware_id: str, move_id: int) -> Response:
        """For the first time, which brings the bridge, or instead of another one, which takes that one's
        bridge away; the other device gets a bridge from support then. Needs `operate` for both devices."""
        given = NewReplacement.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        named = moves.name_replacement(
            move=move_queries.get_move(move_id=move_id, device=device),
            replacement=find_device(request, given["replacement"], right=OPERATE),
            caller=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return _answer(request, named)


class MoveWithdrawal(Door):
    @operation(
        "withdraw-move",
        "Withdraw a move",
        scope=ApiToken.Scope.OPERATE,
        takes=Nothing,
        answer=move_outputs.Move,
        parameters=(HARDWARE_ID, MOVE_ID),
        refusals=(NoSuchDevice, RightMissing, NoSuchMove, MoveEnded, MoveChanged),
    )
    def post(self, request: Request, hardware_id: str, move_id: int) -> Response:
        """The bridge is revoked, and the device keeps what it has. Needs `operate`."""
        Nothing.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        withdrawn = moves.withdraw_move(
            move=move_queries.get_move(move_id=move_id, device=device),
            caller=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return _answer(request, withdrawn)


def _answer(request: Request, move: Move, *, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(move_outputs.Move(_described(request, move)).data, status=status)


def _described(request: Request, move: Move) -> dict[str, Any]:
    record = move_queries.described(move, now=clock.now())
    seen = move_queries.replacement_for(principal(request), move)
    return {
        "move": record.move,
        "replacement": seen.hardware_id if seen else None,
        "stage": record.stage,
        "bridge_ends_at": record.bridge_ends_at,
        "support_first": move.support_first or None,
        "units": record.units,
        "decision_reason": move.decision_reason or None,
        "hardware": move.hardware or None,
        "evidence": evidence_files.of(move),
    }
