"""Which notices a person gets."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.mail_kinds import Topic
from accounts.models import UnwantedNotice, User
from portal.core import audit
from portal.core.acts import Caller


@transaction.atomic(durable=True)
def choose_notices(*, user: User, wanted: Collection[str], caller: Caller, now: datetime) -> None:
    """Get the notices of these topics from now on, and no others. Mails without a topic come in any case."""
    unwanted = sorted(set(Topic) - set(wanted))
    UnwantedNotice.objects.filter(user=user).exclude(topic__in=unwanted).delete()
    UnwantedNotice.objects.bulk_create(
        [UnwantedNotice(user=user, topic=topic) for topic in unwanted], ignore_conflicts=True
    )
    audit.record("notices-chosen", caller=caller, now=now, without=list(unwanted))
