"""The addresses of the staff pages about orders, certificates, products and customers."""

from django.urls import path

from orders.web import certificates, customers, outcomes, products

urlpatterns = [
    path("outcomes", outcomes.page, name="staff-outcomes"),
    path("customers", customers.customers, name="staff-customers"),
    path("customers/check", customers.check, name="staff-customers-check"),
    path("customers/load", customers.load, name="staff-customers-load"),
    path("products", products.products, name="staff-products"),
    path("products/new", products.add, name="staff-product-add"),
    path("products/<int:product_id>", products.product, name="staff-product"),
    path("orders/<int:order_id>/certificate", certificates.certificate, name="staff-certificate"),
]
