"""The portal's settings, cut down to what a device needs: no sessions, no sign-in, no pages."""

from portal.settings import *  # noqa: F403

MIDDLEWARE = [
    "portal.core.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "portal.core.middleware.Refusals",
]
ROOT_URLCONF = "portal.device_urls"
