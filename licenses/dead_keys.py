"""Keys that are dead for good: canceled with their order, or replaced by another one (mission rule 10).

Runs inside the transaction of an operation that holds the keys.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from licenses import ledger, transparency
from licenses.ledger import Line
from licenses.log_line import LeafType
from licenses.models import ActivationKey, Holder, Holding, KeyDelivery
from portal.core.models import Act


def end_keys(
    keys: Sequence[ActivationKey],
    *,
    ending: ActivationKey.Ending,
    goes_to: Callable[[ActivationKey], Holder],
    act: Act,
    now: datetime,
) -> None:
    """Block keys for good, forget their codes, and move what they hold elsewhere by a correcting transfer."""
    held = (
        Holding.objects.filter(holder__activation_key__in=keys, balance__gt=0)
        .select_related("holder", "product")
        .order_by("holder_id", "product_id")
    )
    destinations = {key.pk: goes_to(key) for key in keys}
    transfers = ledger.transfer(
        act=act,
        lines=[
            Line(
                product=holding.product,
                quantity=holding.balance,
                source=holding.holder,
                destination=destinations[holding.holder.activation_key_id or 0],
            )
            for holding in held
        ],
    )
    transparency.record(
        act=act,
        leaf_type=LeafType.CORRECTION,
        told=[transparency.Told(transfer=transfer) for transfer in transfers],
        now=now,
    )
    KeyDelivery.objects.filter(activation_key__in=keys).delete()
    for key in keys:
        key.state, key.ending, key.ended_by = ActivationKey.State.BLOCKED, ending, act
        key.save(update_fields=["state", "ending", "ended_by"])
