"""The floor of a page: what any list of fifty rows in the portal's layout costs, whatever is in it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import queries
from devices.models import Device


@login_required
def list_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """Session, user, companies, the project with its right, a count, fifty rows: six queries."""
    user = request.user
    assert user.is_authenticated
    companies = list(queries.memberships_of(user))
    project = queries.get_project(project_id=project_id, user=user)
    devices = Device.objects.filter(project=project, released_at=None).order_by("hardware_id")
    context = {"companies": companies, "count": devices.count(), "rows": devices[:50], "project": project}
    return render(request, "floors/list.html", context)
