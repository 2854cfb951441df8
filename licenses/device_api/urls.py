"""Addresses under /device/v1/ (trust.md 9)."""

from django.urls import path

from licenses.device_api import views

urlpatterns = [
    path("directory", views.directory, name="device-directory"),
    path("new-nonce", views.new_nonce, name="device-new-nonce"),
    path("licenses", views.licenses, name="device-licenses"),
    path("returns", views.returned, name="device-returns"),
    path("acks", views.acknowledged, name="device-acks"),
    path("claims", views.claimed, name="device-claims"),
]
