"""The test license of a device: created, changed, withdrawn, started by a download (rules 20 to 23)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.queries import OPERATE
from accounts.requests import caller, person, signed_in
from accounts.web.question import Question, ask
from devices import queries as devices
from devices.models import Device
from licenses import delivery, trial_queries, trials
from licenses.models import TestLicense
from licenses.trials import NoTestSet, SlaveTakesNoQuantity, TestQuantityOutOfRange
from licenses.web.devices import as_file
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, OfferedField, respond


class TestLicenseForm(ActForm):
    __test__ = False  # for pytest, which takes the name for that of a test

    version = OfferedField(
        label=gettext_lazy("Version"), help_text=gettext_lazy("The major version of the device's firmware.")
    )
    slave = forms.BooleanField(
        label=gettext_lazy("For a slave"),
        required=False,
        help_text=gettext_lazy("A slave gets the gateway licenses only, and needs no number."),
    )
    quantity = forms.IntegerField(
        label=gettext_lazy("Number of each PBX license"),
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "min": 1}),
    )

    def asked(self) -> dict[str, Any]:
        """What was asked for, as the operations take it; a version that is no number is one nobody has."""
        version = self.cleaned_data["version"]
        return {
            "version": int(version) if version.isascii() and version.isdecimal() and len(version) < 5 else 0,
            "slave": self.cleaned_data["slave"],
            "quantity": self.cleaned_data["quantity"],
        }


@signed_in
def create(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Create the one test license of the device."""
    device = devices.get_device(hardware_id=hardware_id, user=person(request), right=OPERATE)

    def do(form: TestLicenseForm) -> TestLicense:
        return trials.create_test_license(
            device=device,
            **form.asked(),
            caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
            now=clock.now(),
        )

    said = _("The test license is there. It starts when it is first downloaded, or the device fetches it.")
    return _form(request, device, do=do, said=said, initial={"quantity": 5})


@signed_in
def change(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Change it, as long as nobody has downloaded it."""
    device = devices.get_device(hardware_id=hardware_id, user=person(request), right=OPERATE)
    waiting = trial_queries.get_test_license(device)

    def do(form: TestLicenseForm) -> TestLicense:
        return trials.change_test_license(
            device=device,
            **form.asked(),
            caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
            now=clock.now(),
        )

    initial = {"version": waiting.version, "slave": waiting.slave, "quantity": waiting.quantity}
    return _form(request, device, do=do, said=_("The test license is changed."), initial=initial, there=True)


@signed_in
def withdraw(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Withdraw it before anybody has downloaded it, after a question."""
    device = devices.get_device(hardware_id=hardware_id, user=person(request), right=OPERATE)

    def do(key: str) -> HttpResponse:
        trials.withdraw_test_license(
            device=device, caller=caller(request, company=device.project.company, key=key), now=clock.now()
        )
        messages.success(request, _("The test license is withdrawn. The device can have another one."))
        return redirect("device", hardware_id=hardware_id)

    question = Question(
        title=_("Withdraw the test license of %(hardware_id)s?") % {"hardware_id": device.hardware_id},
        meaning=[_("Nobody has downloaded it, so nothing is used up: another one can be created.")],
        yes=_("Withdraw the test license"),
        back=reverse("device", args=[hardware_id]),
    )
    return ask(request, question, do=do)


@signed_in
def start(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Ask whether the clock shall start now; behind the button is the file with the test license in it."""
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user, right=OPERATE)
    now = clock.now()
    record = trial_queries.described(trial_queries.get_test_license(device), now=now)
    if request.method != "POST" and record.state != "waiting":
        return redirect("device", hardware_id=hardware_id)  # there is nothing to ask any more
    form = ActForm(request.POST or None)
    if form.is_valid():
        try:
            bundle = delivery.download_test_license(
                device=device,
                caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
                now=now,
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return as_file(bundle, device)
    return respond(request, "licenses/test_license_start.html", _context(device, request), form=form)


def _form(
    request: HttpRequest,
    device: Device,
    *,
    do: Callable[[TestLicenseForm], TestLicense],
    said: str,
    initial: dict[str, Any],
    there: bool = False,
) -> HttpResponse:
    form = TestLicenseForm(request.POST or None, initial=initial)
    versions = trial_queries.test_versions()
    version, quantity = form.fields["version"], form.fields["quantity"]
    assert isinstance(version, OfferedField), "set by the form's class"
    version.offer([(one, one) for one in versions])
    quantity.help_text = _("From 1 to %(largest)s.") % {"largest": settings.TEST_LICENSE_LARGEST_QUANTITY}
    if form.is_valid():
        try:
            do(form)
        except (SlaveTakesNoQuantity, TestQuantityOutOfRange) as refusal:
            form.refuse(refusal, field="quantity")
        except NoTestSet as refusal:
            form.refuse(refusal, field="version")
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, said)
            return redirect("device", hardware_id=device.hardware_id)
    context = {**_context(device, request), "there": there}
    return respond(request, "licenses/test_license.html", context, form=form)


def _context(device: Device, request: HttpRequest) -> dict[str, Any]:
    company = device.project.company
    return {
        "device": device,
        "project": device.project,
        "company": company,
        "is_member": accounts.is_member(company=company, user=person(request)),
    }
