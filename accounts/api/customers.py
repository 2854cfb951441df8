"""REST doors on the vendor's customer list."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import customers, queries
from accounts.api import inputs, outputs
from accounts.api.doors import Door
from accounts.api.reference import operation
from accounts.customers import CustomerLinked, CustomerUnknown, CustomerWithoutAddress
from accounts.queries import AdminNeeded, NoSuchCompany
from accounts.requests import caller, idempotency_key, person
from accounts.scopes import CompanyImported
from portal.core import clock
from portal.core.throttle import RateLimited


class CustomerLookUp(Door):
    @operation(
        "look-up-customer",
        "Look up a customer",
        takes=inputs.CustomerNamed,
        answer=outputs.Customer,
        refusals=(RateLimited, CustomerUnknown),
    )
    def post(self, request: Request) -> Response:
        """By account number and postal code, to fill in a form. It changes and proves nothing."""
        given = inputs.CustomerNamed.read(request.data)
        found = customers.look_up(
            number=given["number"],
            postal_code=given["postal_code"],
            caller=caller(request, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Customer(found).data)


class CustomerLinkMail(Door):
    @operation(
        "mail-customer-link",
        "Have a company linked to its customer account",
        takes=inputs.CustomerNamed,
        answer=outputs.Customer,
        refusals=(
            NoSuchCompany,
            AdminNeeded,
            RateLimited,
            CustomerUnknown,
            CustomerLinked,
            CustomerWithoutAddress,
            CompanyImported,
        ),
    )
    def post(self, request: Request, company_id: int) -> Response:
        """A mail goes to the address in the customer list; whoever opens its link links the company.

        For admins of the company.
        """
        given = inputs.CustomerNamed.read(request.data)
        company = queries.get_company(company_id=company_id, user=person(request), admin=True)
        account = customers.mail_link(
            company=company,
            number=given["number"],
            postal_code=given["postal_code"],
            caller=caller(request, company=company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Customer(account).data)
