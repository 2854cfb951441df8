"""Long lists, a page at a time: the same two parameters and the same member `next` everywhere."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.inputs import Input

LARGEST_PAGE = 200

Row = TypeVar("Row", bound=Model)


@extend_schema_field({"type": "string", "pattern": "^[1-9][0-9]{0,17}$"})
class Position(serializers.CharField):
    """An id as a query parameter, hence a text."""

    def to_internal_value(self, data: str) -> int:  # type: ignore[override]
        text: str = super().to_internal_value(data)
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and text[0] != "0"):
            self.fail("invalid")
        return int(text)


class Filters(Input):
    """Query parameters of a list, hence texts."""

    limit = serializers.IntegerField(
        required=False,
        default=50,
        min_value=1,
        max_value=LARGEST_PAGE,
        help_text="At most so many in one answer.",
    )


class Page(Filters):
    """Query parameters of a list in the order of ids."""

    after = Position(required=False, default=None, help_text="`next` of the answer before.")


class ProjectPage(Page):
    company = Position(required=False, default=None, help_text="Only projects of this company.")
    name = serializers.CharField(
        required=False, default="", max_length=100, allow_blank=True, help_text="Only names with this part."
    )


FIRST_PAGE: dict[str, Any] = {"after": None, "limit": LARGEST_PAGE}
"""For a change that answers the list as it is then."""


def by_id(
    rows: QuerySet[Row],
    *,
    after: int | None,
    limit: int,
    by: str = "id",
    latest_first: bool = False,
) -> tuple[list[Row], str | None]:
    """The rows of a page in the order of their ids, and where the next page begins, None after the last one.

    :param by: whose id it is, like `company_id`.
    """
    if after is not None:
        rows = rows.filter(**{f"{by}__{'lt' if latest_first else 'gt'}": after})
    ordered = rows.order_by(f"-{by}" if latest_first else by)
    return cut(ordered, limit=limit, position=lambda row: str(getattr(row, by)))


def cut(rows: QuerySet[Row], *, limit: int, position: Callable[[Row], str]) -> tuple[list[Row], str | None]:
    """The first rows, and the position of the last of them if there are more."""
    # One more than wanted shows whether there is a next page.
    found = list(rows[: limit + 1])
    page = found[:limit]
    return page, position(page[-1]) if len(found) > limit else None
