"""REST doors on test licenses (mission rules 20 to 23)."""

from http import HTTPStatus

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.doors import Door
from accounts.api.inputs import Nothing
from accounts.api.reference import operation
from accounts.models import ApiToken
from accounts.queries import OPERATE, NoSuchProject, RightMissing, get_project
from accounts.requests import caller, idempotency_key, principal
from accounts.scopes import CompanyImported, ProjectArchived
from devices.queries import NoSuchDevice
from licenses import delivery, trial_queries, trials
from licenses.api import inputs, outputs, trial_outputs
from licenses.api.devices import HARDWARE_ID, find_device
from licenses.keyring import NoKeySet, SigningKeyMissing
from licenses.models import TestLicense
from licenses.room import DeviceIsFull
from licenses.trial_course import TestLicenseUsed
from licenses.trial_queries import NoSuchTestLicense
from licenses.trials import (
    NoTestSet,
    SlaveTakesNoQuantity,
    TestLicenseStarted,
    TestLicenseThere,
    TestQuantityOutOfRange,
    TooManyWithoutContact,
)
from portal.core import clock
from portal.core.problems import MalformedInput

ASKED = (NoSuchDevice, RightMissing, SlaveTakesNoQuantity, TestQuantityOutOfRange, NoTestSet, DeviceIsFull)


class ProjectTestLicenses(Door):
    @operation(
        "list-test-licenses",
        "List the test licenses of a project's devices",
        scope=ApiToken.Scope.READ,
        answer=trial_outputs.TestLicenseList,
        parameters=(inputs.TestLicensePage,),
        refusals=(NoSuchProject, MalformedInput),
    )
    def get(self, request: Request, project_id: int) -> Response:
        """By hardware ID, a page at a time: ask again with `after` set to `next`, until `next` is null."""
        page = inputs.TestLicensePage.read(request.query_params.dict())
        project = get_project(project_id=project_id, user=principal(request))
        listed, following = paging.cut(
            trial_queries.test_licenses_of(project).filter(hardware_id__gt=page["after"]),
            limit=page["limit"],
            position=lambda one: one.hardware_id,
        )
        records = trial_queries.described_all(listed, now=clock.now())
        return Response(trial_outputs.TestLicenseList({"test_licenses": records, "next": following}).data)


class DeviceTestLicense(Door):
    @operation(
        "get-test-license",
        "Get the test license of a device",
        scope=ApiToken.Scope.READ,
        answer=trial_outputs.TestLicense,
        parameters=(HARDWARE_ID,),
        refusals=(NoSuchDevice, NoSuchTestLicense),
    )
    def get(self, request: Request, hardware_id: str) -> Response:
        """What it holds, whether it waits, runs or has ended, and when it ends."""
        return _answer(trial_queries.get_test_license(find_device(request, hardware_id)))

    @operation(
        "create-test-license",
        "Create the test license of a device",
        scope=ApiToken.Scope.OPERATE,
        takes=inputs.NewTestLicense,
        answer=trial_outputs.TestLicense,
        status=HTTPStatus.CREATED,
        parameters=(HARDWARE_ID,),
        refusals=(
            *ASKED,
            TestLicenseThere,
            TestLicenseUsed,
            TooManyWithoutContact,
            ProjectArchived,
            CompanyImported,
        ),
    )
    def post(self, request: Request, hardware_id: str) -> Response:
        """There is one for a hardware ID, for ever. It waits for its first download, which starts its three
        months: that of the device, or a `POST` to `download`. Needs `operate`.
        """
        given = inputs.NewTestLicense.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        made = trials.create_test_license(
            device=device,
            version=given["version"],
            slave=given["slave"],
            quantity=given["quantity"],
            caller=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return _answer(made, status=HTTPStatus.CREATED)


class TestLicenseChange(Door):
    __test__ = False  # for pytest, which takes the name for that of a test

    @operation(
        "change-test-license",
        "Change the test license of a device",
        scope=ApiToken.Scope.OPERATE,
        takes=inputs.NewTestLicense,
        answer=trial_outputs.TestLicense,
        parameters=(HARDWARE_ID,),
        refusals=(*ASKED, NoSuchTestLicense, TestLicenseStarted),
    )
    def post(self, request: Request, hardware_id: str) -> Response:
        """As long as nobody has downloaded it. Needs `operate`."""
        given = inputs.NewTestLicense.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        changed = trials.change_test_license(
            device=device,
            version=given["version"],
            slave=given["slave"],
            quantity=given["quantity"],
            caller=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return _answer(changed)


class TestLicenseWithdrawal(Door):
    __test__ = False

    @operation(
        "withdraw-test-license",
        "Withdraw the test license of a device",
        scope=ApiToken.Scope.OPERATE,
        takes=Nothing,
        answer=trial_outputs.WithdrawnTestLicense,
        parameters=(HARDWARE_ID,),
        refusals=(NoSuchDevice, RightMissing, NoSuchTestLicense, TestLicenseStarted),
    )
    def post(self, request: Request, hardware_id: str) -> Response:
        """As long as nobody has downloaded it; the device can have another one then. Needs `operate`."""
        Nothing.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        withdrawn = trials.withdraw_test_license(
            device=device,
            caller=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(trial_outputs.WithdrawnTestLicense(withdrawn).data)


class TestLicenseDownload(Door):
    __test__ = False

    @operation(
        "download-test-license",
        "Download the .lic file with the test license in it",
        scope=ApiToken.Scope.OPERATE,
        takes=Nothing,
        answer=outputs.LIC_FILE,
        parameters=(HARDWARE_ID,),
        refusals=(
            NoSuchDevice,
            RightMissing,
            NoSuchTestLicense,
            TestLicenseUsed,
            DeviceIsFull,
            NoKeySet,
            SigningKeyMissing,
        ),
    )
    def post(self, request: Request, hardware_id: str) -> HttpResponse:
        """The first download starts the three months, and nothing stops them. Downloaded again, the end is
        the same. Without the test license there is the file at `license-document`. Needs `operate`.
        """
        Nothing.read(request.data)
        device = find_device(request, hardware_id, right=OPERATE)
        bundle = delivery.download_test_license(
            device=device,
            caller=caller(request, company=device.project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return HttpResponse(
            bundle.content,
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{hardware_id}-{bundle.seq}.lic"'},
        )


def _answer(test_license: TestLicense, *, status: HTTPStatus = HTTPStatus.OK) -> Response:
    record = trial_queries.described(test_license, now=clock.now())
    return Response(trial_outputs.TestLicense(record).data, status=status)
