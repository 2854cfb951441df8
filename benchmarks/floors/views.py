"""The floors, and the portal's operations in views as bare as theirs."""

import json

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.models import Project
from benchmarks.floors import statement
from benchmarks.floors.bare import PAGE
from benchmarks.floors.models import Balance, Code, Entry, Movement
from devices import statements
from devices.models import Device
from licenses import activation, assignment, queries
from portal.core import acts, clock
from portal.core.acts import Caller
from portal.core.addresses import address_of

FETCH_URL = "/device/v1/licenses"


def page(_request: HttpRequest) -> HttpResponse:
    """A view that does nothing."""
    return HttpResponse(PAGE, content_type="text/plain")


def select(_request: HttpRequest, hardware_id: str) -> HttpResponse:
    """One SELECT by a unique index."""
    return HttpResponse(Device.objects.get(hardware_id=hardware_id).name)


@csrf_exempt
def verify(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """The same SELECT, and one ES256 verification of the body by a key that is at hand."""
    statement.verify(request.body)
    return HttpResponse(Device.objects.get(hardware_id=hardware_id).name)


@csrf_exempt
def redeem(request: HttpRequest, balance_id: int) -> HttpResponse:
    """Lock, update, two inserts, F(): the least that redeeming a code once is, by the ORM."""
    now = clock.now()
    with transaction.atomic(durable=True):
        code = Code.objects.select_for_update().get(text=request.body.decode(), redeemed_at=None)
        code.redeemed_at = now
        code.save(update_fields=["redeemed_at"])
        Movement.objects.create(code=code, balance_id=balance_id, quantity=code.quantity)
        Entry.objects.create(at=now, event="redeemed", actor="somebody")
        Balance.objects.filter(pk=balance_id).update(amount=F("amount") + code.quantity)
    return HttpResponse(status=204)


@csrf_exempt
def activate(request: HttpRequest, project_id: int) -> HttpResponse:
    """Activate a key into a project's balance: the operation alone, without a door's sign-in and checks."""
    project = Project.objects.select_related("company").get(pk=project_id)
    activation.activate_key(
        code=request.body.decode(), target=project, caller=_caller(request), now=clock.now()
    )
    return HttpResponse(status=204)


@csrf_exempt
def assign(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Assign licenses to a device: the operation alone, without a door's sign-in and checks."""
    wanted = json.loads(request.body)
    assignment.assign(
        device=Device.objects.select_related("project").get(hardware_id=hardware_id),
        product=queries.get_product(code=wanted["product"], version=wanted["version"]),
        quantity=wanted["quantity"],
        caller=_caller(request),
        now=clock.now(),
    )
    return HttpResponse(status=204)


@csrf_exempt
def statement_of_a_device(request: HttpRequest) -> HttpResponse:
    """Verify a device's statement, nonce included, and answer with the next nonce: no more of its door."""
    now = clock.now()
    statements.receive_online(request.body, statements.FETCH, url=FETCH_URL, address=None, now=now)
    return HttpResponse(status=204, headers={"Replay-Nonce": statements.new_nonce(now=now)})


def _caller(request: HttpRequest) -> Caller:
    return Caller(scope="benchmark", key=acts.new_key(), name="benchmark", address=address_of(request))
