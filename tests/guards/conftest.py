"""One world for a whole module: hundreds of violations look at it, and none of them gets through."""

import copy
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import ProjectRight
from appliance.factory.authority import Authority, pem
from devices import trust_anchors
from licenses import key_ceremony
from licenses.signers import Ed25519Signer, MLDSA65Signer
from tests import factories
from tests.guards.rows import Rows, make_rows


@pytest.fixture(scope="module")
def _world(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Rows]:
    folder = tmp_path_factory.mktemp("guards") / "signing-keys"
    around = transaction.atomic()
    # What Django's TestCase tells its own transactions, so that durable operations run inside them.
    around._from_testcase = True  # type: ignore[attr-defined]
    with django_db_blocker.unblock(), override_settings(SIGNING_KEYS_DIR=folder), around:
        yield _made(authority)
        transaction.set_rollback(True)


def _made(authority: Authority) -> Rows:
    factories.load_catalogue()
    roots = (Ed25519Signer.generate(), MLDSA65Signer.generate())
    key_ceremony.publish_first_key_set(roots=roots, caller=factories.caller(), now=factories.NOW)
    anchor = trust_anchors.add_trust_anchor(
        certificate=pem(authority.root),
        manufacturer="Example Networks",
        prefixes=["00-90-33"],
        hardware_id_in="serialNumber",
        caller=factories.caller(),
        now=factories.NOW,
    )
    alice = factories.make_user(name="Alice")
    project = factories.first_project(factories.make_company(founder=alice, name="Alice Networks"))
    right = factories.give_right(
        user=factories.make_user(name="Erin"), project=project, level=ProjectRight.Level.VIEW
    )
    made = make_rows(alice, factories.make_user(name="Charlie"), project, right, anchor)
    connection.check_constraints()  # what is deferred to the commit, which never comes
    return made


@pytest.fixture
def rows(_world: Rows, db: None) -> Rows:
    """One good row of each kind; what a test does to them is rolled back to here."""
    return copy.deepcopy(_world)
