"""The portal's settings, cut down to nothing: no middleware, our own addresses, the floors' own tables."""

from portal.settings import *  # noqa: F403

# As for devices: allauth insists on middleware.
INSTALLED_APPS = [
    *(app for app in INSTALLED_APPS if not app.startswith("allauth")),  # noqa: F405
    "benchmarks.floors",
]
MIDDLEWARE = []
ROOT_URLCONF = "benchmarks.floors.urls"
