"""Programs with API tokens: how they sign in, and how far each token reaches."""

from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import ApiToken, Company, Project, ProjectRight, User
from devices.models import Device
from portal.core.models import Act, AuditEntry
from tests import factories, rows
from tests.api import contract
from tests.api.conftest import Api, ApiOf
from tests.api.scenes import HARDWARE_ID
from tests.api.test_every_door import EVERY

pytestmark = pytest.mark.usefixtures("catalogue")

ALL = tuple(ApiToken.Scope.values)
PORTS = {"product": "Port", "version": 14, "quantity": 1}


def program(*scopes: str, company: Company, maker: User, project: Project | None = None) -> Api:
    """A program with a new token. It was used before, so that no first use is written any more."""
    made = factories.make_token(*scopes, company=company, project=project, maker=maker)
    found = Api(token=str(made.secret))
    found.get("token")
    return found


@pytest.fixture
def other(company: Company) -> Project:
    """Another project of Alice's company."""
    return factories.make_project(company=company)


class TestSigningIn:
    def test_a_token_acts_as_itself(self, company: Company, alice: User, device: Device) -> None:
        made = factories.make_token("operate", company=company, maker=alice, name="ERP")

        Api(token=str(made.secret)).post(f"devices/{HARDWARE_ID}/assignments", PORTS, key="a", status=201)

        entry = AuditEntry.objects.get(event="licenses-assigned")
        assert (entry.actor, entry.actor_name, entry.who) == (None, "token ERP", "token ERP")
        act = Act.objects.get(key="a")
        assert (act.scope, act.actor) == (f"company:{company.pk}", None)

    @pytest.mark.parametrize(("method", "path"), EVERY)
    def test_what_is_no_token_comes_in_nowhere(self, api: ApiOf, method: str, path: str) -> None:
        api(None).refuse(
            method, path, status=401, code="api-token-not-valid", Authorization="Bearer olp_" + "A" * 43
        )

    @pytest.mark.parametrize("given", ["Bearer", "Bearer ", "bearer nonsense", "Bearer olp_ü"])
    def test_a_broken_token_is_not_valid(self, db: None, given: str) -> None:
        Api().refuse("GET", "token", status=401, code="api-token-not-valid", Authorization=given)

    def test_a_token_that_is_not_valid_is_not_made_up_for_by_a_session(self, api: ApiOf, alice: User) -> None:
        api(alice).refuse("GET", "me", status=401, code="api-token-not-valid", Authorization="Bearer x")

    def test_it_says_how_to_sign_in(self, db: None) -> None:
        unknown = Api().send("GET", "me", b"")
        failed = Api().send("GET", "me", b"", Authorization="Bearer x")

        assert unknown.headers["WWW-Authenticate"] == 'Bearer realm="License Portal"'
        assert failed.headers["WWW-Authenticate"] == 'Bearer realm="License Portal", error="invalid_token"'

    def test_it_needs_no_csrf_token(self, company: Company, alice: User) -> None:
        made = factories.make_token("manage", company=company, maker=alice)

        Api(token=str(made.secret), checks_csrf=True).post(
            f"companies/{company.pk}/projects", {"name": "Second"}, status=201
        )

    def test_its_use_is_remembered(self, api: ApiOf, company: Company, alice: User) -> None:
        program(company=company, maker=alice)

        [listed] = api(alice).get(f"companies/{company.pk}/api-tokens")["api_tokens"]
        assert listed["last_used_at"] is not None

    def test_look_ups_of_keys_are_counted_by_token_too(
        self, settings: LazySettings, company: Company, alice: User
    ) -> None:
        settings.KEY_LOOKUPS_PER_HOUR = 1
        body = {"code": factories.make_key(), "company": company.pk}
        made = factories.make_token("activate", company=company, maker=alice)
        caller = Api(token=str(made.secret))

        caller.post("keys/look-up", body)

        caller.refuse("POST", "keys/look-up", body, status=429, code="rate-limited")


