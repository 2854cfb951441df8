"""Changing the catalogue: products, their test sets and successors, and whether they are sold (rule 15).

What a product is, its code and version, stays for ever: signed documents name it. What decides how its
licenses behave, kind and returnable, and the unit they are counted in, stay from the first order on.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.permissions import Permission
from licenses.catalogue_queries import get_product, was_sold
from licenses.models import Product
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid

FIXED_ONCE_SOLD = ("kind", "returnable", "unit")
STAYS_WITH_THE_DEVICE = {Product.Kind.GATEWAY, Product.Kind.WARRANTY}
LARGEST_WEIGHT = 1_000


class ProductExists(Conflict):
    code = "product-exists"
    title = _("The catalogue has %(product)s already.")
    why = _(
        "Documents name a product by its code and version. Two of the same name would make it a matter of "
        "luck which one a device has."
    )
    way_out = _("Change the product that is there, or choose another code or version.")
    source = "mission rule 15"


class ProductMalformed(Invalid):
    code = "product-malformed"
    title = _("The product cannot be entered like this: %(wrong)s.")
    why = _(
        "Code, version, name, unit and weight stand on certificates, in documents and in decisions about "
        "moves. What they cannot hold would fail there, at a customer."
    )
    way_out = _(
        "Use a code of 1 to 40 letters and digits, a version from 1 to 999, a name of at most 100 and a unit "
        "of at most 20 characters, and a weight from 0 to 1000."
    )
    source = "mission rule 15"


class ReturnableByKind(Invalid):
    code = "returnable-by-kind"
    title = _("Whether its licenses can be given back does not go with the kind of the product.")
    why = _(
        "Gateway licenses and warranty extensions stay with the device they were assigned to; PBX, app and "
        "service licenses come back. Devices and partners rely on it."
    )
    way_out = _("Choose another kind, or leave it to the kind whether licenses come back.")
    source = "mission rule 17"


class TestSetMalformed(Invalid):
    __test__ = False
    code = "test-set-malformed"
    title = _("The product cannot be in the test set like this.")
    why = _(
        "A test license gives a fixed number of gateway licenses; of the others its user says how many. "
        "Warranty is not tested."
    )
    way_out = _("Give gateway kinds a number from 1, other kinds none, and leave warranty out.")
    source = "mission rule 20"


class SuccessorMalformed(Invalid):
    code = "successor-malformed"
    title = _("%(successor)s cannot succeed %(product)s.")
    why = _(
        "The successor is what to order in its place: the same product in a later version. Anything else "
        "would send customers to what does not fit their devices."
    )
    way_out = _("Choose the same code in a later version, or none.")
    source = "mission rule 15"


class SoldProductFixed(Conflict):
    code = "sold-product-fixed"
    title = _("%(product)s has been sold: its kind, its unit and whether it comes back can no longer change.")
    why = _(
        "Licenses were sold and documents signed under these words. Changing them would change what "
        "customers have, behind their backs."
    )
    way_out = _("Add a product with another code, and discontinue this one.")
    source = "mission rule 17"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the catalogue says of a product, beside its code and version. `successor` is a version number."""

    name: str
    kind: str
    returnable: bool
    user_assignable: bool
    unit: str
    weight: int
    in_test_set: bool
    test_quantity: int | None
    successor: int | None = None
    for_sale: bool = True


def given_of(product: Product) -> Given:
    """What the catalogue says of a product now."""
    return Given(
        name=product.name,
        kind=product.kind,
        returnable=product.returnable,
        user_assignable=product.user_assignable,
        unit=product.unit,
        weight=product.weight,
        in_test_set=product.in_test_set,
        test_quantity=product.test_quantity,
        successor=product.successor.version if product.successor else None,
        for_sale=product.discontinued_at is None,
    )


@transaction.atomic(durable=True)
def add_product(*, code: str, version: int, given: Given, caller: Caller, now: datetime) -> Product:
    """Add a product to the catalogue.

    :raises ReasonNeeded: without a reason.
    :raises RoleMissing: the caller is a person who may not change the catalogue.
    :raises ProductMalformed: code, version or a text or number does not fit. Fact `wrong`: the field.
    :raises ReturnableByKind: rule 17 says otherwise for this kind.
    :raises TestSetMalformed: rule 20 says otherwise for this kind.
    :raises SuccessorMalformed: the successor is not the same code in a later version of the catalogue.
    :raises ProductExists: there is one of this code and version.
    """
    act = _begin("add-product", {"code": code, "version": version, **asdict(given)}, caller, now)
    if act.outcome is not None:
        return get_product(act.outcome["product"])
    product = Product(code=code, version=version)
    if not (0 < len(code) <= 40 and code.isascii() and code.isalnum() and code[0].isalpha()):
        raise ProductMalformed(wrong="code")
    if not 0 < version <= 999:
        raise ProductMalformed(wrong="version")
    _apply(product, given, now=now)
    try:
        with transaction.atomic():
            product.save(force_insert=True)
    except IntegrityError as error:
        raise ProductExists(product=str(product)) from error
    audit.record(
        "product-added",
        caller=caller,
        now=now,
        act=act,
        product=str(product),
        after=asdict(given),
        reason=acts.reason_of(caller),
    )
    acts.finish(act, outcome={"product": product.pk})
    return product


