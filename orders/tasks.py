"""Jobs of the outbox. Each makes one call and may run twice."""

from datetime import datetime, timedelta
from typing import Any

from orders import outcomes, uploads
from portal.core import outbox, schedule

__all__ = ["uploads"]  # the long job that enters a list of orders

schedule.every(timedelta(days=1), "sum-up-months")


@outbox.handler("sum-up-months")
def sum_up_months(*, now: datetime, **arguments: Any) -> None:
    """Sum up what happened with each product in the months that are over."""
    outcomes.sum_up_months(now=now)
