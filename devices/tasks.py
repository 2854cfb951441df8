"""Jobs of the outbox. Each makes one call and may run twice."""

from datetime import datetime, timedelta
from typing import Any

from devices import alert_digest
from portal.core import outbox, schedule

# More often than it writes: so the day's mail comes soon after what it tells of, or after a standstill.
schedule.every(timedelta(hours=1), "digest-of-alerts")


@outbox.handler("digest-of-alerts")
def digest_of_alerts(*, now: datetime, **arguments: Any) -> None:
    """Tell those who may settle alerts what is new, once a day."""
    alert_digest.send_digest(now=now)
