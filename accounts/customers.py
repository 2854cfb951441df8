"""The vendor's customer list: look-up, and linking a company to an account of it (mission rule 2).

A look-up proves nothing and only fills in a form. A company is linked when somebody opens the link mailed to
the address in the list, or when fulfilment says so.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import mails, scopes
from accounts.models import Company, CustomerAccount, CustomerLink
from portal.core import acts, audit, throttle
from portal.core.acts import Caller
from portal.core.errors import Conflict, NotFound
from portal.core.models import Act
from portal.core.throttle import Limit

GOOD_FOR = timedelta(days=14)
LOOK_UPS = Limit(name="customer-look-up", times=20, seconds=3600)


class CustomerUnknown(NotFound):
    """One answer to an unknown number and to another postal code: it tells a guesser nothing."""

    code = "customer-unknown"
    title = _("There is no customer of this account number and postal code.")
    why = _(
        "The look-up only fills in the form for a customer who knows both. One answer to every miss keeps "
        "strangers from finding out who buys from the vendor."
    )
    way_out = _("Both stand on the vendor's invoices. Or go on without: nothing depends on it now.")
    source = "mission rule 2"


class CustomerLinked(Conflict):
    code = "customer-linked"
    title = _("This company, or this customer account, is linked already: one company to one account.")
    why = _(
        "A linked company may order, and have lost keys replaced. With two companies on one account, each "
        "could get what belongs to the other."
    )
    way_out = _("If that is a mistake, tell support.")
    source = "mission rule 2"


class CustomerWithoutAddress(Conflict):
    code = "customer-without-address"
    title = _("The customer list has no e-mail address for this account, so no link can be sent.")
    why = _(
        "The link goes only to the address the vendor already has, never to one typed in here. That is what "
        "proves that you are this customer."
    )
    way_out = _("Ask the vendor's fulfilment to link the company.")
    source = "mission rule 2"


class CustomerLinkDead(NotFound):
    code = "customer-link-dead"
    title = _("This link was used, is older than 14 days, or is none.")
    why = _(
        "Whoever opens the link speaks for the customer. So it works once and for a short time, in case the "
        "mail falls into other hands."
    )
    way_out = _("An admin of the company can have a new one sent.")
    source = "mission rule 2"


def look_up(*, number: str, postal_code: str, caller: Caller, now: datetime) -> CustomerAccount:
    """Find a customer for filling in a form. Name, town and country may be shown; the address may not.

    :raises RateLimited: too many look-ups by this user or address within the hour.
    :raises CustomerUnknown: number and postal code are not those of one customer.
    """
    subjects = [f"user:{caller.user_id}", *([f"address:{caller.address}"] if caller.address else [])]
    call = acts.call_id("look-up-customer", caller, {"number": number, "postal_code": postal_code})
    throttle.hit(LOOK_UPS, *subjects, now=now, call=call)
    # Read first and compared then: blanks and case do not matter, and both ways take the same.
    account = CustomerAccount.objects.filter(number=number.strip().upper()[:40]).first()
    if account is None or _plain(account.postal_code) != _plain(postal_code):
        raise CustomerUnknown
    return account


def mail_link(
    *, company: Company, number: str, postal_code: str, caller: Caller, now: datetime
) -> CustomerAccount:
    """Send a link to the address in the customer list; whoever opens it links the company.

    :raises RateLimited: too many look-ups by this user or address within the hour.
    :raises CustomerUnknown: number and postal code are not those of one customer.
    :raises CustomerLinked: the company or the account is linked already.
    :raises CustomerWithoutAddress: the list has no address.
    :raises CompanyImported: the company is only a name by now.
    """
    account = look_up(number=number, postal_code=postal_code, caller=caller, now=now)
    with transaction.atomic(durable=True):
        act = acts.begin(
            operation="mail-customer-link",
            caller=caller,
            given={"company": company.pk, "account": account.pk},
            now=now,
        )
        if act.outcome is not None:
            return account
        scopes.hold_company(company)
        _require_unlinked(company, account)
        if not account.email:
            raise CustomerWithoutAddress
        token = secrets.token_urlsafe(32)
        CustomerLink.objects.create(
            token_sha256=_hash(token), account=account, company=company, expires_at=now + GOOD_FOR
        )
        mails.write(
            "accounts/email/customer_link",
            to=account.email,
            language=get_language() or settings.LANGUAGE_CODE,
            context={
                "customer": account.name,
                "number": account.number,
                "company": company.name,
                "url": f"{settings.PORTAL_ORIGINS[0]}/customers/link/{token}",
            },
            company_id=company.pk,
            now=now,
        )
        audit.record(
            "customer-link-sent", caller=caller, now=now, act=act, company_id=company.pk, name=account.number
        )
        acts.finish(act, outcome={})
    return account


def find_link(token: str, *, now: datetime) -> CustomerLink:
    """The link of a mail, for whoever opens it.

    :raises CustomerLinkDead: it was used, is too old, or is none.
    """
    links = CustomerLink.objects.filter(token_sha256=_hash(token), used_at=None, expires_at__gt=now)
    link = links.select_related("account", "company").first()
    if link is None:
        raise CustomerLinkDead
    return link


@transaction.atomic(durable=True)
def open_link(*, token: str, caller: Caller, now: datetime) -> CustomerAccount:
    """Link the company to the account whose address the link was mailed to. It works once.

    :raises CustomerLinkDead: it was used, is too old, or is none.
    :raises CustomerLinked: the company or the account was linked meanwhile.
    :raises CompanyImported: the company is only a name by now.
    """
    act = acts.begin(
        operation="open-customer-link", caller=caller, given={"token": _hash(token).hex()}, now=now
    )
    if act.outcome is not None:
        return CustomerAccount.objects.get(pk=act.outcome["account"])
    link = find_link(token, now=now)
    account = _link(link.company, link.account, act=act, caller=caller, now=now)
    link.used_at = now
    link.save(update_fields=["used_at"])
    return account


@transaction.atomic(durable=True)
def link_company(*, company: Company, number: str, caller: Caller, now: datetime) -> CustomerAccount:
    """Link a company to an account, as fulfilment.

    :raises CustomerUnknown: the list has no such number.
    :raises CustomerLinked: the company or the account is linked already.
    :raises CompanyImported: the company is only a name by now.
    """
    act = acts.begin(
        operation="link-customer", caller=caller, given={"company": company.pk, "number": number}, now=now
    )
    if act.outcome is not None:
        return CustomerAccount.objects.get(pk=act.outcome["account"])
    account = CustomerAccount.objects.filter(number=number.strip().upper()).first()
    if account is None:
        raise CustomerUnknown
    return _link(company, account, act=act, caller=caller, now=now)


def _link(
    company: Company, account: CustomerAccount, *, act: Act, caller: Caller, now: datetime
) -> CustomerAccount:
    # The lock on the account makes one company to one account true for two at once; the unique index holds
    # the other direction, and the company is held against an import.
    scopes.lock_members(company)
    account = CustomerAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    _require_unlinked(company, account)
    account.company, account.linked_at = company, now
    account.save(update_fields=["company", "linked_at"])
    audit.record(
        "customer-linked", caller=caller, now=now, act=act, company_id=company.pk, name=account.number
    )
    acts.finish(act, outcome={"account": account.pk})
    return account


def _require_unlinked(company: Company, account: CustomerAccount) -> None:
    if account.company_id is not None or CustomerAccount.objects.filter(company=company).exists():
        raise CustomerLinked


def _plain(postal_code: str) -> str:
    return "".join(postal_code.split()).replace("-", "").upper()


def _hash(token: str) -> bytes:
    return hashlib.sha256(b"olp-customer-link-v1\x00" + token.encode()).digest()
