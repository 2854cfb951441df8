"""What `ledger verify` asks of canceled and corrected orders (mission rules 10 and 12)."""

from collections.abc import Iterator

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from licenses.models import Holder, Transfer

CHUNK = 2000


def canceled_orders_are_retired() -> Iterator[str]:
    """What an order that was canceled or corrected had put into the world, its act took out again, product by
    product."""
    taken_out = (
        Transfer.objects.filter(
            act=OuterRef("destination__activation_key__order__canceled_by"),
            product=OuterRef("product"),
            destination__kind=Holder.Kind.RETIRED,
        )
        .values("act")
        .annotate(units=Sum("quantity"))
        .values("units")
    )
    put_in = (
        Transfer.objects.filter(
            source__kind=Holder.Kind.ISSUER,
            destination__activation_key__order__canceled_by__isnull=False,
        )
        .values(
            "destination__activation_key__order", "destination__activation_key__order__canceled_by", "product"
        )
        .annotate(units=Sum("quantity"), taken=Coalesce(Subquery(taken_out), 0))
        .order_by()
    )
    for row in put_in.iterator(CHUNK):
        if row["units"] != row["taken"]:
            order = row["destination__activation_key__order"]
            yield (
                f"order {order} was canceled, and {row['taken']} of its {row['units']} of product "
                f"{row['product']} were retired"
            )


CHECKS = (canceled_orders_are_retired,)
