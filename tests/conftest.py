"""The cast of the tests, and the keys and authorities that signing needs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings
from django.core.cache import cache
from django.utils import translation

from accounts.models import Company, Membership, Project, ProjectRight, User
from appliance.factory.authority import Authority, make_authority, pem
from devices import proofs, trust_anchors
from devices.models import TrustAnchor
from licenses import key_ceremony
from licenses import keyring as key_rings
from licenses.models import KeySetVersion
from licenses.signers import Ed25519Signer, FileSigner, MLDSA65Signer
from tests import factories
from tests.chromium import chromium

__all__ = ["chromium"]  # a fixture made elsewhere

USES_DATABASE = re.compile(
    r"^(transactional_)?db$|^live_server$|^django_db_(reset_sequences|serialized_rollback)$"
)


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What vouches for documents in a test: the roots' private keys and the published key set."""

    roots: tuple[FileSigner, ...]
    key_set: KeySetVersion


@pytest.fixture(autouse=True)
def _nothing_remembered(request: pytest.FixtureRequest, settings: LazySettings) -> Iterator[None]:
    """Throttles count in the cache, signers are kept in memory, and a thread speaks the language of its last
    request: none of it goes from test to test.
    """
    key_rings._load.cache_clear()
    proofs.forget()
    settings.PASSWORD_HASHERS = ["tests.hashing.QuickArgon2PasswordHasher"]
    in_database = "DatabaseCache" in settings.CACHES["default"]["BACKEND"]
    if not in_database:
        cache.clear()
    elif request.node.get_closest_marker("django_db") or any(map(USES_DATABASE.match, request.fixturenames)):
        request.getfixturevalue("_django_db_helper")
        cache.clear()
    yield
    key_rings._load.cache_clear()
    proofs.forget()
    translation.deactivate()


@pytest.fixture
def today() -> Iterator[time_machine.Traveller]:
    """Doors and workers live at the instant at which tests happen."""
    with time_machine.travel(factories.NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def catalogue(db: None) -> None:
    """The products of versions 11 to 14."""
    factories.load_catalogue()


@pytest.fixture
def keyring(db: None, settings: LazySettings, tmp_path: Path) -> Keys:
    """Two roots, document keys in a folder of this test, and key set 1 published."""
    settings.SIGNING_KEYS_DIR = tmp_path / "signing-keys"
    roots: tuple[FileSigner, ...] = (Ed25519Signer.generate(), MLDSA65Signer.generate())
    key_set = key_ceremony.publish_first_key_set(roots=roots, caller=factories.caller(), now=factories.NOW)
    return Keys(roots=roots, key_set=key_set)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The manufacturer: a root and a device CA with their keys."""
    return make_authority("Example Networks", now=factories.NOW)


@pytest.fixture
def anchor(db: None, authority: Authority) -> TrustAnchor:
    """The portal trusts the manufacturer for hardware IDs under 00-90-33."""
    return trust_anchors.add_trust_anchor(
        certificate=pem(authority.root),
        manufacturer="Example Networks",
        prefixes=["00-90-33"],
        hardware_id_in="serialNumber",
        caller=factories.caller(),
        now=factories.NOW,
    )


# --- The cast (architecture.md, "Tests") ---


@pytest.fixture
def alice(db: None) -> User:
    """Founder and admin of the company that owns the project."""
    return factories.make_user(name="Alice")


@pytest.fixture
def company(alice: User) -> Company:
    """Alice's company."""
    return factories.make_company(founder=alice, name="Alice Networks")


@pytest.fixture
def project(company: Company) -> Project:
    """The company's first project, DEFAULT."""
    return factories.first_project(company)


@pytest.fixture
def bob(company: Company) -> User:
    """Alice's colleague: a plain member of the company, without a right in any project."""
    user = factories.make_user(name="Bob")
    factories.join(user=user, company=company, role=Membership.Role.MEMBER)
    return user


@pytest.fixture
def charlie(db: None) -> User:
    """A stranger, with a company of his own."""
    user = factories.make_user(name="Charlie")
    factories.make_company(founder=user, name="Charlie Communications")
    return user


@pytest.fixture
def erin(project: Project) -> User:
    """Alice's end customer: no member, may operate the one project."""
    user = factories.make_user(name="Erin")
    factories.give_right(user=user, project=project, level=ProjectRight.Level.OPERATE)
    return user


@pytest.fixture
def sam(db: None) -> User:
    """Support staff."""
    return factories.make_user(name="Sam", is_staff=True)


@pytest.fixture
def olga(db: None) -> User:
    """Sam's colleague, the second pair of eyes."""
    return factories.make_user(name="Olga", is_staff=True)
