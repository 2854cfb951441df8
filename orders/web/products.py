"""The catalogue in the console: products by version, one product, a new one, a new version (rule 15)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from licenses import catalogue_changes, catalogue_queries
from licenses.catalogue_changes import Given
from licenses.models import Product
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import OfferedField, ReasonForm, respond

KINDS = {
    "gateway": gettext_lazy("Gateway (stays with the device)"),
    "pbx": gettext_lazy("PBX"),
    "app": gettext_lazy("App"),
    "service": gettext_lazy("Service"),
    "warranty": gettext_lazy("Warranty (stays with the device)"),
}
FIELDS = {
    "test-set-malformed": "in_test_set",
    "successor-malformed": "successor",
    "product-exists": "code",
}
STAYS = catalogue_changes.STAYS_WITH_THE_DEVICE


class ProductForm(ReasonForm):
    field_order: tuple[str, ...] = (
        "name",
        "kind",
        "unit",
        "user_assignable",
        "weight",
        "in_test_set",
        "test_quantity",
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=list(KINDS.items()),
        help_text=gettext_lazy("It decides whether licenses come back from a device."),
    )
    unit = forms.CharField(
        label=gettext_lazy("Unit"),
        max_length=20,
        help_text=gettext_lazy("What is counted, in English and in the singular, like “user”."),
    )
    user_assignable = forms.BooleanField(
        label=gettext_lazy("Marked on users and templates of a PBX"), required=False
    )
    weight = forms.IntegerField(
        label=gettext_lazy("Weight of a unit"),
        min_value=0,
        max_value=catalogue_changes.LARGEST_WEIGHT,
        help_text=gettext_lazy("Above a limit of units times weight, a move takes a second person."),
    )
    in_test_set = forms.BooleanField(label=gettext_lazy("In the test set of its version"), required=False)
    test_quantity = forms.IntegerField(
        label=gettext_lazy("Units in a test license"),
        min_value=1,
        required=False,
        help_text=gettext_lazy("For gateway kinds only; of the others its user says how many."),
    )

    def given(self, *, successor: int | None = None, for_sale: bool = True) -> Given:
        """What was typed, as the operation takes it; whether licenses come back follows from the kind."""
        fields = self.cleaned_data
        return Given(
            name=fields["name"],
            kind=fields["kind"],
            returnable=fields["kind"] not in STAYS,
            user_assignable=fields["user_assignable"],
            unit=fields["unit"],
            weight=fields["weight"],
            in_test_set=fields["in_test_set"],
            test_quantity=fields["test_quantity"],
            successor=successor,
            for_sale=for_sale,
        )


class NewProductForm(ProductForm):
    field_order = ("code", "version", *ProductForm.field_order)
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        help_text=gettext_lazy("Letters and digits. Documents name the product by it; it never changes."),
    )
    version = forms.IntegerField(label=gettext_lazy("Version"), min_value=1, max_value=999)


class ChangeForm(ProductForm):
    field_order = (*ProductForm.field_order, "successor", "for_sale")
    successor = OfferedField(
        label=gettext_lazy("Successor"),
        required=False,
        help_text=gettext_lazy("What to order in its place: the same product in a later version."),
    )
    for_sale = forms.BooleanField(
        label=gettext_lazy("Sold"),
        required=False,
        help_text=gettext_lazy(
            "Without the mark it takes no new orders. Keys that were issued, balances and devices stay as "
            "they are."
        ),
    )


class VersionForm(ReasonForm):
    field_order = ("version",)
    version = forms.IntegerField(label=gettext_lazy("New version"), min_value=1, max_value=999)


@staff_only(Permission.LOOK, change=Permission.CATALOGUE)
def products(request: HttpRequest) -> HttpResponse:
    """The products of one version, the latest unless another is asked for; a POST adds a whole version."""
    versions = catalogue_queries.versions()
    asked = request.GET.get("version", "")
    version = int(asked) if asked.isdecimal() and int(asked) in versions else next(iter(versions), 0)
    form = VersionForm(request.POST or None, initial={"version": next(iter(versions), 0) + 1})
    if form.is_valid():
        new = form.cleaned_data["version"]
        try:
            added = catalogue_changes.add_version(
                like=version, version=new, caller=_caller(request, form), now=clock.now()
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            said = _("Version %(version)s is in the catalogue; %(count)s products were added.")
            messages.success(request, said % {"version": new, "count": added})
            return redirect(f"{request.path}?version={new}")
    context = {
        "versions": versions,
        "version": version,
        "products": [(one, KINDS[one.kind]) for one in catalogue_queries.of_version(version)],
    }
    return respond(request, "staff/products.html", context, form=form)


@staff_only(Permission.CATALOGUE)
def add(request: HttpRequest) -> HttpResponse:
    """Add a product."""
    form = NewProductForm(request.POST or None, initial={"weight": 1})
    if form.is_valid():
        try:
            product = catalogue_changes.add_product(
                code=form.cleaned_data["code"],
                version=form.cleaned_data["version"],
                given=form.given(),
                caller=_caller(request, form),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field=_field_of(refusal))
        else:
            messages.success(request, _("%(product)s is in the catalogue.") % {"product": product})
            return redirect("staff-product", product.pk)
    return respond(request, "staff/product_add.html", _trail(), form=form)


@staff_only(Permission.LOOK, change=Permission.CATALOGUE)
def product(request: HttpRequest, product_id: int) -> HttpResponse:
    """One product: what the catalogue says of it, the form that changes it, and what was changed."""
    found = catalogue_queries.get_product(product_id)
    form = ChangeForm(request.POST or None, initial=_initial(found))
    _offer_successors(form, found)
    if form.is_valid():
        successor = form.cleaned_data["successor"]
        try:
            given = form.given(
                successor=int(successor) if successor.isdecimal() else None,
                for_sale=form.cleaned_data["for_sale"],
            )
            catalogue_changes.change_product(
                product=found, given=given, caller=_caller(request, form), now=clock.now()
            )
        except DomainError as refusal:
            form.refuse(refusal, field=_field_of(refusal))
        else:
            messages.success(request, _("What you changed is in the catalogue."))
            return redirect("staff-product", product_id)
    context = {
        **_trail(found.version),
        "product": found,
        "kind": KINDS[found.kind],
        "was_sold": catalogue_queries.was_sold(found),
        "changes": [(entry, _told(entry.facts)) for entry in catalogue_queries.changes_of(found)],
    }
    return respond(request, "staff/product.html", context, form=form)


def _caller(request: HttpRequest, form: ReasonForm) -> Any:
    return caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"])


def _field_of(refusal: DomainError) -> str | None:
    return FIELDS.get(refusal.code) or refusal.facts.get("wrong")


def _trail(version: int | None = None) -> dict[str, Any]:
    return {"trail": _("Catalogue"), "version": version}


def _initial(found: Product) -> dict[str, Any]:
    given = catalogue_changes.given_of(found)
    return {**vars(given), "successor": given.successor or ""}


def _offer_successors(form: ChangeForm, found: Product) -> None:
    field = form.fields["successor"]
    assert isinstance(field, OfferedField), "set by the form's class"
    later = catalogue_queries.later_versions(found)
    field.offer([("", _("none")), *((str(version), f"{found.code} {version}") for version in later)])


def _told(facts: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
    """What an entry changed: label, before and after."""
    fields = ChangeForm.base_fields
    changes = facts.get("changes", {})
    return [
        (fields[name].label if name in fields else _("Comes back from devices"), _word(old), _word(new))
        for name, (old, new) in changes.items()
    ]


def _word(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "–" if value is None else str(value)
