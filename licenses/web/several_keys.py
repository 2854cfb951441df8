"""Several activation keys in one go: each is looked at, all are confirmed together, each is one act.

As with one key, the codes travel in the bodies of both requests and nowhere else.
"""

from dataclasses import dataclass

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from accounts.models import Company, Project
from accounts.requests import caller, person, signed_in
from licenses import activation
from licenses.activation import Activation, KeyContents
from licenses.web import choices, keys
from portal.core import clock
from portal.core.errors import DomainError, Invalid, Throttled
from portal.core.forms import ActForm, OfferedField, respond

MOST_KEYS = 50


class KeysOutOfRange(Invalid):
    code = "keys-out-of-range"
    title = gettext_lazy("1 to %(most)s keys are activated at once, not %(keys)s.")
    why = gettext_lazy(
        "Each key is looked at and activated by itself. With very many of them you would wait long, and not "
        "see what came of which."
    )
    way_out = gettext_lazy("Enter the keys in several lists.")


class SeveralKeysForm(ActForm):
    codes = forms.CharField(
        label=gettext_lazy("Activation keys"),
        max_length=10_000,
        help_text=gettext_lazy("One a line, as on the certificates."),
        widget=forms.Textarea(
            attrs={
                "rows": 8,
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "mono",
                "data-scan": "line",
            }
        ),
    )
    target = OfferedField(
        label=gettext_lazy("Put their licenses into"),
        help_text=gettext_lazy("From the company balance they can be transferred to any project later."),
    )

    def lines(self) -> list[tuple[int, str]]:
        """The codes with the numbers of their lines.

        :raises KeysOutOfRange: there is none, or there are more than `MOST_KEYS`.
        """
        lines = [
            (number, line)
            for number, line in enumerate(self.cleaned_data["codes"].splitlines(), start=1)
            if line.strip()
        ]
        if not 1 <= len(lines) <= MOST_KEYS:
            raise KeysOutOfRange(most=MOST_KEYS, keys=len(lines))
        return lines


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was seen of the key on one line: what it holds, or why it cannot be activated."""

    number: int
    code: str
    contents: KeyContents | None = None
    refusal: DomainError | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of one key: what it brought in, or why it did not."""

    number: int
    activation: Activation | None = None
    refusal: DomainError | None = None


@signed_in
@sensitive_post_parameters("codes")
def activate_several(request: HttpRequest) -> HttpResponse:
    """Step one shows what each key holds; step two, with `confirm`, activates one after the other."""
    user = person(request)
    targets = keys.targets_of(user)
    form = SeveralKeysForm(request.POST or None, initial={"target": keys.first_target(request)})
    keys.offer(form, targets)
    if form.is_valid():
        try:
            lines = form.lines()
            target = keys.find_target(form.cleaned_data["target"], user)
            if "confirm" in request.POST:
                return _activate(request, form, lines, target)
            return _look(request, form, lines, target)
        except DomainError as refusal:
            form.refuse(refusal, field="codes" if isinstance(refusal, KeysOutOfRange) else None)
    response = respond(
        request, "licenses/activate_several.html", {"targets": targets, "most": MOST_KEYS}, form=form
    )
    return keys.with_camera(response)


def _look(
    request: HttpRequest, form: SeveralKeysForm, lines: list[tuple[int, str]], target: Company | Project
) -> HttpResponse:
    company = choices.company_of(target)
    looked: list[Looked] = []
    known: set[int] = set()
    for number, code in lines:
        act = caller(request, company=company)
        try:
            contents = activation.look_at_key(code=code, company=company, caller=act, now=clock.now())
        except Throttled:
            raise  # the others would be refused as well
        except DomainError as refusal:
            looked.append(Looked(number=number, code=code, refusal=refusal))
        else:
            if contents.activation_key.pk not in known:  # the same code twice is one key
                looked.append(Looked(number=number, code=code, contents=contents))
            known.add(contents.activation_key.pk)
    context = {
        "form": form,
        "good": [one for one in looked if one.contents is not None],
        "wrong": [one for one in looked if one.refusal is not None],
        "codes": "\n".join(one.code for one in looked if one.contents is not None),
        "target": choices.label_of(target),
        "company": company,
        "is_member": True,
    }
    return render(request, "licenses/activate_several_confirm.html", context)


def _activate(
    request: HttpRequest, form: SeveralKeysForm, lines: list[tuple[int, str]], target: Company | Project
) -> HttpResponse:
    """Each key for itself: one that cannot be activated keeps no other from it."""
    company = choices.company_of(target)
    done: list[Done] = []
    for place, (number, code) in enumerate(lines):
        # The place in the list, which the confirmation sends again as it is, tells the acts apart.
        act = caller(request, company=company, key=f"{form.cleaned_data['act_key']}.{place}")
        try:
            made = activation.activate_key(code=code, target=target, caller=act, now=clock.now())
        except DomainError as refusal:
            done.append(Done(number=number, refusal=refusal))
        else:
            done.append(Done(number=number, activation=made))
    context = {
        "done": [one for one in done if one.activation is not None],
        "wrong": [one for one in done if one.refusal is not None],
        "target": choices.label_of(target),
        "project": target if isinstance(target, Project) else None,
        "company": company,
        "is_member": True,
    }
    return render(request, "licenses/activated_several.html", context)