class TestScopes:
    @pytest.mark.parametrize(("method", "path"), EVERY)
    def test_a_door_asks_for_the_scope_that_the_document_names(
        self, company: Company, alice: User, method: str, path: str
    ) -> None:
        described = contract.operation_of(method, f"/api/v1/{path}")
        assert described is not None
        scope = described.get("x-scope")
        without = [given for given in ALL if given != scope]
        if scope == "read":
            return  # every token has it
        caller = program(*without, company=company, maker=alice)
        before = rows.everything()

        problem = caller.refuse(
            method, path, {}, status=403, code="scope-missing" if scope else "person-needed"
        )

        assert problem.get("needed") == scope
        assert rows.everything() == before

    def test_what_is_for_people_is_what_concerns_people(self) -> None:
        for_people = {
            described["operationId"]
            for methods in contract.document()["paths"].values()
            for described in methods.values()
            if "x-scope" not in described
        }

        # A token can make no other token, and invite nobody: whoever got hold of it would stay.
        assert for_people >= {"get-me", "create-company", "create-company-token", "revoke-token"}
        assert all(
            described["security"] == [{"cookieAuth": []}]
            for methods in contract.document()["paths"].values()
            for described in methods.values()
            if described["operationId"] in for_people
        )

    def test_with_all_scopes_a_company_s_token_does_a_partner_s_work(
        self, company: Company, project: Project, alice: User
    ) -> None:
        caller = program(*ALL, company=company, maker=alice)

        caller.post("keys/look-up", {"code": (code := factories.make_key()), "company": company.pk})
        caller.post("keys/activate", {"code": code, "company": company.pk})
        ends = {"source": {"company": company.pk}, "destination": {"project": project.pk}}
        caller.post("transfers", {**ends, **PORTS}, status=201)
        caller.post(f"projects/{project.pk}/devices", {"hardware_id": HARDWARE_ID}, status=201)
        made = caller.post(f"devices/{HARDWARE_ID}/assignments", PORTS, status=201)
        caller.post(f"devices/{HARDWARE_ID}/assignments/{made['grant']['id']}/undo")

        assert factories.free(project) == 1

    def test_into_a_project_a_key_needs_operate_there(
        self, company: Company, project: Project, alice: User
    ) -> None:
        caller = program("activate", company=company, maker=alice)

        caller.refuse(
            "POST",
            "keys/activate",
            {"code": factories.make_key(), "project": project.pk},
            status=403,
            code="right-missing",
        )


class TestACompanysToken:
    def test_it_sees_all_projects_and_no_one_else_s(
        self, charlie: User, company: Company, project: Project, other: Project, alice: User
    ) -> None:
        caller = program(company=company, maker=alice)

        listed = caller.get("projects")["projects"]

        assert [row["id"] for row in listed] == [project.pk, other.pk]
        assert caller.get("token")["company"] == {"id": company.pk, "name": "Alice Networks"}

    def test_it_is_a_stranger_elsewhere(self, charlie: User, device: Device, alice: User) -> None:
        theirs = charlie.memberships.get().company
        caller = program(*ALL, company=theirs, maker=charlie)
        company = device.project.company
        body: dict[str, Any] = {"code": factories.make_key(), "company": company.pk}

        caller.refuse("GET", f"devices/{HARDWARE_ID}", status=404, code="no-such-device")
        caller.refuse("GET", f"projects/{device.project_id}", status=404, code="no-such-project")
        caller.refuse("GET", f"companies/{company.pk}/balance", status=404, code="no-such-company")
        caller.refuse("POST", "keys/activate", body, status=404, code="no-such-company")
        caller.refuse("POST", f"devices/{HARDWARE_ID}/assignments", PORTS, status=404, code="no-such-device")

    def test_it_stays_when_its_maker_leaves(self, company: Company, project: Project, alice: User) -> None:
        caller = program(company=company, maker=alice)

        alice.memberships.all().delete()

        assert caller.get(f"projects/{project.pk}")["id"] == project.pk


class TestAProjectsToken:
    def test_it_sees_the_one_project_and_no_company(
        self, company: Company, project: Project, other: Project, device: Device, alice: User
    ) -> None:
        caller = program("operate", company=company, project=project, maker=alice)

        assert [row["id"] for row in caller.get("projects")["projects"]] == [project.pk]
        assert caller.get(f"devices/{HARDWARE_ID}")["hardware_id"] == HARDWARE_ID
        caller.post(f"devices/{HARDWARE_ID}/assignments", PORTS, status=201)
        caller.refuse("GET", f"projects/{other.pk}", status=404, code="no-such-project")
        caller.refuse("GET", f"companies/{company.pk}/balance", status=404, code="no-such-company")

    def test_it_reaches_as_far_as_its_maker_does_now(
        self, company: Company, project: Project, device: Device, erin: User
    ) -> None:
        right = ProjectRight.objects.get(user=erin, project=project)
        caller = program("operate", company=company, project=project, maker=erin)
        caller.post(f"devices/{HARDWARE_ID}/assignments", PORTS, status=201)

        right.level = ProjectRight.Level.VIEW
        right.save()
        caller.refuse("POST", f"devices/{HARDWARE_ID}/assignments", PORTS, status=403, code="right-missing")
        caller.get(f"devices/{HARDWARE_ID}")

        right.delete()
        caller.refuse("GET", f"devices/{HARDWARE_ID}", status=404, code="no-such-device")


