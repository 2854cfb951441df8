"""The staff pages about templates of reasons: what there is, a new one, changing and archiving one."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts import reason_templates
from accounts.permissions import Permission
from accounts.reason_templates import LONGEST_NAME
from accounts.requests import caller, staff_only
from portal.core import clock
from portal.core.acts import LONGEST_REASON
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond


class TemplateForm(ActForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=LONGEST_NAME,
        help_text=gettext_lazy("By this it is picked. Customers do not see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("What stands in the reason then, and can be changed there."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )


@staff_only(Permission.LOOK, change=Permission.REASON_TEMPLATES)
def templates(request: HttpRequest) -> HttpResponse:
    """What is offered; a POST makes another one."""
    form = TemplateForm(request.POST or None, initial={"language": get_language()})
    if form.is_valid():
        given = dict(form.cleaned_data)
        who = caller(request, key=given.pop("act_key"))
        try:
            made = reason_templates.make_template(**given, caller=who, now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal, field="name")
        else:
            messages.success(request, _("The template %(name)s is there.") % {"name": made.name})
            return redirect("staff-reasons")
    return respond(request, "staff/reasons.html", {"templates": reason_templates.offered()}, form=form)


@staff_only(Permission.LOOK, change=Permission.REASON_TEMPLATES)
def template(request: HttpRequest, template_id: int) -> HttpResponse:
    """One template; a POST changes it, or archives it."""
    sent = request.method == "POST"
    found = reason_templates.get_template(template_id, also_archived=sent)
    archives = request.POST.get("do") == "archive"
    there = {"name": found.name, "language": found.language, "text": found.text}
    form = TemplateForm(request.POST or None, initial=there)
    if form.is_valid():
        given = dict(form.cleaned_data)
        who = caller(request, key=given.pop("act_key"))
        try:
            if archives:
                reason_templates.archive_template(template=found, caller=who, now=clock.now())
            else:
                reason_templates.change_template(template=found, **given, caller=who, now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal, field="name")
        else:
            said = (
                _("The template %(name)s is archived.")
                if archives
                else _("The template %(name)s is changed.")
            )
            messages.success(request, said % {"name": found.name if archives else given["name"]})
            return redirect("staff-reasons")
    return respond(request, "staff/reason.html", {"template": found}, form=form)
