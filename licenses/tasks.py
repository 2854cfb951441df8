"""Jobs of the outbox. Each makes one call and may run twice."""

from datetime import datetime
from typing import Any

from licenses import delivery, fulfilment, trials
from portal.core import outbox


@outbox.handler("forget-activation-code")
def forget_activation_code(*, now: datetime, **arguments: Any) -> None:
    """Delete the encrypted code of a key whose seven days are over (mission rule 8)."""
    fulfilment.forget_code(key_id=arguments["key_id"], now=now)


@outbox.handler("sign-license-document")
def sign_license_document(*, now: datetime, **arguments: Any) -> None:
    """Sign a new license document before the first device asks for it (mission rule 13)."""
    delivery.sign_document(document_id=arguments["document_id"])


@outbox.handler("tidy-test-license")
def tidy_test_license(*, now: datetime, **arguments: Any) -> None:
    """Put away the grants of a test license that has ended (mission rule 21)."""
    trials.tidy_test_license(test_license_id=arguments["test_license_id"], now=now)
