"""A company made by accident is imported into the right one (mission rule 3)."""

import json
from datetime import timedelta

import pytest

from accounts import api_tokens, membership, projects, queries, rights
from accounts.api_tokens import ApiTokenNotValid
from accounts.models import Company, Invitation, Membership, Project, ProjectRight, User
from accounts.scopes import CompanyImported
from licenses import activation, balances, company_import, ledger
from licenses import queries as licenses
from licenses.company_import import (
    ImportAsked,
    ImportEnded,
    NoCompanyOfThatName,
    SameCompany,
)
from licenses.models import CompanyImport, Holder, LogLine
from portal.core import base64url
from portal.core.throttle import RateLimited
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    first_project,
    free,
    get_product,
    give_back,
    give_right,
    join,
    make_company,
    make_device,
    make_key,
    make_project,
    make_token,
    make_user,
)
from tests.operations.bookkeeping import last_entry, last_leaf, refused, unchanged
from tests.web.letters import arrived, letter, link_in

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "today")


@pytest.fixture
def accident(charlie: User) -> Company:
    """Charlie's company, made although Alice's was there."""
    return queries.companies_of(charlie).get()


def ask(target: Company, source: Company, asker: User, *, key: str | None = None) -> CompanyImport:
    return company_import.ask_for_company(
        target=target,
        number=source.pk,
        name=source.name,
        asker=asker,
        caller=caller(asker, key=key),
        now=NOW,
    )


def consent(wanted: CompanyImport, *, key: str | None = None) -> CompanyImport:
    return company_import.consent_to_import(wanted=wanted, caller=caller(key=key), now=NOW)


@pytest.fixture
def wanted(company: Company, accident: Company, alice: User) -> CompanyImport:
    return ask(company, accident, alice)


class TestAsking:
    def test_the_other_company_s_admins_get_a_mail_with_the_way_to_the_numbers(
        self, wanted: CompanyImport, company: Company, accident: Company, charlie: User
    ) -> None:
        mail = letter(charlie.email)

        assert (company.name in mail.subject, accident.name in mail.subject) == (True, True)
        assert link_in(mail) == f"/companies/{accident.pk}/imports/{wanted.pk}"

    def test_number_and_name_must_belong_together(
        self, company: Company, accident: Company, alice: User
    ) -> None:
        for number, name in ((accident.pk, "Another"), (10**6, accident.name), (2**70, accident.name)):
            with refused(NoCompanyOfThatName):
                company_import.ask_for_company(
                    target=company, number=number, name=name, asker=alice, caller=caller(), now=NOW
                )

    def test_a_company_does_not_take_in_itself(self, company: Company, alice: User) -> None:
        with refused(SameCompany):
            ask(company, company, alice)

    def test_it_waits_for_one_answer(
        self, wanted: CompanyImport, company: Company, accident: Company, alice: User
    ) -> None:
        with refused(ImportAsked):
            ask(company, accident, alice)

    def test_an_old_request_makes_room(
        self, wanted: CompanyImport, company: Company, accident: Company, alice: User
    ) -> None:
        CompanyImport.objects.update(expires_at=NOW)

        assert ask(company, accident, alice, key="once").ended_at is None
        wanted.refresh_from_db()
        assert wanted.end == "expired"
        with unchanged():
            ask(company, accident, alice, key="once")

    def test_guessing_is_limited(self, company: Company, accident: Company, alice: User) -> None:
        for _ in range(company_import.ASKED.times):
            with pytest.raises(NoCompanyOfThatName):
                company_import.ask_for_company(
                    target=company, number=1, name="x", asker=alice, caller=caller(), now=NOW
                )
        with refused(RateLimited):
            ask(company, accident, alice)


class TestAnswering:
    @pytest.mark.parametrize("end", [company_import.refuse_import, company_import.withdraw_import])
    def test_refused_or_withdrawn_nothing_is_imported(self, wanted: CompanyImport, end: object) -> None:
        assert callable(end)
        end(wanted=wanted, caller=caller(key="once"), now=NOW)

        with unchanged():
            end(wanted=wanted, caller=caller(key="once"), now=NOW)
        with refused(ImportEnded):
            end(wanted=wanted, caller=caller(), now=NOW)
        with refused(ImportEnded):
            consent(wanted)

    def test_consent_comes_within_fourteen_days(self, wanted: CompanyImport) -> None:
        with refused(ImportEnded):
            company_import.consent_to_import(wanted=wanted, caller=caller(), now=NOW + timedelta(days=14))

    def test_it_happens_once(self, wanted: CompanyImport) -> None:
        consent(wanted, key="once")

        with unchanged():
            consent(wanted, key="once")
        with refused(CompanyImported):
            consent(wanted)


