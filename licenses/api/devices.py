"""REST doors on devices. They are here and not with the devices because they show licenses."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.doors import Door
from accounts.api.inputs import Nothing
from accounts.api.reference import operation
from accounts.models import ApiToken
from accounts.queries import OPERATE, VIEW, NoSuchProject, RightMissing, get_project
from accounts.requests import caller, idempotency_key, principal
from accounts.scopes import ProjectArchived
from devices import hardware_id as hardware_ids
from devices.enrollment import DeviceAlreadyAdded, DeviceNameTooLong, HardwareIDMalformed, HardwareIDTaken
from devices.models import Device
from devices.queries import NoSuchDevice, devices_of, get_device
from licenses import adding, assignment, delivery, queries, standing_queries
from licenses.api import dry_runs, inputs, outputs
from licenses.assignment import AssignmentCarried
from licenses.keyring import NoKeySet, SigningKeyMissing
from licenses.ledger import GrantAlreadyEnded, InsufficientLicenses, QuantityOutOfRange
from licenses.move_queries import DeviceInMove
from licenses.queries import NoSuchGrant, NoSuchProduct
from licenses.room import DeviceIsFull
from portal.core import acts, clock
from portal.core.problems import MalformedInput

HARDWARE_ID = OpenApiParameter(
    "hardware_id",
    {"type": "string", "pattern": hardware_ids.PATTERN},
    OpenApiParameter.PATH,
    description="In canonical form, like 00-90-33-01-0A-FF.",
)
GRANT = OpenApiParameter(
    "grant",
    {"type": "string", "minLength": 22, "maxLength": 22},
    OpenApiParameter.PATH,
    description="The grant's id, as answers and license documents write it.",
)


class ProjectDevices(Door):
    @operation(
        "list-devices",
        "List the devices of a project",
        scope=ApiToken.Scope.READ,
        answer=outputs.DeviceList,
        parameters=(inputs.DevicePage,),
        refusals=(NoSuchProject, MalformedInput),
    )
    def get(self, request: Request, project_id: int) -> Response:
        """By hardware ID, a page at a time: ask again with `after` set to `next`, until `next` is null."""
        page = inputs.DevicePage.read(request.query_params.dict())
        project = get_project(project_id=project_id, user=principal(request))
        wanted = devices_of(project, part_of_id=page["hardware_id"], part_of_name=page["name"])
        devices, following = paging.cut(
            wanted.filter(hardware_id__gt=page["after"]),
            limit=page["limit"],
            position=lambda device: device.hardware_id,
        )
        return Response(outputs.DeviceList({"devices": devices, "next": following}).data)

    @operation(
        "add-device",
        "Add a device to a project",
        scope=ApiToken.Scope.OPERATE,
        takes=inputs.NewDevice,
        answer=outputs.AddedDevice,
        status=HTTPStatus.CREATED,
        refusals=(
            NoSuchProject,
            RightMissing,
            HardwareIDMalformed,
            DeviceNameTooLong,
            DeviceAlreadyAdded,
            HardwareIDTaken,
            ProjectArchived,
        ),
    )
    def post(self, request: Request, project_id: int) -> Response:
        """A device is in one project. Needs `operate`."""
        given = inputs.NewDevice.read(request.data)
        project = get_project(project_id=project_id, user=principal(request), right=OPERATE)
        device = adding.add_device(
            project=project,
            hardware_id=given["hardware_id"],
            name=given["name"],
            caller=caller(request, company=project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.AddedDevice(device).data, status=HTTPStatus.CREATED)


class OneDevice(Door):
    @operation(
        "get-device",
        "Get a device and what it holds",
        scope=ApiToken.Scope.READ,
        answer=outputs.Device,
        parameters=(HARDWARE_ID,),
        refusals=(NoSuchDevice,),
    )
    def get(self, request: Request, hardware_id: str) -> Response:
        """Its live grants, its current license document, and when it was last heard of."""
        device = find_device(request, hardware_id)
        grants = list(queries.grants_at(device, now=clock.now()))
        standing = standing_queries.standing_of(device)
        held = outputs.HeldLicenses(device=device, grants=grants, document=standing.document)
        undoable = standing_queries.can_be_undone(grants, carried=standing.carried)
        return Response(outputs.Device(held, context={"undoable": undoable}).data)


class Assignments(Door):
    @operation(
        "assign-licenses",
        "Assign licenses to a device",
        scope=ApiToken.Scope.OPERATE,
        takes=inputs.NewAssignment,
        answer=outputs.Assignment,
        status=HTTPStatus.CREATED,
        dry_run=dry_runs.DryRun,
        parameters=(HARDWARE_ID, dry_runs.Asked),
        refusals=(
            NoSuchDevice,
            RightMissing,
            NoSuchProduct,
            QuantityOutOfRange,
            InsufficientLicenses,
            DeviceIsFull,
            DeviceInMove,
        ),
    )
    def post(self, request: Request, hardware_id: str) -> Response:
        """From the balance of the device's project; the device's next license document lists them.

        Needs `operate`.
        """
        is_dry_run = dry_runs.is_asked_by(request)
        given = inputs.NewAssignment.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        act: dict[str, Any] = {
            "device": device,
            "product": queries.get_product(code=given["product"], version=given["version"]),
            "quantity": given["quantity"],
            "caller": caller(request, company=device.project.company, key=idempotency_key(request)),
            "now": clock.now(),
        }
        if is_dry_run:
            tried = acts.rehearse(
                assignment.assign, observe=lambda: queries.units_of([device.project, device]), **act
            )
            return Response(dry_runs.DryRun(dry_runs.told(tried)).data)
        assigned = assignment.assign(**act)
        return Response(outputs.Assignment(assigned).data, status=HTTPStatus.CREATED)


class AssignmentUndo(Door):
    @operation(
        "undo-assignment",
        "Undo an assignment",
        scope=ApiToken.Scope.OPERATE,
        takes=Nothing,
        answer=outputs.Assignment,
        parameters=(HARDWARE_ID, GRANT),
        refusals=(
            NoSuchDevice,
            RightMissing,
            NoSuchGrant,
            GrantAlreadyEnded,
            AssignmentCarried,
            DeviceInMove,
        ),
    )
    def post(self, request: Request, hardware_id: str, grant: str) -> Response:
        """The licenses go back to the project, as long as no license document handed out has carried them.

        Needs `operate`.
        """
        Nothing.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        undone = assignment.undo_assignment(
            grant=queries.get_grant(grant_id=grant, device=device),
            caller=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Assignment(undone).data)


class LicenseDocument(Door):
    # HEAD would hand the document out without anybody getting it.
    http_method_names = ["get"]

    @operation(
        "download-license-document",
        "Download the .lic file of a device",
        scope=ApiToken.Scope.OPERATE,
        answer=outputs.LIC_FILE,
        parameters=(HARDWARE_ID,),
        refusals=(NoSuchDevice, RightMissing, NoKeySet, SigningKeyMissing),
    )
    def get(self, request: Request, hardware_id: str) -> HttpResponse:
        """The current license document with all that is needed to verify it. Needs `operate`.

        What it lists is handed out from then on: assignments in it cannot be undone any more.
        """
        device = find_device(request, hardware_id, right=OPERATE)
        bundle = delivery.download(
            device=device,
            caller=caller(request, company=device.project.company),
            now=clock.now(),
        )
        return HttpResponse(
            bundle.content,
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{hardware_id}-{bundle.seq}.lic"'},
        )


def find_device(request: HttpRequest, hardware_id: str, *, right: str = VIEW) -> Device:
    """The device that an address names, for a person with the right.

    :raises NoSuchDevice: the address names none that the person may see.
    :raises RightMissing: the person may see it, but has less than `right` there.
    """
    # An address has one form; others, and texts that no database takes, name no device.
    if not hardware_ids.is_canonical(hardware_id):
        raise NoSuchDevice
    return get_device(hardware_id=hardware_id, user=principal(request), right=right)
