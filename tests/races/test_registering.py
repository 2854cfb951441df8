"""One address, registered by several at once."""

from functools import partial

from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.core.models import OutboxJob
from tests.factories import PASSWORD
from tests.races.pool import Pool

FORM = {"forename": "Dora", "surname": "Dietz", "password1": PASSWORD, "terms": "on"}


def register(email: str) -> str:
    response = Client().post(reverse("account_signup"), {**FORM, "email": email})
    return str(response.headers.get("Location", response.status_code))


class TestRegistering:
    def test_one_account_comes_of_it_and_everybody_gets_the_same_answer(self, pool: Pool) -> None:
        for number in range(2):
            email = f"dora.{number}@example.com"
            outcomes = pool.race([partial(register, email)] * 8)
            assert set(outcomes.answers) == {reverse("account_email_verification_sent")}
            assert User.objects.filter(email=email).count() == 1
            assert OutboxJob.objects.filter(handler="forget-registration").count() == number + 1
