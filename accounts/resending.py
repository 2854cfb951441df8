"""Sending a mail once more, at the word of support."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import mails
from accounts.models import Mail
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict


class MailIsWaiting(Conflict):
    code = "mail-is-waiting"
    title = _("The mail waits for its turn already.")
    why = _("It is tried again by itself, for three days. A second one beside it would arrive twice.")
    way_out = _("Wait for the next try. If the mail server is away, mend that first.")


class MailBodyErased(Conflict):
    code = "mail-body-erased"
    title = _("The words of this mail are not kept.")
    why = _(
        "It held a link that lets somebody in. Such a mail is erased once it was sent or given up, so that "
        "nobody who reads the database can follow the link."
    )
    way_out = _("Let the person ask for a new one: by the same form, or by a new invitation.")


@transaction.atomic(durable=True)
def resend_mail(*, mail: Mail, caller: Caller, now: datetime) -> Mail:
    """Send the words of a mail once more, as a new mail.

    :raises MailIsWaiting: it has not been given up, and not been sent.
    :raises MailBodyErased: its words are not kept.
    """
    act = acts.begin(operation="resend-mail", caller=caller, given={"mail": mail.pk}, now=now)
    if act.outcome is not None:
        return Mail.objects.filter(pk=act.outcome["mail"]).first() or mail
    mail = Mail.objects.select_for_update(of=("self",), no_key=True).get(pk=mail.pk)
    if mail.state == Mail.State.QUEUED:
        raise MailIsWaiting
    if not mail.text or not mail.to:
        raise MailBodyErased
    again = mails.write_again(mail, now=now)
    # By the number of the row: entries stay for ever, and addresses must not.
    audit.record("mail-resent", caller=caller, now=now, act=act, mail=mail.pk, kind=mail.kind)
    acts.finish(act, outcome={"mail": again.pk})
    return again
