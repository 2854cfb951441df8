"""What people are told by mail of keys, returns, claims, imports and test licenses.

Each runs in the transaction of what it tells of, and leaves out whoever did it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from accounts import notices
from accounts.models import Company, Membership, Project, User
from devices.models import Device
from licenses.models import ActivationKey, CompanyImport, Grant, Product, TestLicense, Transfer
from portal.core.acts import Caller

DAY = timedelta(days=1)


def key_activated(
    key: ActivationKey,
    target: Company | Project,
    transfers: Sequence[Transfer],
    *,
    caller: Caller,
    now: datetime,
) -> None:
    """Tell the admins of the company what came in, and where it is."""
    project = target if isinstance(target, Project) else None
    company = target.company if isinstance(target, Project) else target
    notices.tell(
        "licenses/email/key_activated",
        notices.admins_of(company.pk),
        context={
            "who": caller.name,
            "key": key.last_four,
            "company": company.name,
            "project": project.name if project else "",
            "licenses": _in_words(transfers),
        },
        besides=caller.user_id,
        company_id=company.pk,
        project_id=project.pk if project else None,
        page=f"/projects/{project.pk}" if project else f"/companies/{company.pk}",
        now=now,
    )


def key_replaced(
    lost: ActivationKey, new: ActivationKey, *, company: Company, caller: Caller, now: datetime
) -> None:
    """Tell the admins of the linked company. The new key reaches them as every key does, never by mail."""
    _about_lost_key(
        "licenses/email/key_replaced", lost, company, {"new": new.last_four}, caller=caller, now=now
    )


def replacement_refused(
    lost: ActivationKey, *, company: Company, reason: str, caller: Caller, now: datetime
) -> None:
    """Tell the admins of the linked company that the key stays as it is, and why."""
    _about_lost_key(
        "licenses/email/replacement_refused", lost, company, {"reason": reason}, caller=caller, now=now
    )


def _about_lost_key(
    template: str,
    lost: ActivationKey,
    company: Company,
    context: Mapping[str, str],
    *,
    caller: Caller,
    now: datetime,
) -> None:
    notices.tell(
        template,
        notices.admins_of(company.pk),
        context={"key": lost.last_four, "order": lost.order.number, "company": company.name, **context},
        besides=caller.user_id,
        company_id=company.pk,
        page=f"/companies/{company.pk}/orders",
        now=now,
    )


def order_corrected(
    number: str,
    balance: Company | Project,
    units: Sequence[tuple[Product, int]],
    *,
    reason: str,
    now: datetime,
) -> None:
    """Tell the admins of a company what the vendor took out of a balance of theirs, and why."""
    project = balance if isinstance(balance, Project) else None
    company = balance.company if isinstance(balance, Project) else balance
    notices.tell(
        "licenses/email/order_corrected",
        notices.admins_of(company.pk),
        context={
            "order": number,
            "company": company.name,
            "project": project.name if project else "",
            "licenses": ", ".join(f"{quantity} × {product}" for product, quantity in units),
            "reason": reason,
        },
        company_id=company.pk,
        project_id=project.pk if project else None,
        page=f"/projects/{project.pk}" if project else f"/companies/{company.pk}",
        now=now,
    )


def licenses_returned(
    device: Device, transfers: Sequence[Transfer], *, caller: Caller, now: datetime
) -> None:
    """Tell who may operate the project. Of a return that credits nothing nobody is told."""
    if not transfers:
        return
    project = device.project
    notices.tell(
        "licenses/email/licenses_returned",
        notices.operators_of(project),
        context={
            "hardware_id": device.hardware_id,
            "project": project.name,
            "company": project.company.name,
            "licenses": _in_words(transfers),
        },
        besides=caller.user_id,
        company_id=project.company_id,
        project_id=project.pk,
        page=f"/devices/{device.hardware_id}",
        now=now,
    )


def device_claimed_away(device: Device, *, earlier: Project, later: Project, now: datetime) -> None:
    """Tell the admins of the company that had it; within one company nobody is told. Whoever did it did so
    from the other company, so that nobody is left out."""
    if earlier.company_id == later.company_id:
        return
    notices.tell(
        "licenses/email/device_claimed_away",
        notices.admins_of(earlier.company_id),
        context={
            "hardware_id": device.hardware_id,
            "project": earlier.name,
            "company": earlier.company.name,
        },
        company_id=earlier.company_id,
        project_id=earlier.pk,
        page=f"/projects/{earlier.pk}",
        now=now,
    )


def device_handed_over(
    device: Device, *, earlier: Project, later: Project, lost: Sequence[Grant], reason: str, now: datetime
) -> None:
    """Tell the admins of both companies what support did; neither mail names the other one."""
    licenses = ", ".join(f"{grant.quantity} × {grant.product}" for grant in lost)
    for template, project in (
        ("licenses/email/device_handed_away", earlier),
        ("licenses/email/device_handed_over", later),
    ):
        notices.tell(
            template,
            notices.admins_of(project.company_id),
            context={
                "hardware_id": device.hardware_id,
                "project": project.name,
                "company": project.company.name,
                "licenses": licenses,
                "reason": reason,
            },
            company_id=project.company_id,
            project_id=project.pk,
            page=f"/projects/{project.pk}",
            now=now,
        )


def import_asked(wanted: CompanyImport, *, now: datetime) -> None:
    """Ask the admins of a company whether it shall be taken in."""
    notices.tell(
        "accounts/email/company_import",
        notices.admins_of(wanted.source_id),
        context={
            "asker": wanted.asked_by.get_full_name(),
            "source": wanted.source.name,
            "target": wanted.target.name,
        },
        company_id=wanted.source_id,
        page=f"/companies/{wanted.source_id}/imports/{wanted.pk}",
        now=now,
    )


def admins_of_both(source: Company, target: Company) -> list[int]:
    """The ids of the admins of two companies, to be read before the members of the one come over."""
    admins = Membership.objects.filter(company__in=[source, target], role=Membership.Role.ADMIN)
    return list(admins.values_list("user_id", flat=True))


def company_imported(
    source: Company, target: Company, *, told: Iterable[int], caller: Caller, now: datetime
) -> None:
    """Tell those who were admins of either company."""
    notices.tell(
        "licenses/email/company_imported",
        User.objects.filter(pk__in=list(told)),
        context={"source": source.name, "target": target.name},
        besides=caller.user_id,
        company_id=target.pk,
        page=f"/companies/{target.pk}",
        now=now,
    )


def test_license_ending(test_license: TestLicense, *, days_before: int, now: datetime) -> None:
    """Tell who may operate the project that has the device now, in days before the end; 0: it has ended.

    :param test_license: with its device, project and company.
    """
    project = test_license.device.project
    assert test_license.ends_at is not None, "it has started"
    left = test_license.ends_at - now
    notices.tell(
        "licenses/email/test_license_ending",
        notices.operators_of(project),
        context={
            # As it is: a reminder that comes late says how many days are left now, the last one begun whole.
            "days": max(1, -(-left // DAY)) if days_before else 0,
            "hardware_id": test_license.hardware_id,
            "project": project.name,
            "company": project.company.name,
            "ends": f"{test_license.ends_at:%Y-%m-%d %H:%M}",
        },
        company_id=project.company_id,
        project_id=project.pk,
        page=f"/devices/{test_license.hardware_id}",
        now=now,
    )


def _in_words(transfers: Sequence[Transfer]) -> str:
    lines = sorted(transfers, key=lambda line: (line.product.code, line.product.version))
    return ", ".join(f"{line.quantity} × {line.product.code} {line.product.version}" for line in lines)
