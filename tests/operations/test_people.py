"""People whom the vendor lets in, and what they say of themselves."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from accounts import names, people, terms
from accounts.models import Mail, TermsAcceptance, User
from accounts.names import NameOfAPersonNeeded
from accounts.people import AddressTaken, NoSuchPerson
from accounts.permissions import Role
from accounts.terms import TermsChanged
from portal.core.acts import ReasonNeeded
from portal.core.models import AuditEntry
from tests.factories import NOW, caller, make_user

SAM: dict[str, Any] = {"email": "Sam@Example.com", "forename": "Sam", "surname": "Sommer"}


@pytest.mark.django_db
class TestAdding:
    def test_the_address_counts_as_confirmed_and_no_terms_as_accepted(self) -> None:
        sam = people.add_person(**SAM, caller=caller(), now=NOW, roles={Role.SUPPORT})
        address = EmailAddress.objects.get()
        assert (address.user, address.email, address.verified, address.primary) == (
            sam,
            "sam@example.com",
            True,
            True,
        )
        assert (sam.is_staff, sam.has_usable_password(), sam.has_accepted_terms) == (True, False, False)
        entry = AuditEntry.objects.get()
        assert (entry.event, entry.facts) == (
            "person-added",
            {"user": sam.pk, "roles": ["support"], "superuser": False},
        )

    def test_an_address_has_one_account_whatever_its_case(self) -> None:
        make_user(email="sam@example.com")
        with pytest.raises(AddressTaken):
            people.add_person(**SAM, caller=caller(), now=NOW)
        assert User.objects.count() == 1

    def test_a_team_is_nobody(self) -> None:
        with pytest.raises(NameOfAPersonNeeded):
            people.add_person(**{**SAM, "surname": "Team"}, caller=caller(), now=NOW)

    def test_the_command_says_why_not(self) -> None:
        call_command("add_person", "sam@example.com", "Sam", "Sommer", verbosity=0)
        with pytest.raises(CommandError, match=r"\[address-taken\]"):
            call_command("add_person", "sam@example.com", "Sam", "Sommer", verbosity=0)


class TestProfile:
    def test_it_changes_name_and_language(self, alice: User) -> None:
        people.change_profile(
            user=alice, forename="Alice", surname="Adler", language="de", caller=caller(alice), now=NOW
        )
        alice.refresh_from_db()
        assert (alice.get_full_name(), alice.language) == ("Alice Adler", "de")

    def test_a_refusal_changes_nothing(self, alice: User) -> None:
        with pytest.raises(NameOfAPersonNeeded):
            people.change_profile(
                user=alice, forename="Alice", surname="4ever", language="de", caller=caller(alice), now=NOW
            )
        alice.refresh_from_db()
        assert (alice.get_full_name(), alice.language) == ("Alice Example", "en")


class TestRemovingSecondFactors:
    def test_the_password_is_enough_again_and_the_person_is_told(self, alice: User) -> None:
        for kind in ("totp", "recovery_codes"):
            Authenticator.objects.create(user=alice, type=kind, data={})
        call_command("remove_second_factors", alice.email.upper(), "--reason", "called back", verbosity=0)
        assert not Authenticator.objects.exists()
        assert Mail.objects.get().subject == "Your second factors were removed"
        entry = AuditEntry.objects.get()
        assert entry.facts == {"user": alice.pk, "factors": 2, "reason": "called back"}

    def test_it_is_not_done_without_a_reason(self, alice: User) -> None:
        with pytest.raises(ReasonNeeded):
            people.remove_second_factors(email=alice.email, caller=caller(reason=" "), now=NOW)

    @pytest.mark.django_db
    def test_nobody_has_an_unknown_address(self) -> None:
        with pytest.raises(NoSuchPerson):
            people.remove_second_factors(email="x@example.com", caller=caller(reason="r"), now=NOW)


class TestForgettingRegistrations:
    @pytest.mark.django_db
    def test_one_that_was_never_activated_leaves_nothing(self) -> None:
        user = User.objects.create_user("x@example.com", forename="X", surname="Y")
        EmailAddress.objects.create(user=user, email=user.email, primary=True)
        for _ in range(2):
            people.forget_registration(user_id=user.pk)
        assert (User.objects.count(), EmailAddress.objects.count()) == (0, 0)

    def test_an_account_stays(self, alice: User) -> None:
        people.forget_registration(user_id=alice.pk)
        assert User.objects.get() == alice


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "Ann",
            "O'Brien",
            "Jean-Luc",
            "Müller",
            "Łukasz",
            "Ngọc Ánh",
            "de la Cruz",
            "St. John",
            "山田",
            "A. B.",
        ],
    )
    def test_they_are_taken_as_they_are(self, name: str) -> None:
        assert names.read(f"  {name} ") == name

    @pytest.mark.parametrize(
        "name",
        ["", "  ", "-", "R2D2", "x@y.de", "www.example.com", "a/b", "<b>", "Team", "Example GmbH", "x" * 101],
    )
    def test_others_are_refused(self, name: str) -> None:
        with pytest.raises(NameOfAPersonNeeded):
            names.read(name)

    def test_blanks_are_put_in_order(self) -> None:
        assert names.read(" de \n la   Cruz ") == "de la Cruz"


class TestTerms:
    def test_an_acceptance_is_kept_once(self, alice: User) -> None:
        TermsAcceptance.objects.all().delete()
        for _ in range(2):
            terms.accept(user=alice, version="2026-11", caller=caller(alice), now=NOW)
        kept = TermsAcceptance.objects.get()
        assert (kept.user, kept.version, kept.at) == (alice, "2026-11", NOW)
        assert AuditEntry.objects.get(event="terms-accepted").facts == {"version": "2026-11"}

    def test_others_than_those_of_now_cannot_be_accepted(self, alice: User) -> None:
        with pytest.raises(TermsChanged):
            terms.accept(user=alice, version="2026-10", caller=caller(alice), now=NOW)
        alice.refresh_from_db()
        assert alice.terms_version == "2026-11"
