"""Jobs of the outbox. Each makes one call and may run twice."""

from datetime import datetime, timedelta
from typing import Any

# history_export brings a kind of long job.
from licenses import delivery, fulfilment, history_export, moves, reminders, trials  # noqa: F401
from portal.core import outbox, schedule


@outbox.handler("forget-activation-code")
def forget_activation_code(*, now: datetime, **arguments: Any) -> None:
    """Delete the encrypted codes of keys whose seven days are over (mission rule 8)."""
    # Jobs of releases before named one key.
    key_ids = arguments["key_ids"] if "key_ids" in arguments else [arguments["key_id"]]
    fulfilment.forget_codes(key_ids=key_ids, now=now)


@outbox.handler("sign-license-document")
def sign_license_document(*, now: datetime, **arguments: Any) -> None:
    """Sign a new license document before the first device asks for it (mission rule 13)."""
    delivery.sign_document(document_id=arguments["document_id"])


@outbox.handler("tidy-test-license")
def tidy_test_license(*, now: datetime, **arguments: Any) -> None:
    """Put away the grants of a test license that has ended (mission rule 21)."""
    trials.tidy_test_license(test_license_id=arguments["test_license_id"], now=now)


@outbox.handler("tidy-move")
def tidy_move(*, now: datetime, **arguments: Any) -> None:
    """Write down that a move has expired (mission rule 25)."""
    moves.tidy_move(move_id=arguments["move_id"], now=now)


schedule.every(timedelta(minutes=10), "remind-of-test-licenses")


@outbox.handler("remind-of-test-licenses")
def remind_of_test_licenses(*, now: datetime, **arguments: Any) -> None:
    """Tell people that test licenses end (mission rule 23)."""
    reminders.remind(now=now)
