"""Templates of reasons: made, changed and archived by those who may, each name once in a language."""

import pytest

from accounts import reason_templates
from accounts.models import ReasonTemplate, User
from accounts.permissions import Role
from accounts.reason_templates import NoSuchTemplate, TemplateIncomplete, TemplateNameTaken
from accounts.staff import RoleMissing
from portal.core.acts import IdempotencyKeyReused
from tests.factories import NOW, caller, make_user
from tests.operations.bookkeeping import last_entry, refused, unchanged


def made(by: User | None = None, *, key: str | None = None, **given: str) -> ReasonTemplate:
    words = {"name": "RMA", "language": "en", "text": "Please send it back."} | given
    return reason_templates.make_template(**words, caller=caller(by, key=key), now=NOW)


def changed(template: ReasonTemplate, *, key: str | None = None, **given: str) -> ReasonTemplate:
    words = {"name": "RMA", "language": "en", "text": "Thank you."} | given
    return reason_templates.change_template(template=template, **words, caller=caller(key=key), now=NOW)


def archived(template: ReasonTemplate, *, key: str | None = None) -> None:
    reason_templates.archive_template(template=template, caller=caller(key=key), now=NOW)


@pytest.mark.usefixtures("db")
class TestTemplates:
    def test_are_made_changed_and_archived_and_the_audit_says_what_they_said(self, sam: User) -> None:
        template = made(sam, name=" RMA  number ", text=" Please. ")
        assert (template.name, template.text) == ("RMA number", "Please.")
        assert (last_entry().event, last_entry().who) == ("reason-template-made", "Sam Example")

        assert changed(template).text == "Thank you."
        assert last_entry().facts["text"] == "Thank you."

        archived(template)
        assert list(reason_templates.offered()) == []
        assert last_entry().event == "reason-template-archived"

    def test_the_same_request_again_is_answered_the_same_also_when_it_was_archived(self) -> None:
        template = made(key="m")
        changed(template, key="c")
        archived(template, key="a")

        with unchanged():
            assert made(key="m") == template
            assert changed(template, key="c") == template
            archived(template, key="a")
        with refused(IdempotencyKeyReused):
            changed(template, key="c", text="Something else.")

    def test_have_a_name_of_their_own_in_a_language_until_they_are_archived(self) -> None:
        first, other = made(), made(name="Other")
        made(language="de")

        with refused(TemplateNameTaken, name="RMA"):
            made()
        with refused(TemplateNameTaken, name="RMA"):
            changed(other, name="RMA")
        archived(first)
        assert made().pk != first.pk

    @pytest.mark.parametrize(
        "given",
        [{"name": " "}, {"name": "x" * 81}, {"text": " "}, {"text": "x" * 1001}, {"language": "tlh"}],
        ids=str,
    )
    def test_are_complete_and_fit_into_a_reason(self, given: dict[str, str]) -> None:
        with refused(TemplateIncomplete):
            made(None, **given)

    def test_that_are_archived_are_not_changed_archived_or_found(self) -> None:
        template = made()
        archived(template)

        for act in (changed, archived):
            with refused(NoSuchTemplate):
                act(template)
        with refused(NoSuchTemplate):
            reason_templates.get_template(template.pk)
        for number in (str(template.pk), "", "x", "²", "9" * 30):
            assert reason_templates.picked(number) is None

    def test_are_the_business_of_those_who_decide(self) -> None:
        clerk = make_user(name="Clara", is_staff=True, roles=(Role.FULFILMENT,))

        with refused(RoleMissing):
            made(clerk)
