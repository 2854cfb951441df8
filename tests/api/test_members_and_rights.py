"""Doors on members, invitations, rights and a project's settings."""

import pytest

from accounts.models import Company, Invitation, Membership, Project, User
from accounts.queries import right_in
from tests import factories, rows
from tests.api.conftest import ApiOf

pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture
def dora(db: None) -> User:
    return factories.make_user(name="Dora", email="dora@example.com")


class TestMembers:
    def test_members_see_each_other(self, api: ApiOf, bob: User, company: Company) -> None:
        [alice, first] = api(bob).get(f"companies/{company.pk}/members")["members"]

        assert (alice["role"], first["id"], first["role"]) == ("admin", bob.pk, "member")

    def test_a_role_is_changed_by_admins(self, api: ApiOf, alice: User, bob: User, company: Company) -> None:
        path = f"companies/{company.pk}/members/{bob.pk}/role"

        changed = api(alice).post(path, {"role": "admin"}, key="once")

        assert changed["role"] == "admin"
        assert api(alice).post(path, {"role": "admin"}, key="once") == changed

    def test_the_last_admin_stays(self, api: ApiOf, alice: User, bob: User, company: Company) -> None:
        before = rows.everything()

        for path, body in (
            (f"companies/{company.pk}/members/{alice.pk}/role", {"role": "member"}),
            (f"companies/{company.pk}/members/{alice.pk}/remove", {}),
            (f"companies/{company.pk}/leave", {}),
        ):
            api(alice).refuse("POST", path, body, status=409, code="last-admin")
        assert rows.everything() == before

    def test_a_member_is_removed_or_leaves(
        self, api: ApiOf, alice: User, bob: User, dora: User, company: Company
    ) -> None:
        factories.join(user=dora, company=company)

        left = api(alice).post(f"companies/{company.pk}/members/{bob.pk}/remove")["members"]
        mine = api(dora).post(f"companies/{company.pk}/leave")["companies"]

        assert [row["id"] for row in left] == [alice.pk, dora.pk]
        assert mine == []
        assert Membership.objects.filter(company=company).get().user == alice

    @pytest.mark.parametrize("action", [("role", {"role": "admin"}), ("remove", {})])
    def test_who_is_no_member_is_none(
        self, api: ApiOf, alice: User, charlie: User, company: Company, action: tuple[str, dict[str, str]]
    ) -> None:
        name, body = action
        for number in (charlie.pk, 10**9, 2**70):
            path = f"companies/{company.pk}/members/{number}/{name}"
            api(alice).refuse("POST", path, body, status=404, code="no-such-membership")


class TestInvitations:
    def test_a_colleague_is_invited_and_joins(
        self, api: ApiOf, alice: User, dora: User, company: Company
    ) -> None:
        path = f"companies/{company.pk}/invitations"
        made = api(alice).post(path, {"email": "Dora@example.com", "role": "admin"}, key="once", status=201)

        assert api(alice).post(path, {"email": "Dora@example.com", "role": "admin"}, key="once", status=201)
        assert api(alice).get(path) == {"invitations": [made], "next": None}
        assert api(dora).get("invitations") == {"invitations": [made], "next": None}
        joined = api(dora).post(f"invitations/{made['id']}/accept", key="yes")
        assert (joined["end"], joined["email"]) == ("accepted", "")
        assert api(dora).post(f"invitations/{made['id']}/accept", key="yes") == joined
        assert api(dora).get("companies")["companies"][0]["role"] == "admin"

    def test_an_end_customer_is_invited_into_one_project(
        self, api: ApiOf, alice: User, dora: User, project: Project
    ) -> None:
        path = f"projects/{project.pk}/invitations"
        made = api(alice).post(path, {"email": dora.email, "right": "view"}, status=201)

        assert (made["project"]["id"], made["role"], made["right"]) == (project.pk, "", "view")
        assert api(alice).get(path) == {"invitations": [made], "next": None}
        api(dora).post(f"invitations/{made['id']}/accept")
        assert [row["id"] for row in api(dora).get("projects")["projects"]] == [project.pk]
        assert api(dora).get("companies") == {"companies": [], "next": None}

    def test_it_is_sent_again_withdrawn_or_declined(
        self, api: ApiOf, alice: User, dora: User, company: Company
    ) -> None:
        body = {"email": dora.email, "role": "member"}
        first = api(alice).post(f"companies/{company.pk}/invitations", body, status=201)
        api(alice).post(f"invitations/{first['id']}/resend")
        ended = api(alice).post(f"invitations/{first['id']}/withdraw", key="once")
        assert api(alice).post(f"invitations/{first['id']}/withdraw", key="once") == ended
        api(alice).refuse("POST", f"invitations/{first['id']}/resend", status=409, code="invitation-ended")

        second = api(alice).post(f"companies/{company.pk}/invitations", body, status=201)
        assert api(dora).post(f"invitations/{second['id']}/decline")["end"] == "declined"

    @pytest.mark.parametrize("action", ["resend", "withdraw", "accept", "decline"])
    def test_it_is_nobody_else_s_business(
        self, api: ApiOf, alice: User, bob: User, charlie: User, company: Company, action: str
    ) -> None:
        body = {"email": "dora@example.com", "role": "member"}
        made = api(alice).post(f"companies/{company.pk}/invitations", body, status=201)
        before = rows.everything()

        for user in (bob, charlie):
            for number in (made["id"], 10**9, 2**70):
                api(user).refuse(
                    "POST", f"invitations/{number}/{action}", status=404, code="no-such-invitation"
                )
        assert rows.everything() == before

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"email": "dora", "role": "member"}, 400, "address-needed"),
            ({"email": "dora@example.com", "role": "owner"}, 400, "invalid-input"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, api: ApiOf, alice: User, company: Company, body: dict[str, str], status: int, code: str
    ) -> None:
        api(alice).refuse("POST", f"companies/{company.pk}/invitations", body, status=status, code=code)
        assert not Invitation.objects.exists()


