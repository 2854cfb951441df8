"""The addresses of the staff pages about orders, certificates, products and customers."""

from django.urls import path

from orders.web import certificates, products

urlpatterns = [
    path("products", products.products, name="staff-products"),
    path("products/new", products.add, name="staff-product-add"),
    path("products/<int:product_id>", products.product, name="staff-product"),
    path("orders/<int:order_id>/certificate", certificates.certificate, name="staff-certificate"),
]
