"""Addresses of the floors."""

from django.urls import path

from benchmarks.floors import views

urlpatterns = [
    path("page", views.page),
    path("select/<str:hardware_id>", views.select),
    path("verify/<str:hardware_id>", views.verify),
    path("statement", views.statement_of_a_device),
    path("redeem/<int:balance_id>", views.redeem),
    path("activate/<int:project_id>", views.activate),
    path("assign/<str:hardware_id>", views.assign),
]
