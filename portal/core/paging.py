"""Long lists page by page."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

MOST_PAGED = 10_000


class LatestFirst(Paginator):  # type: ignore[type-arg]
    """Pages of a list that only grows: its first `most` rows, which are those that people look for.

    It counts no further: a count of everything reads everything, for a number that helps nobody. Whoever
    wants what is behind narrows the list; `is_cut` says that there is more.
    """

    def __init__(self, rows: QuerySet[Any], per_page: int, *, most: int = MOST_PAGED) -> None:
        super().__init__(rows, per_page)
        self._most = most

    @cached_property
    def _counted(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by().values("pk")[: self._most + 1].count()

    @property
    def count(self) -> int:
        """Rows on all pages."""
        return min(self._counted, self._most)

    @property
    def is_cut(self) -> bool:
        """Whether there are rows that are on no page."""
        return self._counted > self._most
