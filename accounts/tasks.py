"""Jobs of the outbox. Each makes one call and may run twice."""

from datetime import datetime
from typing import Any

from accounts import mails, people
from portal.core import outbox


@outbox.handler("send-mail")
def send_mail(*, now: datetime, **arguments: Any) -> None:
    """Send a mail. Sent twice, because a worker died behind the server's answer, it harms nobody."""
    mails.send(
        to=arguments["to"],
        subject=arguments["subject"],
        text=arguments["text"],
        html=arguments["html"],
        written_at=datetime.fromisoformat(arguments["written_at"]),
        now=now,
    )


@outbox.handler("forget-registration")
def forget_registration(*, now: datetime, **arguments: Any) -> None:
    """Delete a registration that was never activated."""
    people.forget_registration(user_id=arguments["user_id"])
