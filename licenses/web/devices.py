"""A device's page: what it holds, assigning and undoing, and its license document as a file."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.models import User
from accounts.queries import MANAGE, OPERATE
from accounts.requests import caller, person, signed_in
from accounts.web import active
from devices import queries as devices
from devices.models import Device
from licenses import assignment, delivery, ledger, queries
from licenses.web import history
from licenses.web.products import ProductField
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, PortalForm, respond

HISTORY = 10


class AssignForm(ActForm):
    product = ProductField(label=gettext_lazy("Product"))
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"),
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "min": 1}),
    )


@signed_in
def device(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """What the device holds, its document and its history."""
    user = person(request)
    return _page(request, devices.get_device(hardware_id=hardware_id, user=user), user, AssignForm())


@signed_in
def assign(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Assign licenses from the project's balance; the form is on the device's page."""
    if request.method != "POST":
        return redirect("device", hardware_id=hardware_id)
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user, right=OPERATE)
    form = AssignForm(request.POST)
    if form.is_valid():
        code, version = form.cleaned_data["product"]
        try:
            done = assignment.assign(
                device=device,
                product=queries.get_product(code=code, version=version),
                quantity=form.cleaned_data["quantity"],
                caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except (ledger.InsufficientLicenses, ledger.QuantityOutOfRange) as refusal:
            form.refuse(refusal, field="quantity")
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(
                request,
                _("%(quantity)s × %(product)s assigned. They are in the license document with seq %(seq)s.")
                % {
                    "quantity": done.grant.quantity,
                    "product": done.grant.product,
                    "seq": done.document.seq,
                },
            )
            # Else the browser would keep the form's "#assign" and scroll past the message.
            return redirect(f"{reverse('device', args=[device.hardware_id])}#main")
    return _page(request, device, user, form)


@signed_in
def undo(request: HttpRequest, hardware_id: str, grant_id: str) -> HttpResponse:
    """Undo an assignment that no document handed out has carried (mission rule 12)."""
    if request.method != "POST":
        return redirect("device", hardware_id=hardware_id)
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user, right=OPERATE)
    grant = queries.get_grant(grant_id=grant_id, device=device)
    form = ActForm(request.POST)
    if form.is_valid():
        try:
            done = assignment.undo_assignment(
                grant=grant,
                caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(
                request,
                _("Undone: %(quantity)s × %(product)s are back in the balance of the project.")
                % {"quantity": done.grant.quantity, "product": done.grant.product},
            )
            return redirect("device", hardware_id=device.hardware_id)
    return _page(request, device, user, AssignForm(), refused=form)


@signed_in
def download(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """The `.lic` file: the signed bytes as they are stored (trust.md 4)."""
    if request.method != "POST":
        return redirect("device", hardware_id=hardware_id)
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user, right=OPERATE)
    form = ActForm(request.POST)
    if form.is_valid():
        try:
            bundle = delivery.download(
                device=device,
                caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            response = HttpResponse(bundle.content, content_type="application/json")
            file_name = f"{device.hardware_id}-{bundle.seq}.lic"
            response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
            response.headers["Cache-Control"] = "no-store"
            return response
    return _page(request, device, user, AssignForm(), refused=form)


def _page(
    request: HttpRequest,
    device: Device,
    user: User,
    form: AssignForm,
    *,
    refused: PortalForm | None = None,
) -> HttpResponse:
    """The device's page; `refused` is the form of one of its buttons, when that was refused."""
    active.work_in(request, device.project)
    right = accounts.right_in(project=device.project, user=user)
    can_operate = accounts.reaches(right, needed=OPERATE)
    balance = queries.balance_of_project(device.project) if can_operate else []
    product = form.fields["product"]
    assert isinstance(product, ProductField), "set by the form's class"
    product.offer_products(balance)
    grants = list(queries.live_grants(device))
    undoable = queries.can_be_undone(grants, device) if can_operate else set()
    context = {
        "device": device,
        "project": device.project,
        "is_member": accounts.is_member(company=device.project.company, user=user),
        "can_operate": can_operate,
        "can_manage": accounts.reaches(right, needed=MANAGE),
        "has_free": any(row.free for row in balance),
        "grants": [(grant, queries.grant_id(grant) if grant.pk in undoable else "") for grant in grants],
        "has_undo": bool(undoable),
        "document": queries.current_document(device),
        "history": history.told(queries.history_of_device(device, limit=HISTORY)),
        "refused": refused,
        "assign_form": form,
    }
    return respond(request, "licenses/device.html", context, form=refused or form)
