"""The move of a broken device on its page: asked for, its replacement named, withdrawn (rules 24 and 25)."""

from collections.abc import Callable

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
from devices import enrollment
from devices import queries as devices
from devices.enrollment import HardwareIDMalformed
from devices.models import Device
from devices.queries import NoSuchDevice
from licenses import evidence_files, move_queries, moves
from licenses.evidence import add_evidence
from licenses.evidence_files import CheckedFile, EvidenceNotAllowed, EvidenceThere, EvidenceTooLarge
from licenses.models import Move
from licenses.move_course import ReplacementElsewhere
from licenses.moves import LONGEST_RMA, ReplacementIsBroken, SameDevice, SameReplacement
from licenses.room import DeviceIsFull
from portal.core import clock
from portal.core.downloads import attachment
from portal.core.errors import DomainError
from portal.core.forms import ActForm, ReasonForm, respond

OF_THE_REPLACEMENT = (
    HardwareIDMalformed,
    NoSuchDevice,
    SameDevice,
    SameReplacement,
    ReplacementElsewhere,
    ReplacementIsBroken,
    DeviceIsFull,
)


OF_THE_EVIDENCE = (EvidenceNotAllowed, EvidenceTooLarge, EvidenceThere)
EVIDENCE_TYPES = "application/pdf,image/png,image/jpeg"
WHAT_EVIDENCE_IS = gettext_lazy(
    "A photograph or a document that shows what happened: PDF, PNG or JPEG. Support and your company see it."
)