class TestProjects:
    def test_they_come_over_and_a_taken_name_gets_the_company_behind(
        self, wanted: CompanyImport, company: Company, accident: Company
    ) -> None:
        make_project(company=accident, name="Berlin")
        make_project(company=company, name=f"default ({accident.name})".upper())
        shown = company_import.look_at_import(wanted)

        consent(wanted)

        names = set(Project.objects.filter(company=company).values_list("name", flat=True))
        assert {"Berlin", f"DEFAULT ({accident.name} 2)"} <= names
        assert {coming.becomes for coming in shown.projects} <= names
        assert not Project.objects.filter(company=accident).exists()

    def test_a_name_stays_within_its_length(self, company: Company, alice: User, charlie: User) -> None:
        long = make_company(founder=charlie, name="y" * 200)
        for owner in (company, long):
            make_project(company=owner, name="x" * 100)

        consent(ask(company, long, alice))

        assert all(len(name) <= 100 for name in company.projects.values_list("name", flat=True))

    def test_history_and_addresses_stay(
        self, wanted: CompanyImport, accident: Company, charlie: User
    ) -> None:
        project = activated(first_project(accident), {"Port": 5})

        consent(wanted)

        assert queries.get_project(project_id=project.pk, user=charlie, right="manage") == project
        events = [entry.event for entry in licenses.history_of_project(project, limit=10)]
        assert events[0] == "project-came-over"
        assert "key-activated" in events

    def test_an_activation_of_before_can_still_be_looked_at(
        self, wanted: CompanyImport, accident: Company, charlie: User
    ) -> None:
        project = first_project(accident)
        done = activation.activate_key(code=make_key(), target=project, caller=caller(), now=NOW)

        consent(wanted)

        shown = licenses.get_activation(act_id=done.transfers[0].act_id, user=charlie)
        assert shown.target == project


class TestLicenses:
    def test_every_balance_comes_over_by_transfer(
        self, wanted: CompanyImport, company: Company, accident: Company
    ) -> None:
        activated(company, {"Port": 1})
        activated(accident, {"Port": 5})
        project = activated(first_project(accident), {"Port": 7, "UC": 3})
        device = make_device(project=project)
        assigned(device, 2)
        shown = company_import.look_at_import(wanted)

        consent(wanted)

        assert (free(company), free(accident)) == (6, 0)
        assert (free(project), free(project, "UC"), free(device)) == (5, 3, 2)
        assert (shown.licenses, shown.devices) == (13, 1)

    def test_the_log_says_what_went_to_the_other_company(
        self, wanted: CompanyImport, company: Company, accident: Company
    ) -> None:
        project = activated(first_project(accident), {"Port": 7})
        assigned(make_device(project=project), 2)
        earlier = base64url.encode(bytes(ledger.project_holder(project).log_id))

        consent(wanted)

        assert last_leaf().type == "company-import"
        later = base64url.encode(bytes(ledger.company_holder(company).log_id))
        lines = [json.loads(bytes(row.line)) for row in LogLine.objects.filter(leaf=last_leaf())]
        assert sorted((line["qty"], line["grant"] is None) for line in lines) == [(2, False), (5, True)]
        assert {(line["from"], line["to"]) for line in lines} == {(earlier, later)}
        assert bytes(ledger.project_holder(project).log_id) == bytes(ledger.company_holder(company).log_id)

    def test_afterwards_all_goes_on_in_the_other_company(
        self, wanted: CompanyImport, company: Company, accident: Company
    ) -> None:
        project = activated(first_project(accident), {"Port": 7})
        device = make_device(project=project)
        grant = assigned(device, 2)
        consent(wanted)
        project = Project.objects.select_related("company").get(pk=project.pk)

        give_back(device, grant)
        balances.transfer_licenses(
            source=project,
            destination=company,
            product=get_product(),
            quantity=7,
            caller=caller(),
            now=NOW,
        )

        assert (free(project), free(company)) == (0, 7)

    def test_whoever_read_the_project_before_writes_into_it_where_it_is_now(
        self, wanted: CompanyImport, company: Company, accident: Company
    ) -> None:
        read_before = first_project(accident)
        consent(wanted)

        activated(read_before, {"Port": 3})

        assert free(read_before) == 3
        holder = Holder.objects.get(project=read_before)
        assert bytes(holder.log_id) == bytes(ledger.company_holder(company).log_id)

    def test_an_empty_company_leaves_no_leaf(self, wanted: CompanyImport) -> None:
        make_key()
        before = last_leaf()

        consent(wanted)

        assert last_leaf() == before


