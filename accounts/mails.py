"""Mails: written as rows of the outbox, in the transaction of what they tell of; the worker sends them.

A mail is one text (`<template>_subject.txt`, `<template>_message.txt`), paragraphs parted by empty lines. The
HTML part is made from it: a paragraph that is an address becomes a button. The row holds what is sent, links
included, until it is sent; then it is deleted.
"""

import smtplib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from portal.core import outbox

KEPT = timedelta(days=3)
"""After that the links in a mail are dead, and so is the mail server it waits for."""

log = structlog.get_logger(__name__)


def write(template: str, *, to: str, language: str, context: Mapping[str, Any], now: datetime) -> None:
    """Put a mail into the outbox, in a person's language, in the current transaction.

    :param template: like "account/email/password_changed".
    """
    with translation.override(language):
        subject = " ".join(render_to_string(f"{template}_subject.txt", dict(context)).split())
        text = render_to_string(f"{template}_message.txt", dict(context)).strip() + "\n"
        html = render_to_string(
            "account/email/mail.html",
            {"subject": subject, "paragraphs": _paragraphs(text), "language": language},
        )
    outbox.put("send-mail", now=now, to=to, subject=subject, text=text, html=html, written_at=now.isoformat())


def send(*, to: str, subject: str, text: str, html: str, written_at: datetime, now: datetime) -> None:
    """Hand a mail to the mail server. One that is too old, or that the server will never take, is given up.

    :raises OSError: the mail server cannot be reached or does not want it now; the outbox tries again.
    """
    if now - written_at > KEPT:
        log.warning("mail given up", why="older than its links", written_at=written_at.isoformat())
        return
    mail = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [to])
    mail.attach_alternative(html, "text/html")
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        if any(code < 500 for code, _ in error.recipients.values()):
            raise
        # Without the address: it is a person's, and the log is kept.
        log.warning("mail given up", why="the address is refused for good")


def _paragraphs(text: str) -> list[dict[str, Any]]:
    parts = [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
    return [
        {"text": part, "link": part.startswith(("https://", "http://")) and " " not in part} for part in parts
    ]
