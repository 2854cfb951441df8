"""REST doors for statements that people carry from a device, and for claims (mission rules 7 and 16)."""

from http import HTTPStatus

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.doors import Door
from accounts.api.reference import operation
from accounts.models import ApiToken
from accounts.queries import OPERATE, NoSuchProject, RightMissing, get_project
from accounts.requests import answerable, caller, idempotency_key, principal
from accounts.scopes import ProjectArchived
from devices.accepting import JTIConflict
from devices.enrollment import DeviceAlreadyAdded, HardwareIDMalformed, KeyNotPinned, canonical_hardware_id
from devices.queries import NoSuchDevice
from devices.statements import (
    BadSignature,
    CertificateRejected,
    DeviceBlocked,
    Malformed,
    NotAStatementFile,
    StatementOfAnotherDevice,
    UnknownDevice,
    WrongAudience,
)
from licenses import claims, uploading
from licenses.api import inputs, outputs
from licenses.api.devices import HARDWARE_ID, find_device
from licenses.claims import ClaimCodeUnknown, DeviceNotTaken
from licenses.returns import StaleReturn
from portal.core import clock

UNPROVEN = (
    NotAStatementFile,
    StatementOfAnotherDevice,
    Malformed,
    CertificateRejected,
    BadSignature,
    WrongAudience,
    UnknownDevice,
    DeviceBlocked,
    KeyNotPinned,
    JTIConflict,
    ClaimCodeUnknown,
)


class CarriedStatements(Door):
    @operation(
        "carry-statement",
        "Hand in a statement of a device",
        scope=ApiToken.Scope.OPERATE,
        takes=inputs.StatementToCarry,
        answer=outputs.CarriedStatement,
        parameters=(HARDWARE_ID,),
        refusals=(NoSuchDevice, RightMissing, *UNPROVEN, StaleReturn),
    )
    def post(self, request: Request, hardware_id: str) -> Response:
        """A return, an acknowledgement or a claim that the device wrote as a file: the same as if the device
        had sent it. The receipt of a return is in the next `.lic` file. Needs `operate`.
        """
        given = inputs.StatementToCarry.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        uploaded = uploading.take_file(
            token=given["statement"].encode(),
            hardware_id=device.hardware_id,
            carrier=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.CarriedStatement(outputs.carried(uploaded)).data)


class ClaimCodes(Door):
    @operation(
        "make-claim-code",
        "Make a claim code for a device that is in another project",
        scope=ApiToken.Scope.OPERATE,
        takes=inputs.NewClaimCode,
        answer=outputs.ClaimCode,
        status=HTTPStatus.CREATED,
        refusals=(NoSuchProject, RightMissing, HardwareIDMalformed, DeviceNotTaken, DeviceAlreadyAdded),
    )
    def post(self, request: Request, project_id: int) -> Response:
        """For the device to sign, which proves whose hands it is in. Good once, for 24 hours; shown once.

        Needs `operate` in the project the device shall come to.
        """
        given = inputs.NewClaimCode.read(request.data)
        project = get_project(project_id=project_id, user=principal(request), right=OPERATE)
        made = claims.make_claim_code(
            project=project,
            hardware_id=given["hardware_id"],
            user=answerable(request),
            caller=caller(request, company=project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.ClaimCode(made).data, status=HTTPStatus.CREATED)


class CarriedClaims(Door):
    @operation(
        "carry-claim",
        "Hand in the claim of a device that is in another project",
        scope=ApiToken.Scope.OPERATE,
        takes=inputs.ClaimToCarry,
        answer=outputs.CarriedStatement,
        refusals=(NoSuchProject, RightMissing, HardwareIDMalformed, ProjectArchived, *UNPROVEN),
    )
    def post(self, request: Request, project_id: int) -> Response:
        """The claim that the device wrote as a file, over a claim code of this project. Needs `operate`."""
        given = inputs.ClaimToCarry.read(request.data)
        project = get_project(project_id=project_id, user=principal(request), right=OPERATE)
        uploaded = uploading.take_claim(
            token=given["statement"].encode(),
            hardware_id=canonical_hardware_id(given["hardware_id"]),
            carrier=caller(request, company=project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.CarriedStatement(outputs.carried(uploaded)).data)
