"""A page that asks before something is done, and does it when the answer is yes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse

from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked, what it means, what the button says, and where "no" leads."""

    title: Any
    yes: Any
    back: str
    meaning: Sequence[Any] = field(default=())


def ask(request: HttpRequest, question: Question, *, do: Callable[[str], HttpResponse]) -> HttpResponse:
    """Ask; behind the button, call `do` with the act's key. A refusal is shown with the question."""
    form = ActForm(request.POST or None)
    if form.is_valid():
        try:
            return do(form.cleaned_data["act_key"])
        except DomainError as refusal:
            form.refuse(refusal)
    return respond(request, "accounts/question.html", {"question": question}, form=form)
