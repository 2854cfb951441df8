"""Products as forms name them: `Port/14`."""

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from licenses.queries import BalanceRow
from portal.core.forms import OfferedField

_NAME = re.compile(r"([A-Za-z0-9_.-]{1,40})/([0-9]{1,4})")


class ProductField(OfferedField):
    """A product from a balance; cleaned to its code and version."""

    def offer_products(self, rows: Iterable[BalanceRow], *, with_free: bool = True) -> None:
        """Show the products of a balance, with how many are free."""
        self.offer(
            [
                (
                    f"{row.product.code}/{row.product.version}",
                    _("%(product)s: %(free)s free") % {"product": row.product, "free": row.free}
                    if with_free
                    else str(row.product),
                )
                for row in rows
                if row.free
            ]
        )

    def clean(self, value: Any) -> tuple[str, int]:
        """Code and version."""
        match = _NAME.fullmatch(super().clean(value))
        if match is None:
            raise ValidationError(_("Choose a product from the list."), code="invalid")
        return match[1], int(match[2])
