"""Certificates of activation keys, for whoever hands them to the customer (mission rule 8)."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from licenses import activation_code, issuing
from licenses.issuing import IssuedKey
from licenses.models import ActivationKey, Order, Transfer
from licenses.order_queries import NoSuchOrder
from orders import certificate
from orders.certificate import Certificate, CertificateLine
from portal.core import audit
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.words import unit_in_words


class CodesNotKept(Conflict):
    code = "codes-not-kept"
    title = _("The key of this order can no longer be printed.")
    why = _(
        "A key is kept in full only until its delivery is confirmed, seven days at most, and while nobody "
        "has used or blocked it. Whoever could print it later could also steal it."
    )
    way_out = _("If the customer has lost the key, it is replaced by a new one; the old one is dead then.")
    source = "mission rule 8"


def get_order(order_id: int) -> Order:
    """An order, for staff.

    :raises NoSuchOrder: there is none of this id.
    """
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise NoSuchOrder
    return order


def printable_keys(order: Order) -> list[ActivationKey]:
    """The keys of an order whose certificates can be made: issued, and kept for their delivery."""
    keys = ActivationKey.objects.filter(order=order, state=ActivationKey.State.ISSUED, delivery__isnull=False)
    return list(keys.select_related("order", "delivery").order_by("pk"))


@transaction.atomic(durable=True)
def make_certificates(*, order: Order, language: str, caller: Caller, now: datetime) -> bytes:
    """The certificates of all keys of an order that are kept, as one PDF; who had it made is recorded.

    :param language: one of the settings' `LANGUAGES`, the recipient's.
    :raises CodesNotKept: no key of the order is kept and unused any more.
    """
    issued = [IssuedKey(activation_key=key, code=issuing.code_of(key)) for key in printable_keys(order)]
    if not issued:
        raise CodesNotKept
    audit.record(
        "key-certificate-made",
        caller=caller,
        now=now,
        order=order.number,
        keys=[one.activation_key.last_four for one in issued],
    )
    return certificate_for(issued, language=language)


def certificate_for(issued: Sequence[IssuedKey], *, language: str) -> bytes:
    """A PDF for whoever holds the codes just issued, a page or more for each key.

    The keys' orders are read with them; two queries however many keys there are.

    :raises CodesNotKept: one of the keys comes without its code.
    """
    keys = {one.activation_key.pk: one for one in issued}
    lines: dict[int, list[Transfer]] = {}
    for transfer in (
        Transfer.objects.filter(destination__activation_key__in=keys)
        .select_related("product", "destination")
        .order_by("pk")
    ):
        lines.setdefault(transfer.destination.activation_key_id or 0, []).append(transfer)
    orders = Order.objects.in_bulk([one.activation_key.order_id for one in issued])
    with translation.override(language):
        return certificate.render(
            [
                _certificate_of(one, order=orders[one.activation_key.order_id], lines=lines[pk])
                for pk, one in keys.items()
            ],
            language=language,
        )


def _certificate_of(one: IssuedKey, *, order: Order, lines: Sequence[Transfer]) -> Certificate:
    if one.code is None:
        raise CodesNotKept
    code = activation_code.format_code(activation_code.read(one.code))
    page = f"{settings.PORTAL_ORIGINS[0]}/activate"
    return Certificate(
        key=code,
        order=order.number,
        reference=order.reference,
        customer=order.customer,
        issued_on=date_format(one.activation_key.issued_at, "DATE_FORMAT"),
        lines=tuple(
            CertificateLine(
                product=str(line.product),
                name=line.product.name,
                quantity=line.quantity,
                unit=unit_in_words(line.product.unit, count=line.quantity),
            )
            for line in lines
        ),
        # Behind the # it never reaches a server, a proxy or a referrer (portal/static/portal/key.js).
        link=f"{page}#{code}",
        page=page,
    )
