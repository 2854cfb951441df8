"""The admins of a company, who leave at once."""

from functools import partial

from accounts import leaving
from accounts.models import Membership
from tests.factories import NOW, caller, join, make_company, make_user
from tests.races.pool import Pool


class TestAdmins:
    def test_one_stays_as_long_as_others_belong_to_it(self, pool: Pool) -> None:
        for _ in range(30):
            admins = [make_user(name="Alice"), make_user(name="Bob")]
            company = make_company(founder=admins[0])
            join(user=admins[1], company=company, role=Membership.Role.ADMIN)
            join(user=make_user(name="Dora"), company=company)
            outcomes = pool.race(
                [partial(leaving.delete_account, user=user, caller=caller(user), now=NOW) for user in admins]
            )
            assert outcomes.refused == {"last-admin": 1}
            assert company.memberships.filter(role=Membership.Role.ADMIN).count() == 1
