import hashlib
from datetime import timedelta

import pytest

from accounts import api_tokens
from accounts.api_tokens import (
    ApiTokenEndsInThePast,
    ApiTokenNameTaken,
    ApiTokenNeedsAName,
    ApiTokenNotValid,
    ApiTokenScopeUnknown,
)
from accounts.models import ApiToken, ApiTokenUse, Company, Project, User
from portal.core import base64url
from portal.core.acts import IdempotencyKeyReused
from portal.core.models import AuditEntry
from tests import rows
from tests.factories import NOW, caller, make_token


class TestMakingOne:
    def test_it_is_kept_as_a_hash_only(self, company: Company, alice: User) -> None:
        made = make_token("operate", company=company, maker=alice)

        assert made.secret is not None
        random = base64url.decode(made.secret.removeprefix("olp_"))
        assert len(random) == 32
        token = ApiToken.objects.get()
        assert bytes(token.secret_sha256) == hashlib.sha256(random).digest()
        assert token.last_four == made.secret[-4:]
        assert made.secret not in repr(rows.everything())

    def test_every_token_may_read(self, company: Company, alice: User) -> None:
        assert make_token(company=company, maker=alice).api_token.granted == ["read"]
        assert make_token("manage", "operate", company=company, maker=alice).api_token.granted == [
            "read",
            "operate",
            "manage",
        ]

    def test_it_stands_in_the_history(self, company: Company, project: Project, alice: User) -> None:
        make_token("operate", company=company, project=project, maker=alice, name="ERP")

        entry = AuditEntry.objects.get(event="api-token-created")
        assert (entry.company_id, entry.project_id, entry.actor) == (company.pk, project.pk, alice)
        assert entry.facts == {"name": "ERP", "scopes": "read operate"}

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101])
    def test_it_needs_a_name(self, company: Company, alice: User, name: str) -> None:
        with pytest.raises(ApiTokenNeedsAName):
            api_tokens.create_api_token(
                company=company, name=name, scopes=[], maker=alice, caller=caller(alice), now=NOW
            )

    def test_the_names_of_tokens_in_force_differ(self, company: Company, alice: User) -> None:
        first = make_token(company=company, maker=alice, name="ERP")

        with pytest.raises(ApiTokenNameTaken):
            make_token(company=company, maker=alice, name="erp")

        api_tokens.revoke_api_token(api_token=first.api_token, caller=caller(alice), now=NOW)
        make_token(company=company, maker=alice, name="erp")

    def test_there_is_no_other_scope(self, company: Company, alice: User) -> None:
        with pytest.raises(ApiTokenScopeUnknown):
            make_token("admin", company=company, maker=alice)

    @pytest.mark.parametrize("scope", ["activate", "transfer"])
    def test_a_project_s_token_touches_no_keys_and_no_company_balance(
        self, company: Company, project: Project, alice: User, scope: str
    ) -> None:
        with pytest.raises(ApiTokenScopeUnknown):
            make_token(scope, company=company, project=project, maker=alice)

    def test_its_end_is_in_the_future(self, company: Company, alice: User) -> None:
        with pytest.raises(ApiTokenEndsInThePast):
            make_token(company=company, maker=alice, expires_at=NOW)

    def test_whoever_repeats_the_request_gets_the_token_but_not_the_secret(
        self, company: Company, alice: User
    ) -> None:
        named = caller(alice, key="req-1")
        first, second = (
            api_tokens.create_api_token(
                company=company, name="ERP", scopes=["read"], maker=alice, caller=named, now=NOW
            )
            for _ in range(2)
        )

        assert second.api_token == first.api_token
        assert first.secret is not None
        assert second.secret is None
        with pytest.raises(IdempotencyKeyReused):
            api_tokens.create_api_token(
                company=company, name="ERP", scopes=["operate"], maker=alice, caller=named, now=NOW
            )


class TestFindingOne:
    def test_by_its_secret(self, company: Company, alice: User) -> None:
        made = make_token(company=company, maker=alice)

        assert api_tokens.find_by_secret(str(made.secret), now=NOW) == made.api_token

    @pytest.mark.parametrize(
        "change",
        [
            lambda _: "",
            lambda secret: secret[:-1],
            lambda secret: secret + "A",
            lambda secret: secret.removeprefix("olp_"),
            lambda _: "olp_" + "A" * 43,
            lambda _: "olp_" + "A" * 42 + "B",  # not the canonical form of any bytes
            lambda secret: secret.replace("olp_", "OLP_"),
            lambda secret: secret + "\n",
        ],
    )
    def test_no_other_text_is_a_token(self, company: Company, alice: User, change: "object") -> None:
        made = make_token(company=company, maker=alice)
        assert callable(change)

        with pytest.raises(ApiTokenNotValid):
            api_tokens.find_by_secret(change(made.secret), now=NOW)

    def test_not_from_its_end_on(self, company: Company, alice: User) -> None:
        end = NOW + timedelta(days=1)
        secret = str(make_token(company=company, maker=alice, expires_at=end).secret)

        api_tokens.find_by_secret(secret, now=end - timedelta(microseconds=1))
        with pytest.raises(ApiTokenNotValid):
            api_tokens.find_by_secret(secret, now=end)

    def test_not_once_it_is_revoked(self, company: Company, alice: User) -> None:
        made = make_token(company=company, maker=alice)
        api_tokens.revoke_api_token(api_token=made.api_token, caller=caller(alice), now=NOW)

        with pytest.raises(ApiTokenNotValid):
            api_tokens.find_by_secret(str(made.secret), now=NOW)


class TestRevokingOne:
    def test_it_is_told_once(self, company: Company, alice: User) -> None:
        token = make_token(company=company, maker=alice).api_token
        later = NOW + timedelta(hours=1)

        api_tokens.revoke_api_token(api_token=token, caller=caller(alice), now=NOW)
        again = api_tokens.revoke_api_token(api_token=token, caller=caller(alice), now=later)

        assert again.revoked_at == NOW
        assert AuditEntry.objects.filter(event="api-token-revoked").count() == 1


class TestTheLastUse:
    def test_it_is_written_at_most_once_an_hour(self, company: Company, alice: User) -> None:
        secret = str(make_token(company=company, maker=alice).secret)

        for minutes in (0, 1, 59):
            now = NOW + timedelta(minutes=minutes)
            api_tokens.record_use(api_token=api_tokens.find_by_secret(secret, now=now), now=now)
        assert ApiTokenUse.objects.get().last_at == NOW

        now = NOW + timedelta(minutes=60)
        api_tokens.record_use(api_token=api_tokens.find_by_secret(secret, now=now), now=now)
        assert ApiTokenUse.objects.get().last_at == now


def test_whoever_left_did_not_take_the_company_s_tokens_along(company: Company, alice: User) -> None:
    secret = str(make_token(company=company, maker=alice).secret)

    alice.memberships.all().delete()

    assert api_tokens.find_by_secret(secret, now=NOW).company == company
