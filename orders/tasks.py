"""Jobs of the outbox. Each makes one call and may run twice."""

from datetime import datetime, timedelta
from typing import Any

from orders import outcomes, upload_checks, uploads
from portal.core import outbox, schedule

__all__ = ["uploads"]  # the long job that enters a list of orders; upload_checks has the one that checks it

schedule.every(timedelta(days=1), "sum-up-months")
schedule.every(timedelta(hours=6), "tidy-order-uploads")


@outbox.handler("sum-up-months")
def sum_up_months(*, now: datetime, **arguments: Any) -> None:
    """Sum up what happened with each product in the months that are over."""
    outcomes.sum_up_months(now=now)


@outbox.handler("tidy-order-uploads")
def tidy_order_uploads(*, now: datetime, **arguments: Any) -> None:
    """Erase lists that nobody confirmed within seven days, and those that were entered thirty days ago."""
    upload_checks.tidy_uploads(now=now)
