"""The addresses of the pages about a company's orders."""

from django.urls import path

from orders.web import company_orders

urlpatterns = [
    path("companies/<int:company_id>/orders", company_orders.company_orders, name="company-orders"),
    path(
        "companies/<int:company_id>/orders/<int:order_id>/keys/<int:key_id>/lost",
        company_orders.lost_key,
        name="company-lost-key",
    ),
]
