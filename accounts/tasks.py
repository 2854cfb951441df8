"""Jobs of the outbox. Each makes one call and may run twice."""

from datetime import datetime, timedelta
from typing import Any

from accounts import mails, people
from portal.core import outbox, schedule


@outbox.handler("send-mail")
def send_mail(*, now: datetime, **arguments: Any) -> None:
    """Send a mail. Sent twice, because a worker died behind the server's answer, it is the same mail."""
    mails.send(mail_id=arguments["mail_id"], now=now)


@outbox.handler("forget-registration")
def forget_registration(*, now: datetime, **arguments: Any) -> None:
    """Delete a registration that was never activated."""
    people.forget_registration(user_id=arguments["user_id"])


schedule.every(timedelta(days=1), "forget-old-mails")


@outbox.handler("forget-old-mails")
def forget_old_mails(*, now: datetime, **arguments: Any) -> None:
    """Delete the rows of mails that ended long ago."""
    mails.forget_old(now=now)
