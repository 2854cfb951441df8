"""Products of the catalogue, for whoever keeps it and whoever sells from it."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from licenses.models import Product, Transfer
from portal.core.errors import Conflict, NotFound
from portal.core.kept_queries import Columns, KeptQuery, columns_of, listed
from portal.core.models import AuditEntry

_PRODUCT = columns_of(Product)
PRODUCT = KeptQuery(
    function="licenses_product_named",
    parameters=("code", "version"),
    sql=f"""
    SELECT {listed("product", _PRODUCT)} FROM licenses_product product
    WHERE product.code = %(code)s AND product.version = %(version)s
    """,  # noqa: S608 (the columns are the model's)
)
"""A change of it is a migration as well: PostgreSQL has it as a function."""


def product_named(code: str, *, version: int) -> Product | None:
    """The product of a code in a version, if the catalogue has it."""
    # What no column can hold is asked of no database.
    if not 0 < version < 2**31 or "\x00" in code:
        return None
    row = PRODUCT.row({"code": code, "version": version})
    return None if row is None else Columns(row).row(Product, _PRODUCT)


class ProductUnknown(NotFound):
    code = "product-unknown"
    title = _("There is no such product in the catalogue.")
    why = _("Products are never removed, only discontinued. So an address that leads to none was mistyped.")
    way_out = _("Choose it from the catalogue.")
    source = "mission rule 15"


class ProductDiscontinued(Conflict):
    code = "product-discontinued"
    title = _("%(product)s is no longer sold.")
    why = _(
        "A product that is discontinued takes no new orders. Keys that were issued for it are activated, and "
        "its licenses assigned, returned and moved as before."
    )
    way_out = _(
        "To order in its place: %(instead)s. If it should still be sold, whoever keeps the catalogue can "
        "offer it again."
    )
    source = "mission rule 15"


def get_product(product_id: int) -> Product:
    """A product, for staff.

    :raises ProductUnknown: there is none of this id.
    """
    product = Product.objects.select_related("successor").filter(pk=product_id).first()
    if product is None:
        raise ProductUnknown
    return product


def refusal_of_sale(product: Product) -> ProductDiscontinued | None:
    """Why a product takes no new order, or None. Load it with its `successor`. Facts `product`, `instead`."""
    if product.discontinued_at is None:
        return None
    instead = product.successor or _("nothing that the catalogue names")
    return ProductDiscontinued(product=str(product), instead=str(instead))


def was_sold(product: Product) -> bool:
    """Whether licenses of the product exist or existed; test licenses do not count."""
    return Transfer.objects.filter(product=product).exists()


def of_version(version: int) -> QuerySet[Product]:
    """The products of a major version, by code, with their successors."""
    return Product.objects.filter(version=version).select_related("successor").order_by("code")


def versions() -> list[int]:
    """The major versions of the catalogue, the latest first."""
    found = Product.objects.order_by("-version").values_list("version", flat=True).distinct()
    return list(found)


def later_versions(product: Product) -> list[int]:
    """The later versions in which the catalogue has the same product."""
    later = Product.objects.filter(code=product.code, version__gt=product.version)
    return list(later.order_by("version").values_list("version", flat=True))


def changes_of(product: Product) -> list[AuditEntry]:
    """What was changed about a product, the latest first, 50 at most."""
    entries = AuditEntry.objects.filter(
        event__in=("product-added", "product-changed"), facts__product=str(product)
    )
    return list(entries.select_related("actor").order_by("-at", "-pk")[:50])
