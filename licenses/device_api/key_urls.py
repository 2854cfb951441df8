"""Where key sets are published (trust.md 6)."""

from django.urls import path

from licenses.device_api import views

urlpatterns = [
    path("keys/keyset.json", views.key_set, name="key-set"),
    path("keys/<int:version>.json", views.key_set, name="key-set-version"),
    path(".well-known/jwks.json", views.jwks, name="jwks"),
]
