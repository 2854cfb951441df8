"""The addresses of the staff pages about orders, certificates, products and customers."""

from django.urls import path

from orders.web import certificates, customers, orders, outcomes, products, uploads

urlpatterns = [
    path("outcomes", outcomes.page, name="staff-outcomes"),
    path("customers", customers.customers, name="staff-customers"),
    path("customers/check", customers.check, name="staff-customers-check"),
    path("customers/load", customers.load, name="staff-customers-load"),
    path("orders", orders.orders, name="staff-orders"),
    path("orders/enter", orders.enter, name="staff-order-enter"),
    path("orders/upload", uploads.upload, name="staff-order-upload"),
    path("orders/lists/<uuid:upload_id>", uploads.one_list, name="staff-order-list"),
    path("orders/lists/<uuid:upload_id>/problems.csv", uploads.problems, name="staff-order-list-problems"),
    path("orders/lists/<uuid:upload_id>/keys", uploads.keys, name="staff-order-list-keys"),
    path("orders/<int:order_id>", orders.order, name="staff-order"),
    path("orders/<int:order_id>/cancel", orders.cancel, name="staff-order-cancel"),
    path("orders/<int:order_id>/keys/<int:key_id>/replace", orders.replace_key, name="staff-key-replace"),
    path("products", products.products, name="staff-products"),
    path("products/new", products.add, name="staff-product-add"),
    path("products/<int:product_id>", products.product, name="staff-product"),
    path("orders/<int:order_id>/certificate", certificates.certificate, name="staff-certificate"),
]
