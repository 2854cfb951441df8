"""REST doors on activation keys. The code stands in bodies only, never in an address or a log."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.doors import Door
from accounts.api.reference import operation
from accounts.models import ApiToken, Company, Project
from accounts.queries import (
    OPERATE,
    NoSuchCompany,
    NoSuchProject,
    RightMissing,
    get_company,
    get_project,
)
from accounts.requests import caller, idempotency_key, principal
from accounts.scopes import CompanyImported, ProjectArchived
from licenses import activation
from licenses.activation import KeyAlreadyActivated, KeyBlocked, KeyUnknown
from licenses.api import dry_runs, inputs, outputs
from portal.core import clock
from portal.core.throttle import RateLimited

KEY_REFUSALS = (RateLimited, KeyUnknown, KeyAlreadyActivated, KeyBlocked)


class KeyLookUp(Door):
    @operation(
        "look-at-key",
        "Look at what an activation key holds",
        scope=ApiToken.Scope.ACTIVATE,
        takes=inputs.KeyLookUp,
        answer=outputs.KeyContents,
        refusals=(NoSuchCompany, *KEY_REFUSALS),
    )
    def post(self, request: Request) -> Response:
        """Changes nothing. For members of the company; look-ups are counted and throttled."""
        given = inputs.KeyLookUp.read(request.data)
        company = get_company(company_id=given["company"], user=principal(request))
        contents = activation.look_at_key(
            code=given["code"],
            company=company,
            caller=caller(request, company=company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.KeyContents(contents).data)


class KeyActivation(Door):
    @operation(
        "activate-key",
        "Activate an activation key",
        scope=ApiToken.Scope.ACTIVATE,
        takes=inputs.KeyActivation,
        answer=outputs.Activation,
        dry_run=dry_runs.DryRun,
        parameters=(dry_runs.Asked,),
        refusals=(
            NoSuchCompany,
            NoSuchProject,
            RightMissing,
            ProjectArchived,
            CompanyImported,
            *KEY_REFUSALS,
        ),
    )
    def post(self, request: Request) -> Response:
        """Once, for all its lines, into the balance of a company or of one of its projects.

        For members of the company; into a project they need `operate` there.
        """
        is_dry_run = dry_runs.is_asked_by(request)
        given = inputs.KeyActivation.read(request.data)
        user = principal(request)
        target: Company | Project
        if "project" in given:
            target = get_project(project_id=given["project"], user=user, right=OPERATE, members_only=True)
            company = target.company
        else:
            target = company = get_company(company_id=given["company"], user=user)
        act: dict[str, Any] = {
            "code": given["code"],
            "target": target,
            "caller": caller(request, company=company, key=idempotency_key(request)),
            "now": clock.now(),
        }
        if is_dry_run:
            return Response(dry_runs.DryRun(dry_runs.told(activation.rehearse_activation(**act))).data)
        activated = activation.activate_key(**act)
        return Response(outputs.Activation(activated).data)
