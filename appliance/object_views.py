"""PBX/Objects and PBX/Config templates: users, templates, their marks, and what is licensed of them."""

from collections.abc import Callable
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from appliance import page
from appliance.allocation import licenses_of, unlicensed_features
from appliance.device import Device
from appliance.kinds import FEATURE_WORDS, FEATURES, Feature
from appliance.objects import Marks, Objects, read_marks
from appliance.operating import Work
from appliance.refusals import Refusal

_SAVED = "Saved."


@never_cache
@require_GET
def objects(request: HttpRequest) -> HttpResponse:
    """List the users with what they are marked with, and what of it is not licensed."""

    def make(work: Work) -> dict[str, object]:
        missing = unlicensed_features(work.objects.users, work.allocations)
        rows = [
            {
                "user": user,
                "template": work.objects.template_of(user),
                "licensed": _words(work.objects.wanted(user) - set(missing.get(user.id, ()))),
                "missing": _words(frozenset(missing.get(user.id, ()))),
            }
            for user in work.objects.users
        ]
        return {"rows": rows, "templates": work.objects.templates, "unlicensed": len(missing)}

    return page.show(request, "appliance/objects.html", make, place="objects")


@never_cache
@require_POST
def add_user(request: HttpRequest) -> HttpResponse:
    """Make a user object."""
    posted = request.POST

    def edit(before: Objects) -> Objects:
        return before.with_new_user(
            posted.get("name", ""), number=posted.get("number", ""), template=_template_id(request)
        )

    return _change(request, edit, to="objects")


@never_cache
@require_GET
def user(request: HttpRequest, object_id: int) -> HttpResponse:
    """Show the tab General of a user object."""

    def make(work: Work) -> dict[str, object]:
        return {"user": work.objects.user(object_id), "templates": work.objects.templates, "tab": "general"}

    return page.show(request, "appliance/user.html", make, place="objects")


@never_cache
@require_GET
def user_license(request: HttpRequest, object_id: int) -> HttpResponse:
    """Show the tab License of a user object."""

    def make(work: Work) -> dict[str, object]:
        one = work.objects.user(object_id)
        lines = licenses_of(one, work.objects, work.allocations)
        return {
            "user": one,
            "template": work.objects.template_of(one),
            "rows": [{"line": line, "words": FEATURE_WORDS[line.feature]} for line in lines],
            "tab": "license",
        }

    return page.show(request, "appliance/user_license.html", make, place="objects")


@never_cache
@require_POST
def change_user(request: HttpRequest, object_id: int) -> HttpResponse:
    """Change name, number and config template of a user."""
    posted = request.POST

    def edit(before: Objects) -> Objects:
        changed = replace(
            before.user(object_id),
            name=posted.get("name", ""),
            number=posted.get("number", ""),
            template=_template_id(request),
        )
        return before.with_user(changed)

    return _change(request, edit, to="user", object_id=object_id)


@never_cache
@require_POST
def mark_user(request: HttpRequest, object_id: int) -> HttpResponse:
    """Put the marks of a user's License tab where the form has them."""

    def edit(before: Objects) -> Objects:
        marks = read_marks(request.POST.getlist("mark"))
        return before.with_user(replace(before.user(object_id), marks=marks))

    return _change(request, edit, to="user-license", object_id=object_id)


@never_cache
@require_POST
def delete_user(request: HttpRequest, object_id: int) -> HttpResponse:
    """Take a user away."""
    return _change(request, lambda before: before.without_user(object_id), to="objects", done="Deleted.")


@never_cache
@require_GET
def templates(request: HttpRequest) -> HttpResponse:
    """List the config templates."""

    def make(work: Work) -> dict[str, object]:
        rows = [
            {"template": one, "marks": _words(one.marks), "users": len(work.objects.users_of(one))}
            for one in work.objects.templates
        ]
        return {"rows": rows}

    return page.show(request, "appliance/templates.html", make, place="templates")


@never_cache
@require_POST
def add_template(request: HttpRequest) -> HttpResponse:
    """Make a config template."""
    name = request.POST.get("name", "")
    return _change(request, lambda before: before.with_new_template(name), to="templates")


@never_cache
@require_GET
def template(request: HttpRequest, object_id: int) -> HttpResponse:
    """Show a config template."""

    def make(work: Work) -> dict[str, object]:
        one = work.objects.template(object_id)
        marks = [{"feature": f, "words": FEATURE_WORDS[f], "marked": f in one.marks} for f in FEATURES]
        return {"template": one, "marks": marks, "users": work.objects.users_of(one)}

    return page.show(request, "appliance/template.html", make, place="templates")


@never_cache
@require_POST
def change_template(request: HttpRequest, object_id: int) -> HttpResponse:
    """Change the name and the marks of a config template."""

    def edit(before: Objects) -> Objects:
        marks = read_marks(request.POST.getlist("mark"))
        one = before.template(object_id)
        return before.with_template(replace(one, name=request.POST.get("name", ""), marks=marks))

    return _change(request, edit, to="template", object_id=object_id)


@never_cache
@require_POST
def delete_template(request: HttpRequest, object_id: int) -> HttpResponse:
    """Take a config template away that no user has."""
    return _change(
        request, lambda before: before.without_template(object_id), to="templates", done="Deleted."
    )


def _change(
    request: HttpRequest,
    edit: Callable[[Objects], Objects],
    *,
    to: str,
    object_id: int | None = None,
    done: str = _SAVED,
) -> HttpResponse:
    def change(device: Device) -> str:
        device.change_objects(edit)
        return done

    return page.act(request, change, to=to, object_id=object_id)


def _template_id(request: HttpRequest) -> int | None:
    typed = request.POST.get("template", "")
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) <= len(str(2**53))):
        raise Refusal("object-unknown", typed[:20])
    return int(typed)


def _words(marks: Marks | frozenset[Feature]) -> list[str]:
    return [FEATURE_WORDS[feature] for feature in FEATURES if feature in marks]
