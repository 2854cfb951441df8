"""The addresses of the device's page."""

from django.urls import path

from appliance import portal_views, views

urlpatterns = [
    path("", views.general_license, name="license"),
    path("fetch", views.fetch_licenses, name="fetch"),
    path("install", views.install_file, name="install"),
    path("reset", views.reset, name="reset"),
    path("licenses.lic", views.download, name="download"),
    path("return", portal_views.confirm_return, name="confirm-return"),
    path("return/confirmed", portal_views.return_licenses, name="return"),
    path("return/send", portal_views.send_waiting_return, name="send-return"),
    path("return.jws", portal_views.download_return, name="download-return"),
    path("acknowledge", portal_views.tell_portal, name="acknowledge"),
    path("claim", portal_views.claim_device, name="claim"),
]
