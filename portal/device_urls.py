"""The device doors: all that portal/device_wsgi.py serves, and a part of what portal/wsgi.py serves."""

from django.urls import include, path

from portal.core import health

urlpatterns = [
    path("device/v1/", include("licenses.device_api.urls")),
    path("", include("licenses.device_api.key_urls")),
    path("healthz", health.live, name="healthz"),
]

handler400 = "licenses.device_api.failures.bad_request"
handler403 = "licenses.device_api.failures.forbidden"
handler404 = "licenses.device_api.failures.not_found"
handler500 = "licenses.device_api.failures.internal_error"
