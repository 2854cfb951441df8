"""The portal with one page more: the floor of its pages, behind the same middleware."""

from portal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.floors.page_urls"
INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.floors"]  # noqa: F405
