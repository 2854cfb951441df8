"""REST doors on the vendor's customer list, for the ERP that keeps it (mission rule 2)."""

from dataclasses import asdict
from datetime import datetime

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import customer_lists
from accounts.api import paging
from accounts.api.reference import operation
from accounts.api.vendor import VENDOR_REFUSALS, VendorDoor, vendor_caller
from accounts.customer_lists import CustomerNotListed
from accounts.customer_rows import Customer, CustomerListMalformed
from accounts.models import VendorToken
from accounts.permissions import Permission
from accounts.requests import idempotency_key
from licenses.api import dry_runs
from orders.api import customer_shapes as shapes
from portal.core import acts, clock, throttle
from portal.core.acts import Caller
from portal.core.problems import MalformedInput
from portal.core.throttle import Limit, RateLimited

SCOPE = VendorToken.Scope.CUSTOMERS


class Customers(VendorDoor):
    @operation(
        "list-customers",
        "List the customers",
        scope=SCOPE,
        answer=shapes.ListedCustomers,
        parameters=(shapes.CustomerPage,),
        refusals=(*VENDOR_REFUSALS, MalformedInput),
    )
    def get(self, request: Request) -> Response:
        """Each with the company that is linked to it, in the order of the portal's own numbers."""
        given = shapes.CustomerPage.read(request.query_params.dict())
        vendor_caller(request, Permission.CUSTOMERS)
        found, following = paging.by_id(
            customer_lists.find_customers(given["q"]), after=given["after"], limit=given["limit"]
        )
        return Response(shapes.ListedCustomers({"customers": found, "next": following}).data)

    @operation(
        "load-customers",
        "Add customers and bring them up to date",
        scope=SCOPE,
        takes=shapes.NewCustomers,
        answer=shapes.LoadedCustomers,
        dry_run=shapes.CustomersDryRun,
        parameters=(dry_runs.Asked,),
        refusals=(*VENDOR_REFUSALS, CustomerListMalformed, RateLimited),
    )
    def post(self, request: Request) -> Response:
        """All of them or none. Who is not named stays, and so does every link to a company; sent again they
        change nothing. What is wrong is said customer by customer in `problems`, counted from 1."""
        is_dry_run = dry_runs.is_asked_by(request)
        customers = shapes.NewCustomers.customers_of(request.data)
        who = vendor_caller(request, Permission.CUSTOMERS, key=idempotency_key(request))
        now = clock.now()
        _count(customers, caller=who, now=now)
        if is_dry_run:
            tried, _after = acts.rehearse(
                customer_lists.load_customers,
                observe=lambda: customer_lists.compare(customers),
                customers=customers,
                caller=who,
                now=now,
            )
            return Response(shapes.CustomersDryRun({"dry_run": True, **asdict(tried)}).data)
        loaded = customer_lists.load_customers(customers=customers, caller=who, now=now)
        return Response(shapes.LoadedCustomers({"loaded": loaded.lines, **asdict(loaded)}).data)


class OneCustomer(VendorDoor):
    @operation(
        "get-customer",
        "Get a customer",
        scope=SCOPE,
        answer=shapes.ListedCustomer,
        refusals=(*VENDOR_REFUSALS, CustomerNotListed),
    )
    def get(self, request: Request, number: str) -> Response:
        """By the account number, with the company that is linked to it."""
        vendor_caller(request, Permission.CUSTOMERS)
        return Response(shapes.ListedCustomer(customer_lists.get_customer(number)).data)


def _count(customers: list[Customer], *, caller: Caller, now: datetime) -> None:
    """:raises RateLimited: too many parts of the list by this program or person within a minute."""
    limit = Limit(name="customer-lists", times=settings.CUSTOMER_LISTS_PER_MINUTE, seconds=60)
    call = acts.call_id("load-customers", caller, {"list": [asdict(customer) for customer in customers]})
    throttle.hit(limit, caller.scope, now=now, call=call)
