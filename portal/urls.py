"""The portal's addresses. Device doors are here as well, so that one process can serve everything."""

from django.urls import include, path

from portal.core import gallery, pages

urlpatterns = [
    path("", include("portal.device_urls")),
    path("", include("accounts.web.urls")),
    path("", include("licenses.web.urls")),
    path("staff/", include("devices.web.urls")),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("licenses.api.urls")),
    path("problems/<slug:code>", pages.explain, name="problem"),
    path("components", gallery.components, name="components"),
]

handler400 = "portal.core.pages.bad_request"
handler403 = "portal.core.pages.forbidden"
handler404 = "portal.core.pages.not_found"
handler429 = "portal.core.pages.too_often"
handler500 = "portal.core.pages.internal_error"
