"""REST doors on histories, and on the keys that were activated."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.doors import Door
from accounts.api.reference import operation
from accounts.models import ApiToken
from accounts.queries import NoSuchCompany, NoSuchProject, get_company, get_project
from accounts.requests import principal
from devices.queries import NoSuchDevice
from licenses import records
from licenses.api import inputs
from licenses.api import record_outputs as outputs
from licenses.api.devices import HARDWARE_ID, find_device
from portal.core.models import AuditEntry
from portal.core.problems import MalformedInput


class CompanyKeys(Door):
    @operation(
        "list-activated-keys",
        "List the activation keys of a company",
        scope=ApiToken.Scope.READ,
        answer=outputs.KeyList,
        parameters=(inputs.KeyPage,),
        refusals=(NoSuchCompany, MalformedInput),
    )
    def get(self, request: Request, company_id: int) -> Response:
        """Keys that filled its balance, or a project's that you may see; the latest first. For members."""
        page = inputs.KeyPage.read(request.query_params.dict())
        user = principal(request)
        keys = records.keys_of(get_company(company_id=company_id, user=user), user=user).filter(
            last_four__iendswith=page.pop("last"),
            order__number__icontains=page.pop("order"),
            order__reference__icontains=page.pop("reference"),
        )
        found, following = paging.by_id(keys, latest_first=True, **page)
        return Response(outputs.KeyList({"keys": found, "next": following}).data)


class CompanyHistory(Door):
    @operation(
        "get-company-history",
        "Read the history of a company",
        scope=ApiToken.Scope.READ,
        answer=outputs.History,
        parameters=(inputs.CompanyHistoryPage,),
        refusals=(NoSuchCompany, MalformedInput),
    )
    def get(self, request: Request, company_id: int) -> Response:
        """With that of its projects that you may see; the latest first. For members of the company."""
        page = inputs.CompanyHistoryPage.read(request.query_params.dict())
        user = principal(request)
        entries = records.entries_of_company(get_company(company_id=company_id, user=user), user=user)
        if page["project"] is not None:
            entries = entries.filter(project_id=page["project"])
        if page["device"]:
            entries = entries.filter(hardware_id=page["device"])
        return _answer(entries, page, only_known=None)


class ProjectHistory(Door):
    @operation(
        "get-project-history",
        "Read the history of a project",
        scope=ApiToken.Scope.READ,
        answer=outputs.History,
        parameters=(inputs.ProjectHistoryPage,),
        refusals=(NoSuchProject, MalformedInput),
    )
    def get(self, request: Request, project_id: int) -> Response:
        """With that of its devices; the latest first."""
        page = inputs.ProjectHistoryPage.read(request.query_params.dict())
        project = get_project(project_id=project_id, user=principal(request))
        entries = records.entries_of_project(project)
        if page["device"]:
            entries = entries.filter(hardware_id=page["device"])
        return _answer(entries, page, only_known=records.only_known_to(principal(request), project=project))


class DeviceHistory(Door):
    @operation(
        "get-device-history",
        "Read the history of a device",
        scope=ApiToken.Scope.READ,
        answer=outputs.History,
        parameters=(HARDWARE_ID, inputs.HistoryPage),
        refusals=(NoSuchDevice, MalformedInput),
    )
    def get(self, request: Request, hardware_id: str) -> Response:
        """What it did in the project it is in now; the latest first."""
        page = inputs.HistoryPage.read(request.query_params.dict())
        device = find_device(request, hardware_id)
        only_known = records.only_known_to(principal(request), project=device.project)
        return _answer(records.entries_of_device(device), page, only_known=only_known)


def _answer(entries: QuerySet[AuditEntry], page: dict[str, Any], *, only_known: str | None) -> Response:
    if page["since"]:
        entries = entries.filter(at__gte=page["since"])
    if page["until"]:
        entries = entries.filter(at__lt=page["until"])
    if page["after"]:
        microseconds, pk = map(int, page["after"].split("-"))
        at = datetime.fromtimestamp(microseconds // 1_000_000, tz=UTC).replace(
            microsecond=microseconds % 1_000_000
        )
        entries = entries.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    found, following = paging.cut(entries, limit=page["limit"], position=_position)
    context = {"only_known": only_known}
    return Response(outputs.History({"history": found, "next": following}, context=context).data)


def _position(entry: AuditEntry) -> str:
    # Entries of one instant are in the order of their ids, and ids are not in the order of instants.
    return f"{int(entry.at.timestamp()) * 1_000_000 + entry.at.microsecond}-{entry.pk}"
