"""REST doors on the project of a device."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.doors import Door
from accounts.api.inputs import Nothing
from accounts.api.reference import operation
from accounts.models import ApiToken
from accounts.queries import MANAGE, NoSuchProject, RightMissing, get_project
from accounts.requests import caller, idempotency_key, principal
from accounts.scopes import ProjectArchived
from devices.queries import NoSuchDevice, get_device_to_release
from licenses import device_projects
from licenses.api import inputs, outputs
from licenses.api.devices import HARDWARE_ID, find_device
from licenses.device_projects import (
    DeviceKeepsLicenses,
    ProjectOfAnotherCompany,
)
from licenses.handing_over import DeviceBridged, InThisProject
from licenses.move_queries import DeviceInMove
from portal.core import clock


class DeviceProject(Door):
    @operation(
        "change-device-project",
        "Put a device into another project",
        scope=ApiToken.Scope.MANAGE,
        takes=inputs.NewProjectOfDevice,
        answer=outputs.AddedDevice,
        parameters=(HARDWARE_ID,),
        refusals=(
            NoSuchDevice,
            NoSuchProject,
            RightMissing,
            ProjectOfAnotherCompany,
            InThisProject,
            DeviceInMove,
            ProjectArchived,
        ),
    )
    def post(self, request: Request, hardware_id: str) -> Response:
        """With all its licenses; what it returns later goes to the new one. Needs `manage` in both."""
        given = inputs.NewProjectOfDevice.read(request.data)
        device = find_device(request, hardware_id, right=MANAGE)
        changed = device_projects.change_project(
            device=device,
            project=get_project(project_id=given["project"], user=principal(request), right=MANAGE),
            caller=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.AddedDevice(changed).data)


class DeviceRelease(Door):
    @operation(
        "release-device",
        "Release a device",
        scope=ApiToken.Scope.OPERATE,
        takes=Nothing,
        answer=outputs.AddedDevice,
        parameters=(HARDWARE_ID,),
        refusals=(NoSuchDevice, RightMissing, DeviceKeepsLicenses, DeviceBridged, DeviceInMove),
    )
    def post(self, request: Request, hardware_id: str) -> Response:
        """No project has it then, and anybody may add it. Licenses that stay with it go with it.

        Needs `operate`. Answers what the device was.
        """
        Nothing.read(request.data)
        user, key = principal(request), idempotency_key(request)
        device = get_device_to_release(hardware_id=hardware_id, user=user)
        device_projects.release_device(
            device=device,
            caller=caller(request, company=device.project.company, key=key),
            now=clock.now(),
        )
        return Response(outputs.AddedDevice(device).data)
