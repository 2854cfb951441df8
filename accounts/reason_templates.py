"""Templates of reasons, for decisions that are made again and again: made, changed and archived by staff."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.models import ReasonTemplate
from accounts.permissions import Permission
from portal.core import acts, audit
from portal.core.acts import LONGEST_REASON, Caller
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.models import Act

LONGEST_NAME = 80
LONGEST_NUMBER = 9


class NoSuchTemplate(NotFound):
    code = "no-such-template"
    title = _("There is no such template, or it is archived.")
    why = _("What is archived is not changed any more, so that nobody has to ask what it said at which time.")
    way_out = _("Load the list of templates again, or make a new one.")
    source = "mission rule 38"


class TemplateNameTaken(Conflict):
    """Facts `name`."""

    code = "template-name-taken"
    title = _("There is a template named “%(name)s” in this language already.")
    why = _("Templates are picked by their names. Two of one name could not be told apart.")
    way_out = _("Take another name, or change the one that is there.")
    source = "mission rule 38"


class TemplateIncomplete(Invalid):
    """Facts `longest_name`, `longest_text`."""

    code = "template-incomplete"
    title = _(
        "A template has a name of at most %(longest_name)s characters and a text of at most %(longest_text)s."
    )
    why = _("Its text becomes a reason, and must fit where reasons are kept.")
    way_out = _("Shorten it, or fill in what is missing.")
    source = "mission rule 38"


def offered() -> QuerySet[ReasonTemplate]:
    """The templates that can be picked, by language and name."""
    return ReasonTemplate.objects.filter(archived_at=None).order_by("language", "name")


def get_template(template_id: int, *, also_archived: bool = False) -> ReasonTemplate:
    """One template by its number.

    :param also_archived: for a request that may be a repeated one: its operation knows.
    :raises NoSuchTemplate: there is none, or it is archived.
    """
    among = ReasonTemplate.objects.all() if also_archived else offered()
    found = among.filter(pk=template_id).first()
    if found is None:
        raise NoSuchTemplate
    return found


def picked(number: str) -> ReasonTemplate | None:
    """The template that an address names; None for anything that names none that is offered."""
    if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER):
        return None
    return offered().filter(pk=int(number)).first()


@transaction.atomic(durable=True)
def make_template(*, name: str, language: str, text: str, caller: Caller, now: datetime) -> ReasonTemplate:
    """Offer a new template.

    :raises RoleMissing: the caller may not.
    :raises TemplateIncomplete, TemplateNameTaken: it cannot be one.
    """
    given = _checked(name, language, text)
    act = _begin("make-reason-template", given, caller=caller, now=now)
    if act.outcome is not None:
        return ReasonTemplate.objects.get(pk=act.outcome["template"])
    template = ReasonTemplate(made_at=now, **given)
    _save(template, "reason-template-made", act=act, caller=caller, now=now)
    return template


@transaction.atomic(durable=True)
def change_template(
    *, template: ReasonTemplate, name: str, language: str, text: str, caller: Caller, now: datetime
) -> ReasonTemplate:
    """Offer other words from now on.

    :raises RoleMissing: the caller may not.
    :raises NoSuchTemplate: it was archived.
    :raises TemplateIncomplete, TemplateNameTaken: it cannot be one.
    """
    given = _checked(name, language, text)
    act = _begin("change-reason-template", {"template": template.pk, **given}, caller=caller, now=now)
    if act.outcome is not None:
        return ReasonTemplate.objects.get(pk=act.outcome["template"])
    locked = _lock(template)
    locked.name, locked.language, locked.text = given["name"], given["language"], given["text"]
    _save(locked, "reason-template-changed", act=act, caller=caller, now=now)
    return locked


@transaction.atomic(durable=True)
def archive_template(*, template: ReasonTemplate, caller: Caller, now: datetime) -> None:
    """Offer it no more.

    :raises RoleMissing: the caller may not.
    :raises NoSuchTemplate: it was archived by somebody else.
    """
    act = _begin("archive-reason-template", {"template": template.pk}, caller=caller, now=now)
    if act.outcome is not None:
        return
    locked = _lock(template)
    locked.archived_at = now
    _save(locked, "reason-template-archived", act=act, caller=caller, now=now)


def _checked(name: str, language: str, text: str) -> dict[str, str]:
    name, text = " ".join(name.split()), text.strip()
    known = language in dict(settings.LANGUAGES)
    if not (known and 0 < len(name) <= LONGEST_NAME and 0 < len(text) <= LONGEST_REASON):
        raise TemplateIncomplete(longest_name=LONGEST_NAME, longest_text=LONGEST_REASON)
    return {"name": name, "language": language, "text": text}


def _begin(operation: str, given: Mapping[str, object], *, caller: Caller, now: datetime) -> Act:
    staff.require(Permission.REASON_TEMPLATES, user_id=caller.user_id)
    return acts.begin(operation=operation, caller=caller, given=given, now=now)


def _lock(template: ReasonTemplate) -> ReasonTemplate:
    # Of two at once the second one waits, and finds what the first one left.
    found = offered().select_for_update(no_key=True).filter(pk=template.pk).first()
    if found is None:
        raise NoSuchTemplate
    return found


def _save(template: ReasonTemplate, event: str, *, act: Act, caller: Caller, now: datetime) -> None:
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            template.save()
    except IntegrityError as error:
        raise TemplateNameTaken(name=template.name) from error
    audit.record(
        event, caller=caller, now=now, act=act, template=template.pk, name=template.name, text=template.text
    )
    acts.finish(act, outcome={"template": template.pk})
