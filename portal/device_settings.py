"""The portal's settings, cut down to what a device needs: no sessions, no sign-in, no pages."""

from portal.settings import *  # noqa: F403

METRICS_OF_ROWS = False
MIDDLEWARE = [
    "licenses.inside.Inside",
    "portal.core.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "portal.core.middleware.Refusals",
]
ROOT_URLCONF = "portal.device_urls"
# Accounts are for people; allauth insists on middleware that devices do without.
INSTALLED_APPS = [app for app in INSTALLED_APPS if not app.startswith(("allauth", "django.contrib.admin"))]