@transaction.atomic(durable=True)
def change_product(*, product: Product, given: Given, caller: Caller, now: datetime) -> Product:
    """Change what the catalogue says of a product; discontinue it, or offer it again.

    What was sold goes on: discontinuing only ends new orders.

    :raises: as `add_product`, but for `ProductExists`.
    :raises SoldProductFixed: licenses of it exist, and kind, returnable or unit would change.
    """
    act = _begin("change-product", {"product": product.pk, **asdict(given)}, caller, now)
    # Of two changes at once the second one starts from what the first one left. An order is not kept waiting:
    # one that is entered in this very moment has handed out nothing yet.
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    if act.outcome is not None:
        return locked
    before = given_of(locked)
    changes = {
        name: [old, new]
        for (name, old), new in zip(asdict(before).items(), asdict(given).values(), strict=True)
        if old != new
    }
    if changes.keys() & set(FIXED_ONCE_SOLD) and was_sold(locked):
        raise SoldProductFixed(product=str(locked))
    _apply(locked, given, now=now)
    locked.save()
    if changes:
        audit.record(
            "product-changed",
            caller=caller,
            now=now,
            act=act,
            product=str(locked),
            changes=changes,
            reason=acts.reason_of(caller),
        )
    acts.finish(act, outcome={})
    return locked


@transaction.atomic(durable=True)
def add_version(*, like: int, version: int, caller: Caller, now: datetime) -> int:
    """Add a major version with the products of an earlier one that are sold, each as its successor.

    A product that is there already stays as it is, and is the successor too. Returns how many were added.

    :raises ReasonNeeded: without a reason.
    :raises RoleMissing: the caller is a person who may not change the catalogue.
    :raises ProductMalformed: the version is not above the other one, or that one has no product.
    """
    act = _begin("add-version", {"like": like, "version": version}, caller, now)
    if act.outcome is not None:
        return int(act.outcome["added"])
    models = list(
        Product.objects.select_for_update().filter(version=like, discontinued_at=None).order_by("pk")
    )
    if not (models and like < version <= 999):
        raise ProductMalformed(wrong="version")
    before = Product.objects.filter(version=version).count()
    Product.objects.bulk_create([_copy(model, version) for model in models], ignore_conflicts=True)
    added = Product.objects.filter(version=version).count() - before
    successors = {product.code: product for product in Product.objects.filter(version=version)}
    for model in models:
        model.successor = successors[model.code]
    Product.objects.bulk_update(models, ["successor"])
    audit.record(
        "catalogue-version-added",
        caller=caller,
        now=now,
        act=act,
        version=version,
        like=like,
        added=added,
        reason=acts.reason_of(caller),
    )
    acts.finish(act, outcome={"added": added})
    return added


def _begin(operation: str, given: dict[str, Any], caller: Caller, now: datetime) -> Any:
    reason = acts.reason_of(caller)
    staff.require(Permission.CATALOGUE, user_id=caller.user_id)
    return acts.begin(operation=operation, caller=caller, given={**given, "reason": reason}, now=now)


def _apply(product: Product, given: Given, *, now: datetime) -> None:
    given = replace(given, name=given.name.strip(), unit=given.unit.strip())
    _require_fitting(given)
    product.name, product.kind, product.unit = given.name, given.kind, given.unit
    product.returnable, product.user_assignable = given.returnable, given.user_assignable
    product.weight = given.weight
    product.in_test_set, product.test_quantity = given.in_test_set, given.test_quantity
    product.successor = _successor(product, given.successor)
    if given.for_sale:
        product.discontinued_at = None
    elif product.discontinued_at is None:
        product.discontinued_at = now


def _require_fitting(given: Given) -> None:
    for wrong, fits in (
        ("name", 0 < len(given.name) <= 100),
        ("kind", given.kind in Product.Kind.values),
        ("unit", 0 < len(given.unit) <= 20),
        ("weight", 0 <= given.weight <= LARGEST_WEIGHT),
    ):
        if not fits:
            raise ProductMalformed(wrong=wrong)
    if given.returnable == (given.kind in STAYS_WITH_THE_DEVICE):
        raise ReturnableByKind
    if not given.in_test_set:
        fits = given.test_quantity is None
    elif given.kind == Product.Kind.GATEWAY:
        fits = given.test_quantity is not None and 0 < given.test_quantity <= 1_000_000
    else:
        fits = given.kind != Product.Kind.WARRANTY and given.test_quantity is None
    if not fits:
        raise TestSetMalformed


def _successor(product: Product, version: int | None) -> Product | None:
    if version is None:
        return None
    found = Product.objects.filter(code=product.code, version=version).first()
    if found is None or version <= product.version:
        raise SuccessorMalformed(product=str(product), successor=f"{product.code} {version}")
    return found


def _copy(model: Product, version: int) -> Product:
    return Product(
        code=model.code,
        version=version,
        name=model.name,
        kind=model.kind,
        returnable=model.returnable,
        user_assignable=model.user_assignable,
        unit=model.unit,
        weight=model.weight,
        in_test_set=model.in_test_set,
        test_quantity=model.test_quantity,
    )
