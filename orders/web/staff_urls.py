"""The addresses of the staff pages about orders, certificates, products and customers."""

from django.urls import path

from orders.web import certificates

urlpatterns = [
    path("orders/<int:order_id>/certificate", certificates.certificate, name="staff-certificate"),
]
