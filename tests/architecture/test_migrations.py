"""Migrations are complete, linear, and can be gone back (architecture.md, "Tests")."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL

from tests.rows import APPS

KEEPING = [app for app in APPS if list(apps.get_app_config(app).get_models())]


@pytest.fixture
def loader() -> MigrationLoader:
    """Migrations as they are on disk."""
    return MigrationLoader(None, ignore_no_migrations=True)


class TestMigrations:
    @pytest.mark.django_db
    def test_models_have_no_change_without_one(self) -> None:
        call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())

    @pytest.mark.parametrize("app", KEEPING)
    def test_they_stand_in_one_line(self, loader: MigrationLoader, app: str) -> None:
        assert len(loader.graph.leaf_nodes(app)) == 1
        for node in loader.graph.nodes:
            if node[0] == app:
                children = [child for child in loader.graph.node_map[node].children if child.key[0] == app]
                assert len(children) <= 1

    @pytest.mark.parametrize("app", KEEPING)
    def test_the_last_one_is_named_so_that_two_side_by_side_conflict(
        self, loader: MigrationLoader, app: str
    ) -> None:
        [(_, last)] = loader.graph.leaf_nodes(app)
        folder = apps.get_app_config(app).path

        with open(f"{folder}/migrations/max_migration.txt", encoding="ascii") as file:  # noqa: PTH123
            assert file.read().strip() == last

    @pytest.mark.parametrize("app", KEEPING)
    def test_they_hold_no_data_and_can_be_gone_back(self, loader: MigrationLoader, app: str) -> None:
        for (label, _), migration in loader.disk_migrations.items():
            if label == app:
                for operation in migration.operations:
                    assert not isinstance(operation, RunPython), f"{migration}: the catalogue has a command"
                    assert not isinstance(operation, RunSQL) or operation.reversible, str(migration)

    @pytest.mark.serial
    @pytest.mark.django_db(transaction=True)
    def test_the_guards_can_be_taken_back_and_put_again(self) -> None:
        call_command("migrate", "licenses", "0001", verbosity=0)
        call_command("migrate", "core", "0001", verbosity=0)
        call_command("migrate", verbosity=0)

        assert "licenses_transfer" in connection.introspection.table_names()
