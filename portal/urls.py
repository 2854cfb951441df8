"""The portal's addresses. Device doors are here as well, so that one process can serve everything."""

from django.urls import include, path

from accounts.middleware import open_without_terms

# What only commands refuse has a help page as well, so its classes have to be known here.
from devices import seq_floors  # noqa: F401
from licenses import fulfilment, key_ceremony, key_replacement, order_queries  # noqa: F401
from portal.core import gallery, pages
from support.web import stock_admin

_API = [
    path("", include("licenses.api.urls")),
    path("", include("accounts.api.urls")),
    path("", include("orders.api.urls")),
]
urlpatterns = [
    # First, and by themselves: addresses are tried in turn, and programs ask most.
    path("api/v1/", include(_API)),
    path("", include("portal.device_urls")),
    path("", include("accounts.web.urls")),
    path("", include("licenses.web.urls")),
    path("", include("orders.web.urls")),
    path("staff/", include("support.web.urls")),
    path("staff/", include("devices.web.urls")),
    path("staff/", include("licenses.web.staff_urls")),
    path("staff/", include("accounts.web.staff_urls")),
    path("staff/", include("orders.web.staff_urls")),
    path("admin/", stock_admin.site.urls),
    path("problems/<slug:code>", open_without_terms(pages.explain), name="problem"),
    path("components", gallery.components, name="components"),
]

handler400 = "portal.core.pages.bad_request"
handler403 = "portal.core.pages.forbidden"
handler404 = "portal.core.pages.not_found"
handler429 = "portal.core.pages.too_often"
handler500 = "portal.core.pages.internal_error"