class ReplacementForm(ActForm):
    replacement = forms.CharField(
        label=gettext_lazy("Replacement"),
        max_length=60,
        help_text=gettext_lazy("Its hardware ID. It must be in one of the company's projects already."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )


class MoveForm(ReasonForm):
    replacement = forms.CharField(
        label=gettext_lazy("Replacement"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Its hardware ID; leave it empty if it is not known yet."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    rma = forms.CharField(
        label=gettext_lazy("RMA number"),
        max_length=LONGEST_RMA,
        required=False,
        help_text=gettext_lazy("The number under which the vendor takes the hardware back, if there is one."),
    )
    evidence = forms.FileField(
        label=gettext_lazy("Evidence"),
        required=False,
        help_text=WHAT_EVIDENCE_IS,
        widget=forms.FileInput(attrs={"accept": EVIDENCE_TYPES}),
    )
    field_order = ("replacement", "reason", "rma", "evidence")


class EvidenceForm(ActForm):
    evidence = forms.FileField(
        label=gettext_lazy("Evidence"),
        help_text=WHAT_EVIDENCE_IS,
        widget=forms.FileInput(attrs={"accept": EVIDENCE_TYPES}),
    )


@signed_in
def ask_for_move(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Ask for a move of the device; the page says first that a signed return is better."""
    device = devices.get_device(hardware_id=hardware_id, user=person(request), right=OPERATE)
    form = MoveForm(request.POST or None, request.FILES or None)
    form.fields["reason"].help_text = _("What happened, in a sentence. Support decides by it.")

    def do() -> Move:
        given = form.cleaned_data["replacement"]
        return moves.ask_for_move(
            device=device,
            replacement=_device(request, given) if given else None,
            rma=form.cleaned_data["rma"],
            evidence=_checked(form),
            caller=caller(
                request,
                company=device.project.company,
                key=form.cleaned_data["act_key"],
                reason=form.cleaned_data["reason"],
            ),
            now=clock.now(),
        )

    return _form(request, device, form, "licenses/move.html", do=do)


@signed_in
def name_replacement(request: HttpRequest, hardware_id: str, move_id: int) -> HttpResponse:
    """Name the replacement, for the first time or instead of another one."""
    device = devices.get_device(hardware_id=hardware_id, user=person(request), right=OPERATE)
    move = move_queries.get_move(move_id=move_id, device=device)
    form = ReplacementForm(request.POST or None)

    def do() -> Move:
        return moves.name_replacement(
            move=move,
            replacement=_device(request, form.cleaned_data["replacement"]),
            caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
            now=clock.now(),
        )

    return _form(request, device, form, "licenses/move_replacement.html", do=do, move=move)


@signed_in
def evidence(request: HttpRequest, hardware_id: str, move_id: int) -> HttpResponse:
    """Add the evidence file while the move is open; who may see the device saves it from `evidence_file`."""
    device = devices.get_device(hardware_id=hardware_id, user=person(request), right=OPERATE)
    move = move_queries.get_move(move_id=move_id, device=device)
    form = EvidenceForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            file = _checked(form)
            assert file is not None, "the field is required"
            add_evidence(
                move=move,
                file=file,
                caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="evidence" if isinstance(refusal, OF_THE_EVIDENCE) else None)
        else:
            messages.success(request, _("The evidence is with the move."))
            return redirect("device", device.hardware_id)
    context = {
        "device": device,
        "project": device.project,
        "is_member": accounts.is_member(company=device.project.company, user=person(request)),
    }
    return respond(request, "licenses/move_evidence.html", context, form=form)


@signed_in
def evidence_file(request: HttpRequest, hardware_id: str, move_id: int) -> HttpResponse:
    """Save the evidence file: never shown by the portal itself."""
    device = devices.get_device(hardware_id=hardware_id, user=person(request))
    found = evidence_files.get(move_queries.get_move(move_id=move_id, device=device))
    return attachment(bytes(found.content), name=found.name, media_type=found.media_type)


@signed_in
def withdraw(request: HttpRequest, hardware_id: str, move_id: int) -> HttpResponse:
    """Ask first: the bridge ends with it."""
    device = devices.get_device(hardware_id=hardware_id, user=person(request), right=OPERATE)
    move = move_queries.get_move(move_id=move_id, device=device)
    back = reverse("device", args=[device.hardware_id])

    def do(act_key: str) -> HttpResponse:
        moves.withdraw_move(
            move=move, caller=caller(request, company=device.project.company, key=act_key), now=clock.now()
        )
        messages.success(request, _("The move is withdrawn."))
        return redirect(back)

    question = Question(
        title=_("Withdraw the move of %(hardware_id)s?") % {"hardware_id": device.hardware_id},
        meaning=(
            _("The replacement loses its bridge at its next fetch; the device keeps the licenses it has."),
            _("If you ask again within 180 days, support looks first, before there is a bridge."),
        ),
        yes=_("Withdraw the move"),
        back=back,
    )
    return ask(request, question, do=do)


def _checked(form: ActForm) -> CheckedFile | None:
    """The evidence that was given, if any, judged by its content."""
    given = form.cleaned_data["evidence"]
    if not given:
        return None
    # One byte more than may be is enough to say that it is too much.
    content = given.read(settings.EVIDENCE_KIB * 1024 + 1)
    return evidence_files.check(name=given.name, content=content)


def _device(request: HttpRequest, text: str) -> Device:
    """The device that somebody typed, if the person may operate it."""
    hardware_id = enrollment.canonical_hardware_id(text)
    return devices.get_device(hardware_id=hardware_id, user=person(request), right=OPERATE)


def _form(
    request: HttpRequest,
    device: Device,
    form: ActForm,
    template: str,
    *,
    do: Callable[[], Move],
    move: Move | None = None,
) -> HttpResponse:
    if form.is_valid():
        try:
            done = do()
        except DomainError as refusal:
            field = "replacement" if isinstance(refusal, OF_THE_REPLACEMENT) else None
            field = "evidence" if isinstance(refusal, OF_THE_EVIDENCE) else field
            form.refuse(refusal, field=field)
        else:
            stage = move_queries.described(done, now=clock.now()).stage
            messages.success(request, SAID.get(stage, gettext_lazy("The move is asked for.")))
            return redirect("device", device.hardware_id)
    context = {
        "device": device,
        "project": device.project,
        "move": move,
        "can_still_sign": device.pinned_spki is not None,
        "is_member": accounts.is_member(company=device.project.company, user=person(request)),
    }
    return respond(request, template, context, form=form)


SAID = {
    "bridged": gettext_lazy("The replacement has a bridge: its next fetch brings all that the device had."),
    "with-support": gettext_lazy("The move is asked for. Support looks at it before there is a bridge."),
    "needs-replacement": gettext_lazy("The move is asked for. Name the replacement as soon as you know it."),
}
