"""REST doors on orders. Codes stand in the answer to whoever enters one, never in an address or a log."""

from http import HTTPStatus

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.inputs import Nothing
from accounts.api.reference import operation
from accounts.api.vendor import VENDOR_REFUSALS, VendorDoor, vendor_caller
from accounts.models import VendorToken
from accounts.permissions import Permission
from accounts.requests import idempotency_key
from licenses import fulfilment, order_queries
from licenses.api import dry_runs
from licenses.catalogue_queries import ProductDiscontinued
from licenses.fulfilment import OrderActivated, OrderCanceled
from licenses.issuing import (
    OrderAccountUnknown,
    OrderNeedsLines,
    OrderNeedsNumber,
    OrderNumberTaken,
    OrderTextTooLong,
)
from licenses.ledger import QuantityOutOfRange
from licenses.order_queries import NoSuchOrder
from licenses.queries import NoSuchProduct
from orders import posting
from orders.api import inputs, outputs
from portal.core import clock
from portal.core.acts import ReasonNeeded
from portal.core.problems import MalformedInput
from portal.core.throttle import RateLimited

SCOPE = VendorToken.Scope.ORDERS
REFUSED_ORDERS = (
    OrderNeedsNumber,
    OrderNeedsLines,
    OrderTextTooLong,
    OrderAccountUnknown,
    QuantityOutOfRange,
    NoSuchProduct,
    ProductDiscontinued,
    OrderNumberTaken,
    RateLimited,
)


class Orders(VendorDoor):
    @operation(
        "list-orders",
        "List the orders",
        scope=SCOPE,
        answer=outputs.OrderList,
        parameters=(inputs.OrderPage,),
        refusals=(*VENDOR_REFUSALS, MalformedInput),
    )
    def get(self, request: Request) -> Response:
        """All that match, the latest first, with what became of their keys."""
        wanted, page = inputs.OrderPage.split(request.query_params.dict())
        vendor_caller(request, Permission.ORDERS)
        found, following = paging.by_id(order_queries.find_orders(**wanted), latest_first=True, **page)
        return Response(outputs.OrderList({"orders": outputs.told(found), "next": following}).data)

    @operation(
        "place-order",
        "Enter an order",
        scope=SCOPE,
        takes=inputs.NewOrder,
        answer=outputs.EnteredOrder,
        status=HTTPStatus.CREATED,
        dry_run=outputs.OrderDryRun,
        parameters=(dry_runs.Asked,),
        refusals=(*VENDOR_REFUSALS, *REFUSED_ORDERS),
    )
    def post(self, request: Request) -> Response:
        """Makes its activation keys. The number makes it one order, with or without an Idempotency-Key: sent
        again it gets the same codes, until delivery is confirmed or seven days are over; with other content
        it is refused."""
        is_dry_run = dry_runs.is_asked_by(request)
        order = inputs.NewOrder.order(request.data)
        who = vendor_caller(request, Permission.ORDERS, key=idempotency_key(request))
        now = clock.now()
        if is_dry_run:
            before, after = posting.rehearse_order(order=order, caller=who, now=now)
            tried = {"dry_run": True, "keys_before": before, "keys_after": after}
            return Response(outputs.OrderDryRun(tried).data)
        placed = posting.post_order(order=order, caller=who, now=now)
        return Response(outputs.EnteredOrder(outputs.told_with_codes(placed)).data, status=HTTPStatus.CREATED)


class OneOrder(VendorDoor):
    @operation(
        "get-order",
        "Get an order",
        scope=SCOPE,
        answer=outputs.OneOrder,
        refusals=(*VENDOR_REFUSALS, NoSuchOrder),
    )
    def get(self, request: Request, number: str) -> Response:
        """By its number, with what became of its keys; never with their codes."""
        vendor_caller(request, Permission.ORDERS)
        return _answer(number)


class OrderDelivery(VendorDoor):
    @operation(
        "confirm-delivery",
        "Confirm that the customer has the keys",
        scope=SCOPE,
        takes=Nothing,
        answer=outputs.OneOrder,
        refusals=(*VENDOR_REFUSALS, NoSuchOrder, OrderCanceled),
    )
    def post(self, request: Request, number: str) -> Response:
        """The codes are forgotten: whoever repeats the order afterwards gets it without them."""
        Nothing.read(request.data)
        who = vendor_caller(request, Permission.ORDERS, key=idempotency_key(request))
        fulfilment.confirm_delivery(order=order_queries.get_order(number), caller=who, now=clock.now())
        return _answer(number)


class OrderCancellation(VendorDoor):
    @operation(
        "cancel-order",
        "Cancel an order",
        scope=SCOPE,
        takes=inputs.Cancellation,
        answer=outputs.OneOrder,
        refusals=(*VENDOR_REFUSALS, NoSuchOrder, OrderActivated, ReasonNeeded),
    )
    def post(self, request: Request, number: str) -> Response:
        """As long as none of its keys was activated. All of them are dead then, for good."""
        given = inputs.Cancellation.read(request.data)
        who = vendor_caller(request, Permission.ORDERS, key=idempotency_key(request), reason=given["reason"])
        fulfilment.cancel_order(order=order_queries.get_order(number), caller=who, now=clock.now())
        return _answer(number)


def _answer(number: str) -> Response:
    [told] = outputs.told([order_queries.get_order(number)])
    return Response(outputs.OneOrder(told).data)
