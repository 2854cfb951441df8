"""Secrets are replaced one by one while the portal works: what the old one made stays good, new things need
the new one (docs/operations.md, "Rotating secrets")."""

import secrets
from pathlib import Path

import pytest
from allauth.mfa.adapter import get_adapter
from cryptography.fernet import Fernet, InvalidToken
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Company, Project, User
from devices import statements
from licenses import activation, issuing, key_store
from licenses import keyring as key_rings
from licenses.activation import KeyUnknown
from licenses.key_store import SigningKeyMissing
from licenses.models import ActivationKey
from portal.core.acts import new_key
from tests import factories
from tests.conftest import Keys
from tests.factories import NOW, PASSWORD, caller, find_key, make_key
from tests.operations.bookkeeping import refused
from tests.web import letters


def rotate(settings: LazySettings, name: str, before: str) -> None:
    """Put a new secret in front of the one in use, as a settings file with two words does."""
    old = getattr(settings, name)
    new = secrets.token_urlsafe(48)
    setattr(settings, before, [old, *getattr(settings, before)])
    setattr(settings, name, new.encode() if isinstance(old, bytes) else new)


def new_django_key(settings: LazySettings) -> None:
    rotate(settings, "SECRET_KEY", "SECRET_KEY_FALLBACKS")


class TestTheKeyOfDjango:
    def test_nobody_is_signed_out(self, client: Client, settings: LazySettings, db: None) -> None:
        alice = factories.make_user(password=PASSWORD)
        client.post(reverse("sign-in"), {"email": alice.email, "password": PASSWORD, "act_key": "k"})
        assert client.get(reverse("home")).status_code == 200

        new_django_key(settings)
        assert client.get(reverse("home")).status_code == 200

        # That visit put the session under the new key: the old one may go.
        settings.SECRET_KEY_FALLBACKS = []
        assert client.get(reverse("home")).status_code == 200

    def test_without_the_old_one_everybody_would_be(
        self, client: Client, settings: LazySettings, alice: User
    ) -> None:
        client.force_login(alice)
        new_django_key(settings)
        settings.SECRET_KEY_FALLBACKS = []

        assert client.get(reverse("home")).status_code == 302

    @pytest.mark.usefixtures("db")
    def test_a_link_for_a_new_password_stays_good(self, client: Client, settings: LazySettings) -> None:
        alice = factories.make_user(password=PASSWORD)
        client.post(reverse("account_reset_password"), {"email": alice.email})
        link = letters.link_in(letters.letter(alice.email))

        new_django_key(settings)
        page = client.get(link, follow=True)

        assert page.status_code == 200
        assert 'name="password1"' in page.text

    def test_a_nonce_that_a_device_holds_stays_good(self, settings: LazySettings) -> None:
        held = statements.new_nonce(now=NOW)
        new_django_key(settings)
        fresh = statements.new_nonce(now=NOW)

        statements._check_nonce(held, NOW)
        settings.SECRET_KEY_FALLBACKS = []
        statements._check_nonce(fresh, NOW)
        with refused(statements.BadNonce):
            statements._check_nonce(held, NOW)

    def test_tokens_of_programs_do_not_depend_on_it(
        self, client: Client, settings: LazySettings, company: Company, alice: User
    ) -> None:
        made = factories.make_token("read", company=company, maker=alice)
        new_django_key(settings)
        settings.SECRET_KEY_FALLBACKS = []

        answer = client.get(reverse("api-own-token"), headers={"authorization": f"Bearer {made.secret}"})
        assert answer.status_code == 200