class TestMakingAndRevoking:
    @pytest.fixture
    def manager(self, project: Project) -> User:
        """An end customer's user who manages the one project."""
        user = factories.make_user(name="Mona")
        factories.give_right(user=user, project=project, level=ProjectRight.Level.MANAGE)
        return user

    def test_an_admin_makes_one_and_sees_its_secret_once(
        self, api: ApiOf, alice: User, company: Company
    ) -> None:
        path = f"companies/{company.pk}/api-tokens"

        made = api(alice).post(path, {"name": "ERP", "scopes": ["operate"]}, status=201)

        assert Api(token=made["secret"]).get("token")["scopes"] == ["read", "operate"]
        assert made["secret"] not in str(api(alice).get(path))

    def test_whoever_manages_a_project_makes_one_for_it_and_revokes_it(
        self, api: ApiOf, manager: User, project: Project
    ) -> None:
        path = f"projects/{project.pk}/api-tokens"

        made = api(manager).post(path, {"name": "Cockpit", "scopes": ["operate"]}, status=201)
        assert [row["id"] for row in api(manager).get(path)["api_tokens"]] == [made["api_token"]["id"]]
        revoked = api(manager).delete(f"api-tokens/{made['api_token']['id']}")

        assert revoked["revoked_at"] is not None
        Api(token=made["secret"]).refuse("GET", "token", status=401, code="api-token-not-valid")

    @pytest.mark.parametrize("who", ["bob", "erin", "charlie"])
    def test_nobody_else_does(
        self, api: ApiOf, alice: User, company: Company, project: Project, who: str, request: Any
    ) -> None:
        user: User = request.getfixturevalue(who)
        token = factories.make_token(company=company, project=project, maker=alice).api_token
        body = {"name": "Mine", "scopes": []}
        before = rows.everything()

        for scope in (f"companies/{company.pk}", f"projects/{project.pk}"):
            for method, given in (("GET", None), ("POST", body)):
                status, problem = api(user).call(method, f"{scope}/api-tokens", given)
                assert status in (403, 404)
                assert problem["code"] in {
                    "no-such-company",
                    "no-such-project",
                    "admin-needed",
                    "right-missing",
                }
        api(user).refuse("DELETE", f"api-tokens/{token.pk}", status=404, code="no-such-api-token")
        assert rows.everything() == before

    def test_the_token_of_a_company_is_out_of_reach_for_who_manages_a_project(
        self, api: ApiOf, manager: User, alice: User, company: Company
    ) -> None:
        token = factories.make_token(company=company, maker=alice).api_token

        api(manager).refuse("DELETE", f"api-tokens/{token.pk}", status=404, code="no-such-api-token")

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"name": "", "scopes": []}, "api-token-needs-a-name"),
            ({"name": "x", "scopes": ["admin"]}, "api-token-scope-unknown"),
            ({"name": "x", "scopes": ["read"] * 9}, "invalid-input"),
            ({"name": "x", "scopes": "read"}, "invalid-input"),
            ({"name": "x", "scopes": [1]}, "invalid-input"),
            ({"name": "x", "scopes": [], "expires_at": "2020-01-01T00:00:00Z"}, "api-token-ends-in-the-past"),
            ({"name": "x", "scopes": [], "expires_at": "soon"}, "invalid-input"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, api: ApiOf, alice: User, company: Company, body: dict[str, Any], code: str
    ) -> None:
        before = rows.everything()

        api(alice).refuse("POST", f"companies/{company.pk}/api-tokens", body, status=400, code=code)

        assert rows.everything() == before

    def test_a_taken_name_is_refused(self, api: ApiOf, alice: User, company: Company) -> None:
        factories.make_token(company=company, maker=alice, name="ERP")

        api(alice).refuse(
            "POST",
            f"companies/{company.pk}/api-tokens",
            {"name": "ERP", "scopes": []},
            status=409,
            code="api-token-name-taken",
        )

    def test_a_person_has_no_token_of_their_own(self, api: ApiOf, alice: User) -> None:
        api(alice).refuse("GET", "token", status=404, code="not-found")
