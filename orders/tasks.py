"""Jobs of the outbox. Each makes one call and may run twice."""

from datetime import datetime, timedelta
from typing import Any

from orders import outcomes
from portal.core import outbox, schedule

schedule.every(timedelta(days=1), "sum-up-months")


@outbox.handler("sum-up-months")
def sum_up_months(*, now: datetime, **arguments: Any) -> None:
    """Sum up what happened with each product in the months that are over."""
    outcomes.sum_up_months(now=now)
