"""The addresses of the device's page."""

from django.urls import path

from appliance import views

urlpatterns = [
    path("", views.general_license, name="license"),
    path("fetch", views.fetch_licenses, name="fetch"),
    path("install", views.install_file, name="install"),
    path("reset", views.reset, name="reset"),
    path("licenses.lic", views.download, name="download"),
]
