"""Archived projects (mission rule 5)."""

import pytest

from accounts.models import Company, Project
from accounts.scopes import ProjectArchived
from licenses import activation, archiving, balances
from licenses.archiving import ProjectNotEmpty
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    get_product,
    make_device,
    make_key,
    make_project,
    new_hardware_id,
)
from tests.operations.bookkeeping import last_entry, refused, unchanged

pytestmark = pytest.mark.usefixtures("catalogue")


def archive(project: Project, key: str | None = None) -> Project:
    return archiving.archive_project(project=project, caller=caller(key=key), now=NOW)


class TestArchiving:
    def test_an_empty_project_is_put_away(self, project: Project) -> None:
        assert archive(project, key="once").archived_at == NOW
        assert (last_entry().event, last_entry().project_id) == ("project-archived", project.pk)
        with unchanged():
            archive(project, key="once")

    def test_devices_and_licenses_are_in_the_way_and_counted(self, project: Project) -> None:
        device = make_device(project=activated(project, {"Port": 5, "UC": 2}))
        assigned(device, 3)

        with refused(ProjectNotEmpty, devices=1, licenses=4):
            archive(project)

    def test_nothing_comes_into_it(self, company: Company, project: Project) -> None:
        activated(company, {"Port": 5})
        code = make_key()
        archive(project)

        with refused(ProjectArchived, name="DEFAULT"):
            activation.activate_key(code=code, target=project, caller=caller(), now=NOW)
        with refused(ProjectArchived):
            balances.transfer_licenses(
                source=company,
                destination=project,
                product=get_product(),
                quantity=1,
                caller=caller(),
                now=NOW,
            )
        with refused(ProjectArchived):
            make_device(project=project, hardware_id=new_hardware_id())

    def test_its_company_goes_on(self, company: Company, project: Project) -> None:
        archive(project)

        other = activated(make_project(company=company), {"Port": 1})
        assert make_device(project=other).project == other


class TestTakingOutOfTheArchive:
    def test_it_takes_licenses_and_devices_again(self, project: Project) -> None:
        archive(project)

        open_again = archiving.unarchive_project(project=project, caller=caller(key="once"), now=NOW)

        assert open_again.archived_at is None
        assert last_entry().event == "project-unarchived"
        with unchanged():
            archiving.unarchive_project(project=project, caller=caller(key="once"), now=NOW)
        assert make_device(project=activated(project, {"Port": 1})).project == project
