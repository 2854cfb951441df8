"""The portal with one page more: the floor of its pages, behind the same middleware."""

from portal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.floors.page_urls"
INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.floors"]  # noqa: F405
# Without `collectstatic`, which a page needs otherwise: a look into a dictionary for each file it names.
STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