@pytest.mark.usefixtures("catalogue")
class TestThePepperOfActivationKeys:
    def test_keys_of_before_are_activated(
        self, settings: LazySettings, project: Project, alice: User
    ) -> None:
        code = make_key(lines={"Port": 10})
        rotate(settings, "ACTIVATION_CODE_PEPPER", "ACTIVATION_CODE_PEPPERS_BEFORE")

        activation.activate_key(code=code, target=project, caller=caller(alice), now=NOW)

        assert factories.free(project) == 10

    def test_new_keys_are_stored_under_the_new_one_alone(
        self, settings: LazySettings, project: Project, alice: User
    ) -> None:
        rotate(settings, "ACTIVATION_CODE_PEPPER", "ACTIVATION_CODE_PEPPERS_BEFORE")
        code = make_key()
        before = settings.ACTIVATION_CODE_PEPPERS_BEFORE
        settings.ACTIVATION_CODE_PEPPERS_BEFORE = []
        activation.activate_key(code=code, target=project, caller=caller(alice), now=NOW)

        [settings.ACTIVATION_CODE_PEPPER] = before
        with refused(KeyUnknown):
            activation.look_at_key(code=code, company=project.company, caller=caller(alice), now=NOW)

    def test_an_activation_repeated_across_the_change_is_known_as_the_same(
        self, settings: LazySettings, project: Project, alice: User
    ) -> None:
        code, call = make_key(lines={"Port": 10}), caller(alice, key=new_key())
        first = activation.activate_key(code=code, target=project, caller=call, now=NOW)
        rotate(settings, "ACTIVATION_CODE_PEPPER", "ACTIVATION_CODE_PEPPERS_BEFORE")

        again = activation.activate_key(code=code, target=project, caller=call, now=NOW)

        assert again.transfers == first.transfers
        assert factories.free(project) == 10


@pytest.mark.usefixtures("catalogue")
class TestDeliveryKeys:
    def test_codes_of_before_are_still_delivered_and_new_ones_need_the_new_key(
        self, settings: LazySettings
    ) -> None:
        old, new = settings.DELIVERY_KEYS, [Fernet.generate_key().decode()]
        before = find_key(make_key())
        settings.DELIVERY_KEYS = new + old
        assert issuing.code_of(before)
        after = ActivationKey.objects.select_related("delivery").get(pk=find_key(make_key()).pk)

        settings.DELIVERY_KEYS = new
        assert issuing.code_of(after)
        settings.DELIVERY_KEYS = old
        with pytest.raises(InvalidToken):
            issuing.code_of(after)


class TestKeysOfSecondFactors:
    def test_secrets_of_before_are_read_and_new_ones_need_the_new_key(self, settings: LazySettings) -> None:
        old, new = settings.SECOND_FACTOR_KEYS, [Fernet.generate_key().decode()]
        before = get_adapter().encrypt("JBSWY3DPEHPK3PXP")
        settings.SECOND_FACTOR_KEYS = new + old
        assert get_adapter().decrypt(before) == "JBSWY3DPEHPK3PXP"
        after = get_adapter().encrypt("JBSWY3DPEHPK3PXP")

        settings.SECOND_FACTOR_KEYS = old
        with pytest.raises(InvalidToken):
            get_adapter().decrypt(after)


class TestThePassphraseOfDocumentKeys:
    def test_files_are_encrypted_anew_while_the_portal_signs(
        self, settings: LazySettings, keyring: Keys, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kids = key_store.kept()
        rotate(settings, "SIGNING_KEYS_PASSPHRASE", "SIGNING_KEYS_PASSPHRASES_BEFORE")
        assert {key_store.signer(kid).kid for kid in kids} == kids

        call_command("keys", "encrypt-anew")
        assert "2 of 2 files were encrypted anew." in capsys.readouterr().out
        settings.SIGNING_KEYS_PASSPHRASES_BEFORE = []
        key_rings._load.cache_clear()
        assert {signer.kid for signer in key_rings.current().signers} == kids
        assert {path.stat().st_mode & 0o777 for path in Path(settings.SIGNING_KEYS_DIR).iterdir()} == {0o600}

        call_command("keys", "encrypt-anew")
        assert "0 of 2 files were encrypted anew." in capsys.readouterr().out

    def test_new_keys_need_the_new_one(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.SIGNING_KEYS_DIR = tmp_path / "keys"
        rotate(settings, "SIGNING_KEYS_PASSPHRASE", "SIGNING_KEYS_PASSPHRASES_BEFORE")
        made = key_store.make("Ed25519")
        [settings.SIGNING_KEYS_PASSPHRASE] = settings.SIGNING_KEYS_PASSPHRASES_BEFORE

        with refused(SigningKeyMissing, kid=made.kid):
            key_store.signer(made.kid)

    def test_a_file_that_none_opens_is_left_as_it_is(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.SIGNING_KEYS_DIR = tmp_path / "keys"
        made = key_store.make("Ed25519")
        [file] = (tmp_path / "keys").iterdir()
        content = file.read_bytes()
        settings.SIGNING_KEYS_PASSPHRASE = b"another one"

        with refused(SigningKeyMissing, kid=made.kid):
            key_store.encrypt_anew()
        assert file.read_bytes() == content
