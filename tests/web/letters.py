"""The mails that the portal sent, as their readers get them: through the outbox and the worker."""

import re
from urllib.parse import urlsplit

from django.core import mail
from django.core.mail import EmailMessage

from accounts import tasks  # noqa: F401 - registers the worker's handlers
from portal.core import clock, outbox


def arrived() -> list[EmailMessage]:
    """All mails of the test so far, oldest first, after the worker has had its turn."""
    while outbox.work_off(clock=clock.now):
        pass
    return list(mail.outbox)


def letter(to: str) -> EmailMessage:
    """The newest mail to an address."""
    return [one for one in arrived() if one.to == [to]][-1]


def link_in(message: EmailMessage) -> str:
    """The path of the one link in a mail."""
    [link] = re.findall(r"https?://\S+", str(message.body))
    path: str = urlsplit(link).path
    return path
