"""Mails: written as rows, in the transaction of what they tell of; the worker sends them.

A mail is one text (`<template>_subject.txt`, `<template>_message.txt`), paragraphs parted by empty lines. The
HTML part is made from it: a paragraph that is an address becomes a button. What comes of a row is seen by
support, and by the company it concerns; a body with a secret in it is erased when it is sent or given up.

A worker that dies between the server's answer and the commit leaves a row that waits: it is sent once more,
under the same Message-ID (docs/decisions/0019).
"""

import secrets
import smtplib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from accounts.mail_kinds import KINDS
from accounts.models import Mail, User
from portal.core import outbox

KEPT = timedelta(days=3)
"""How long a mail is tried; after that the links in it are dead, and so is the mail server it waits for."""
ROWS_KEPT = timedelta(days=90)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_ERROR = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A mail to be written: to whom, in which language, and with what in its template.

    recipient: the person, if it is one with an account.
    """

    to: str
    language: str
    context: Mapping[str, Any]
    recipient: User | None = None


def write(
    template: str,
    *,
    to: str,
    language: str,
    context: Mapping[str, Any],
    now: datetime,
    recipient: User | None = None,
    company_id: int | None = None,
    project_id: int | None = None,
) -> Mail:
    """Write a mail, in a person's language, in the current transaction.

    :param template: like "account/email/password_changed"; it names the kind.
    :param company_id: whom it concerns: the admins of the company see whether it arrived, unless its kind is
        personal.
    """
    letter = Letter(to=to, language=language, context=context, recipient=recipient)
    [mail] = write_all(template, [letter], now=now, company_id=company_id, project_id=project_id)
    return mail


def write_all(
    template: str,
    letters: Iterable[Letter],
    *,
    now: datetime,
    company_id: int | None = None,
    project_id: int | None = None,
) -> list[Mail]:
    """Write the same mail to several people, each in their language; two statements, however many."""
    kind = template.rpartition("/")[2].replace("_", "-")
    assert kind in KINDS, f"accounts.mail_kinds does not know {kind}"
    rows = []
    for letter in letters:
        subject, text, html = _rendered(template, letter)
        rows.append(
            Mail(
                message_id=_new_message_id(),
                kind=kind,
                recipient=letter.recipient,
                to=letter.to,
                language=letter.language,
                subject=subject,
                text=text,
                html=html,
                company_id=company_id,
                project_id=project_id,
                written_at=now,
                next_try_at=now,
            )
        )
    return _queue(rows, now=now)


def write_again(mail: Mail, *, now: datetime) -> Mail:
    """Queue a mail of the same words once more, as a mail of its own: under the old Message-ID a mailbox that
    has it would drop it unseen. Its body must not be erased."""
    again = Mail(
        message_id=_new_message_id(),
        written_at=now,
        next_try_at=now,
        **{
            name: getattr(mail, name)
            for name in (
                "kind",
                "recipient_id",
                "to",
                "language",
                "subject",
                "text",
                "html",
                "company_id",
                "project_id",
            )
        },
    )
    [made] = _queue([again], now=now)
    return made


def send(*, mail_id: int, now: datetime) -> None:
    """Hand a mail to the mail server, and write down what came of it, in a transaction of its own.

    One that the server will never take, or that is too old, is given up. One that has been sent, or is not
    there any more, is no mistake: jobs may run twice.

    :raises outbox.NotYet: the mail server cannot be reached or does not want it now.
    """
    mail = Mail.objects.select_related("recipient").filter(pk=mail_id, state=Mail.State.QUEUED).first()
    if mail is None:
        return
    if now - mail.written_at > KEPT:
        _end(mail, Mail.State.FAILED, error=mail.last_error or "older than its links", now=now)
        return
    # Counted before the try: a mail that kills its worker shows in its number of tries.
    Mail.objects.filter(pk=mail.pk).update(attempts=mail.attempts + 1)
    mail.attempts += 1
    message = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        settings.DEFAULT_FROM_EMAIL,
        [mail.to],
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(mail.html, "text/html")
    try:
        message.send()
    except (OSError, ValueError) as error:  # what smtplib raises is an OSError
        why = _without_address(error, mail.to)
        if _for_good(error):
            _end(mail, Mail.State.FAILED, error=why, now=now)
            return
        pause = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(mail.attempts, 12)))
        Mail.objects.filter(pk=mail.pk, state=Mail.State.QUEUED).update(
            next_try_at=now + pause, last_error=why
        )
        raise outbox.NotYet(until=now + pause, why=why) from error
    _end(mail, Mail.State.SENT, error="", now=now)


def forget_invitation(*, address: str, company_id: int, now: datetime) -> None:
    """An invitation has ended: nobody needs its address any more, and a mail that waits is of no use."""
    mails = Mail.objects.filter(kind="invitation", to__iexact=address, company_id=company_id)
    for mail in mails.filter(state=Mail.State.QUEUED):
        _end(mail, Mail.State.FAILED, error="the invitation has ended", now=now)
    mails.update(to="")


def forget_person(user: User) -> None:
    """A person leaves: what was sent to them keeps no address and no words. A mail that waits still goes out,
    and is forgotten then."""
    user.mails.exclude(state=Mail.State.QUEUED).update(to="", subject="", text="", html="")


def forget_old(*, now: datetime) -> int:
    """Delete the rows of mails that ended long ago. Returns how many."""
    deleted, _by_model = Mail.objects.filter(ended_at__lt=now - ROWS_KEPT).delete()
    return deleted


def _queue(rows: list[Mail], *, now: datetime) -> list[Mail]:
    if not rows:
        return []
    with transaction.atomic():  # a mail without its job would wait for ever
        made = Mail.objects.bulk_create(rows)
        outbox.put_all("send-mail", [{"mail_id": mail.pk} for mail in made], now=now)
    return made


def _end(mail: Mail, state: Mail.State, *, error: str, now: datetime) -> None:
    gone = mail.recipient is not None and mail.recipient.left_at is not None
    ended: dict[str, Any] = {"state": state, "ended_at": now, "next_try_at": None, "last_error": error}
    if gone or KINDS[mail.kind].secret:
        ended |= {"text": "", "html": ""}
    if gone:
        ended |= {"to": "", "subject": ""}
    Mail.objects.filter(pk=mail.pk, state=Mail.State.QUEUED).update(**ended)
    if state == Mail.State.FAILED:
        # Without the address: it is a person's, and the log is kept.
        log.warning("mail given up", mail=mail.pk, kind=mail.kind, why=error)


def _for_good(error: Exception) -> bool:
    """Whether the mail server will never take it, or it cannot even be written down."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code >= 500
    return isinstance(error, ValueError | smtplib.SMTPNotSupportedError)


def _without_address(error: Exception, address: str) -> str:
    said = str(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        said = "; ".join(f"{code} {_text(words)}" for code, words in error.recipients.values())
    elif isinstance(error, smtplib.SMTPResponseException):
        said = f"{error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {said}".replace(address, "…")[:LONGEST_ERROR]


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words


def _new_message_id() -> str:
    host = urlsplit(settings.PORTAL_ORIGINS[0]).hostname
    return f"<{secrets.token_urlsafe(18)}@{host}>"


def _rendered(template: str, letter: Letter) -> tuple[str, str, str]:
    with translation.override(letter.language):
        context = dict(letter.context)
        subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
        text = render_to_string(f"{template}_message.txt", context).strip() + "\n"
        html = render_to_string(
            "account/email/mail.html",
            {"subject": subject, "paragraphs": _paragraphs(text), "language": letter.language},
        )
    return subject, text, html


def _paragraphs(text: str) -> list[dict[str, Any]]:
    parts = [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
    return [
        {"text": part, "link": part.startswith(("https://", "http://")) and " " not in part} for part in parts
    ]
