"""The device doors: all that portal/device_wsgi.py serves, and a part of what portal/wsgi.py serves."""

from django.urls import include, path

from portal.core import health

urlpatterns = [
    path("device/v1/", include("licenses.device_api.urls")),
    path("", include("licenses.device_api.key_urls")),
    path("healthz", health.live, name="healthz"),
]

handler400 = "portal.core.pages.bad_request"
handler403 = "portal.core.pages.forbidden"
handler404 = "portal.core.pages.not_found"
handler500 = "portal.core.pages.internal_error"
