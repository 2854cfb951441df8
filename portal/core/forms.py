"""The portal's forms: how they look, and how a refusal comes back to the page it was made on.

A form checks the shape of what was typed; the rules are the operations'. What an operation refuses is shown
on top of the form, with its code, and beside the field it is about.
"""

from collections.abc import Mapping
from datetime import UTC
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.core import acts, problems
from portal.core.errors import Conflict, DomainError, Throttled


class FormUsedBefore(Conflict):
    """The browser's way of saying idempotency-key-reused: people know forms, not request ids."""

    code = "form-used-before"
    title = _("This form was sent before, with other content.")
    why = _(
        "Each form takes effect once, so that a double click or a reload does nothing twice. When it comes "
        "with other content, only you can say whether you want both."
    )
    way_out = _("What was sent then stands. To do this as well, send the form again.")
    source = "mission rule 37"


# Codes of django-allauth under which it says in a form that something was too often.
TOO_OFTEN = {"too_many_login_attempts", "rate_limited"}


class PortalRenderer(TemplatesSetting):
    """Own templates under portal/templates/forms/."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"


class DayInput(forms.DateInput):
    """A day, as browsers let people choose it."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class ZoneField(forms.CharField):
    """The reader's time zone, which portal.js knows and fills in; without it, or with nonsense, UTC.

    It gives a `tzinfo`: days and hours that somebody typed are of this zone, like the times on the page.
    """

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False, max_length=60, widget=forms.HiddenInput(attrs={"data-zone": ""}))

    def clean(self, value: Any) -> Any:
        """The zone that is named."""
        try:
            return ZoneInfo(str(value)) if value and len(str(value)) <= 60 else UTC
        except (ValueError, OSError, ZoneInfoNotFoundError):
            return UTC


class PortalForm(forms.Form):
    """A form that can show the refusal of the operation it was for."""

    use_required_attribute = True
    refusal: DomainError | None = None

    def refuse(self, refusal: DomainError, *, field: str | None = None) -> None:
        """Show a refusal on top of the form and, where it is about one field, beside that field."""
        self.refusal = refusal
        if field is not None:
            self.add_error(field, refusal.headline)

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form."""
        if self.refusal is not None:
            return int(problems.status_of(self.refusal))
        return int(HTTPStatus.BAD_REQUEST if self.errors else HTTPStatus.OK)


class ActForm(PortalForm):
    """A form whose sending is an act: `act_key` names it, so that a double click has one effect.

    The key stays when the form comes back with a refusal, because a refused act leaves no trace.
    """

    act_key = forms.CharField(
        max_length=100, initial=acts.new_key, widget=forms.HiddenInput(attrs={"id": False})
    )

    def refuse(self, refusal: DomainError, *, field: str | None = None) -> None:
        """As for every form; a form that was used before gets a new key."""
        if isinstance(refusal, acts.IdempotencyKeyReused):
            refusal, field = FormUsedBefore(), None
            given = {name: self.data.get(name) for name in self.data}
            self.data = {**given, self.add_prefix("act_key"): acts.new_key()}
        super().refuse(refusal, field=field)


class ReasonForm(ActForm):
    """An act that is not done without a reason (mission rule 38)."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=acts.LONGEST_REASON,
        help_text=_("A sentence for whoever looks at it later. It stays in the history."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class OfferedField(forms.CharField):
    """A choice from a list of what is there now.

    What is posted may be gone by then; whether it is valid is for the query or operation to say, and a form
    that is sent twice must get the first answer twice. So any short text passes here.
    """

    widget = forms.Select

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=60, **options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """No attributes: a select has no length."""
        return {}

    def offer(self, choices: list[tuple[Any, Any]]) -> None:
        """Set what is shown: pairs of value and label, or of group and pairs."""
        select: Any = self.widget
        select.choices = choices


def leading_to_why(text: str | Promise, refusal: type[DomainError]) -> SafeString:
    """A sentence with a link behind it to the help page of a refusal, where no alert has room."""
    return format_html("{} {}", text, render_to_string("components/why.html", {"code": refusal.code}))


def field_error(refusal: DomainError) -> forms.ValidationError:
    """A refusal as an error of one field, for the forms of a library, which show nothing else of it."""
    return forms.ValidationError(leading_to_why(refusal.headline, type(refusal)), code=refusal.code)


def status_of_form(form: forms.BaseForm) -> int:
    """The HTTP status of a page that shows a form, be it one of ours or of a library's."""
    if isinstance(form, PortalForm):
        return form.status
    if not form.is_bound or not form.errors:
        return int(HTTPStatus.OK)
    codes = {error.code for errors in form.errors.as_data().values() for error in errors}
    return int(HTTPStatus.TOO_MANY_REQUESTS if codes & TOO_OFTEN else HTTPStatus.BAD_REQUEST)


def respond(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, form: PortalForm
) -> HttpResponse:
    """A page with a form, under the status that the form's state asks for."""
    response = render(request, template, {**context, "form": form}, status=form.status)
    if isinstance(form.refusal, Throttled):
        response.headers["Retry-After"] = str(form.refusal.facts.get("seconds", 60))
    return response
