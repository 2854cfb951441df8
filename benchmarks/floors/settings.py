"""The portal's settings, cut down to nothing: no middleware, our own addresses, the floors' own tables."""

from portal.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.floors"]  # noqa: F405
MIDDLEWARE = []
ROOT_URLCONF = "benchmarks.floors.urls"