class TestRights:
    def test_a_member_gets_one_and_loses_it(
        self, api: ApiOf, alice: User, bob: User, project: Project
    ) -> None:
        path = f"projects/{project.pk}/rights"

        given = api(alice).post(path, {"user": bob.pk, "right": "operate"}, key="once")

        assert (given["id"], given["right"]) == (bob.pk, "operate")
        assert api(alice).get(path) == {"rights": [given], "next": None}
        assert api(alice).post(f"{path}/{bob.pk}/withdraw") == {"rights": [], "next": None}
        assert right_in(project=project, user=bob) == ""
        for number in (bob.pk, 10**9, 2**70):
            api(alice).refuse("POST", f"{path}/{number}/withdraw", status=404, code="no-such-right")

    def test_whoever_manages_one_project_gives_rights_there(
        self, api: ApiOf, bob: User, erin: User, project: Project, company: Company
    ) -> None:
        factories.give_right(user=bob, project=project, level="manage")
        other = factories.make_project(company=company)

        api(bob).post(f"projects/{project.pk}/rights", {"user": erin.pk, "right": "view"})
        api(bob).refuse("GET", f"projects/{other.pk}/rights", status=404, code="no-such-project")

    def test_operating_is_not_managing(self, api: ApiOf, erin: User, project: Project) -> None:
        before = rows.everything()

        for method, path, body in (
            ("GET", "rights", None),
            ("POST", "rights", {"user": erin.pk, "right": "manage"}),
            ("POST", f"rights/{erin.pk}/withdraw", None),
            ("GET", "invitations", None),
            ("POST", "invitations", {"email": "x@example.com", "right": "view"}),
            ("POST", "settings", {"name": "Mine"}),
            ("POST", "archive", None),
            ("POST", "unarchive", None),
        ):
            api(erin).refuse(method, f"projects/{project.pk}/{path}", body, status=403, code="right-missing")
        assert rows.everything() == before

    def test_strangers_get_none(self, api: ApiOf, alice: User, charlie: User, project: Project) -> None:
        for number in (charlie.pk, 10**9, 2**70):
            api(alice).refuse(
                "POST",
                f"projects/{project.pk}/rights",
                {"user": number, "right": "view"},
                status=404 if number < 2**53 else 400,
                code="nobody-to-give-a-right" if number < 2**53 else "invalid-input",
            )


class TestSettings:
    def test_a_project_is_renamed_and_described(self, api: ApiOf, alice: User, project: Project) -> None:
        path = f"projects/{project.pk}/settings"

        changed = api(alice).post(path, {"name": "Berlin", "description": "Head office"}, key="once")

        assert (changed["name"], changed["description"]) == ("Berlin", "Head office")
        assert api(alice).get(f"projects/{project.pk}") == changed
        assert api(alice).post(path, {"name": "Berlin", "description": "Head office"}, key="once") == changed

    def test_a_taken_name_is_refused(
        self, api: ApiOf, alice: User, project: Project, company: Company
    ) -> None:
        factories.make_project(company=company, name="Berlin")

        api(alice).refuse(
            "POST",
            f"projects/{project.pk}/settings",
            {"name": "BERLIN"},
            status=409,
            code="project-name-taken",
        )

    def test_an_empty_project_goes_into_the_archive_and_comes_out(
        self, api: ApiOf, alice: User, project: Project
    ) -> None:
        archived = api(alice).post(f"projects/{project.pk}/archive")
        assert archived["archived_at"] is not None
        api(alice).refuse(
            "POST",
            f"projects/{project.pk}/devices",
            {"hardware_id": "00-90-33-01-0A-FF"},
            status=409,
            code="project-archived",
        )
        assert api(alice).post(f"projects/{project.pk}/unarchive")["archived_at"] is None

    def test_what_is_in_the_way_is_counted(
        self, api: ApiOf, alice: User, project: Project, device: object
    ) -> None:
        problem = api(alice).refuse(
            "POST", f"projects/{project.pk}/archive", status=409, code="project-not-empty"
        )

        assert (problem["devices"], problem["licenses"]) == (1, 5)