class TestPeople:
    def test_admins_of_both_are_told_but_not_who_consented(
        self, wanted: CompanyImport, company: Company, accident: Company, alice: User, charlie: User
    ) -> None:
        other = make_user(name="Erna")
        join(user=other, company=accident, role=Membership.Role.ADMIN)
        before = len(arrived())

        company_import.consent_to_import(wanted=wanted, caller=caller(charlie), now=NOW)

        assert {one.to[0] for one in arrived()[before:]} == {alice.email, other.email}
        mail = letter(other.email)
        assert f"{accident.name} was imported into {company.name}" in str(mail.body)
        assert link_in(mail) == f"/companies/{company.pk}"

    def test_they_come_as_members_with_their_rights(
        self, wanted: CompanyImport, company: Company, accident: Company, charlie: User
    ) -> None:
        dora = make_user(name="Dora")
        join(user=dora, company=accident)
        project = first_project(accident)
        give_right(user=dora, project=project, level="operate")

        assert company_import.look_at_import(wanted).members == 2
        consent(wanted)

        roles = dict(Membership.objects.filter(company=company).values_list("user__forename", "role"))
        assert roles == {"Alice": "admin", "Charlie": "member", "Dora": "member"}
        project.refresh_from_db()
        assert queries.right_in(project=project, user=dora) == "operate"
        assert queries.right_in(project=project, user=charlie) == "manage"
        assert queries.right_in(project=first_project(company), user=charlie) == ""
        assert not Membership.objects.filter(company=accident).exists()

    def test_who_belongs_to_both_keeps_the_role(self, company: Company, alice: User) -> None:
        second = make_company(founder=alice, name="Second")

        consent(ask(company, second, alice))

        assert queries.is_admin(company=company, user=alice)

    def test_end_customers_keep_their_one_project(self, wanted: CompanyImport, accident: Company) -> None:
        erin = make_user(name="Erin")
        project = first_project(accident)
        give_right(user=erin, project=project, level="view")

        consent(wanted)

        assert list(queries.projects_of(erin)) == [project]
        assert list(queries.companies_of(erin)) == []

    def test_api_tokens_end(
        self, wanted: CompanyImport, accident: Company, charlie: User, company: Company
    ) -> None:
        project = first_project(accident)
        of_company = make_token("operate", company=accident, maker=charlie)
        of_project = make_token("operate", company=accident, project=project, maker=charlie)

        consent(wanted)

        for made in (of_company, of_project):
            assert made.secret
            with refused(ApiTokenNotValid):
                api_tokens.find_by_secret(made.secret, now=NOW)
        with refused(CompanyImported):
            make_token("operate", company=accident, maker=charlie)
        assert (
            make_token("operate", company=accident, project=project, maker=charlie).api_token.company
            == company
        )

    def test_invitations_end(self, wanted: CompanyImport, accident: Company, charlie: User) -> None:
        dora = make_user(name="Dora", email="dora@example.com")
        into_company = membership.invite_member(
            company=accident,
            email=dora.email,
            role=Membership.Role.MEMBER,
            inviter=charlie,
            caller=caller(),
            now=NOW,
        )
        into_project = rights.invite_into_project(
            project=first_project(accident),
            email=dora.email,
            level=ProjectRight.Level.VIEW,
            inviter=charlie,
            caller=caller(),
            now=NOW,
        )
        assert company_import.look_at_import(wanted).invitations == 2

        consent(wanted)

        assert not Invitation.objects.filter(ended_at=None).exists()
        with refused(CompanyImported):
            membership.accept_invitation(invitation=into_company, user=dora, caller=caller(), now=NOW)
        with refused(membership.InvitationEnded):
            membership.accept_invitation(invitation=into_project, user=dora, caller=caller(), now=NOW)


class TestTheShell:
    @pytest.fixture
    def shell(self, wanted: CompanyImport, accident: Company) -> Company:
        consent(wanted)
        return accident

    def test_it_stays_as_a_name(self, shell: Company, company: Company) -> None:
        shell.refresh_from_db()
        assert (shell.imported_into, shell.imported_at) == (company, NOW)
        assert (last_entry().facts["source"]) == shell.name

    def test_it_takes_nothing_and_gives_nothing(self, shell: Company, charlie: User) -> None:
        code = make_key()
        with refused(CompanyImported):
            activation.activate_key(code=code, target=shell, caller=caller(), now=NOW)
        with refused(CompanyImported):
            projects.create_project(company=shell, name="New", caller=caller(), now=NOW)
        with refused(CompanyImported):
            membership.invite_member(
                company=shell,
                email="dora@example.com",
                role=Membership.Role.MEMBER,
                inviter=charlie,
                caller=caller(),
                now=NOW,
            )
        with refused(CompanyImported):
            company_import.ask_for_company(
                target=shell, number=1, name="x", asker=charlie, caller=caller(), now=NOW
            )

    def test_it_is_not_imported_anywhere_else(self, shell: Company, alice: User) -> None:
        other = make_company(founder=alice, name="Other")

        with refused(NoCompanyOfThatName):
            ask(other, shell, alice)

    def test_what_others_wanted_of_it_is_over(self, company: Company, accident: Company, alice: User) -> None:
        other = make_company(founder=alice, name="Other")
        late = ask(other, accident, alice)

        consent(ask(company, accident, alice))

        late.refresh_from_db()
        assert late.end == "expired"
