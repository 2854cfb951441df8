"""Addresses under /api/v1/: orders and customers. A number may hold a slash, as many books write it."""

from django.urls import path

from orders.api import customers, views

urlpatterns = [
    path("orders", views.Orders.as_view(), name="api-orders"),
    path(
        "orders/<path:number>/confirm-delivery",
        views.OrderDelivery.as_view(),
        name="api-order-confirm-delivery",
    ),
    path("orders/<path:number>/cancel", views.OrderCancellation.as_view(), name="api-order-cancel"),
    path("customers", customers.Customers.as_view(), name="api-customers"),
    path("customers/<path:number>", customers.OneCustomer.as_view(), name="api-customer"),
    path("orders/<path:number>", views.OneOrder.as_view(), name="api-order"),
]
