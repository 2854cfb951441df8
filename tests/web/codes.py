"""An authenticator app, written from RFC 6238, so that the portal's arithmetic is not its own judge."""

import base64
import hashlib
import hmac
import time

from allauth.mfa.models import Authenticator

from accounts.models import User


def code_of(secret: str) -> str:
    """The six digits that an app shows now for a secret in base 32."""
    step = int(time.time()) // 30
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    place = digest[-1] & 15
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def second_factor(user: User, *, kind: str = "totp") -> Authenticator:
    """A second factor of somebody, whose secret nobody in the test needs."""
    return Authenticator.objects.create(user=user, type=kind, data={"secret": "none"})
