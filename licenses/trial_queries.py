"""Test licenses and what they hold, for people, for doors and for operations (mission rules 20 to 23)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Project
from devices.models import Device, FirstWord
from licenses.models import Grant, LicenseDocument, Product, TestLicense
from portal.core.errors import NotFound

WAITING = Q(void="", started_at__isnull=True)


class NoSuchTestLicense(NotFound):
    code = "no-such-test-license"
    title = _("The device %(hardware_id)s has no test license.")
    why = _("None was created for it, or it was withdrawn or revoked.")
    way_out = _("Create one; it starts with its first download.")
    source = "mission rule 22"


@dataclass(frozen=True, kw_only=True)
class Content:
    """How many units of a product a test license holds."""

    product: Product
    quantity: int


@dataclass(frozen=True, kw_only=True)
class TestLicenseRecord:
    """The test license of a device as it is at one moment, and what it holds.

    `state`: `waiting` for its first download, `running`, `given-back` by the device before its end, `ended`.
    """

    __test__ = False  # for pytest, which takes the name for that of a test

    test_license: TestLicense
    state: str
    contents: Sequence[Content]


def test_set(*, version: int, slave: bool, quantity: int | None) -> list[Content]:
    """What a test license of that version holds: the gateway kinds, each with its own number, and unless it
    is for a slave the asked number of each PBX license for users, app and service (mission rule 20).

    Empty if the catalogue has no test set of that version, or none for a slave.
    """
    products = Product.objects.filter(version=version, in_test_set=True).order_by("code")
    if slave:
        products = products.filter(kind=Product.Kind.GATEWAY)
    return [Content(product=product, quantity=product.test_quantity or quantity or 0) for product in products]


def test_versions() -> list[int]:
    """The versions that the catalogue has a test set of, the latest first."""
    in_a_set = Product.objects.filter(in_test_set=True).order_by("-version")
    return list(in_a_set.values_list("version", flat=True).distinct())


def test_license_of(device: Device) -> TestLicense | None:
    """The test license that counts for the hardware ID of the device: the one there can be."""
    return (
        TestLicense.objects.filter(hardware_id=device.hardware_id, void="")
        .select_related("project", "started_in")
        .first()
    )


def waiting_test_license(device: Device) -> TestLicense | None:
    """The one that waits for its first download, if there is one."""
    return TestLicense.objects.filter(WAITING, device=device).first()


def waiting_test_licenses(devices: Iterable[Device]) -> list[TestLicense]:
    """Those that wait for their first download on one of several devices."""
    return list(TestLicense.objects.filter(WAITING, device__in=[device.pk for device in devices]))


def document_and_wait(device: Device) -> tuple[LicenseDocument | None, bool]:
    """The device's current document, and whether a test license waits, in one query where there is one."""
    waiting = TestLicense.objects.filter(WAITING, device=device)
    row = (
        LicenseDocument.objects.filter(device=device)
        .annotate(test_waits=Exists(waiting))
        .order_by("-seq")
        .first()
    )
    return (row, row.test_waits) if row is not None else (None, waiting.exists())


def get_test_license(device: Device) -> TestLicense:
    """The test license that counts for the device.

    :raises NoSuchTestLicense: it has none.
    """
    found = test_license_of(device)
    if found is None:
        raise NoSuchTestLicense(hardware_id=device.hardware_id)
    return found


def contents_of(waiting: TestLicense) -> list[Content]:
    """What a test license will hold if it starts now."""
    return test_set(version=waiting.version, slave=waiting.slave, quantity=waiting.quantity)


def described(test_license: TestLicense, *, now: datetime) -> TestLicenseRecord:
    """The test license as people see it at a moment; no job has a part in that."""
    [record] = described_all([test_license], now=now)
    return record


def described_all(test_licenses: Sequence[TestLicense], *, now: datetime) -> list[TestLicenseRecord]:
    """The same for several, in one query for all that have started."""
    acts = [one.started_by_id for one in test_licenses if one.started_by_id]
    by_act: dict[UUID, list[Grant]] = defaultdict(list)
    for grant in Grant.objects.filter(made_by__in=acts).select_related("product") if acts else ():
        by_act[grant.made_by_id].append(grant)
    return [
        _record(one, by_act[one.started_by_id] if one.started_by_id else [], now=now) for one in test_licenses
    ]


def _record(test_license: TestLicense, grants: Sequence[Grant], *, now: datetime) -> TestLicenseRecord:
    if test_license.ends_at is None:
        state = "waiting"
    elif test_license.ends_at <= now:
        state = "ended"
    elif any(grant.state == Grant.State.LIVE for grant in grants):
        state = "running"
    else:
        state = "given-back"
    contents = (
        [Content(product=grant.product, quantity=grant.quantity) for grant in grants]
        if test_license.ends_at is not None
        else contents_of(test_license)
    )
    return TestLicenseRecord(
        test_license=test_license,
        state=state,
        contents=sorted(contents, key=lambda content: content.product.code),
    )


def test_licenses_of(project: Project) -> QuerySet[TestLicense]:
    """The test licenses of the devices that a project has now, whoever created them, by hardware ID."""
    return (
        TestLicense.objects.filter(void="", device__project=project, device__released_at=None)
        .select_related("device", "project", "started_in")
        .order_by("hardware_id")
    )


def test_licenses_that_end(*, after: datetime, until: datetime) -> QuerySet[TestLicense]:
    """Those that end after one moment and at the latest at another, the first to end first, each with its
    device and the project that has it now; a device that nobody has is left out.

    What a device gave back before its end is not there: it has nothing to lose at the end.
    """
    live = Grant.objects.filter(made_by=OuterRef("started_by"), state__in=["live", "expired"])
    return (
        TestLicense.objects.filter(
            Exists(live), void="", ends_at__gt=after, ends_at__lte=until, device__released_at=None
        )
        .select_related("device__project__company")
        .order_by("ends_at", "pk")
    )


def count_without_contact(company: Company, *, now: datetime) -> int:
    """How many test licenses of the company wait or run on hardware that it never had a signed word from."""
    heard = FirstWord.objects.filter(device=OuterRef("device"), project__company=company)
    return TestLicense.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=now), ~Exists(heard), void="", project__company=company
    ).count()


def was_heard_in(company: Company, *, device: Device) -> bool:
    """Whether the device ever said something signed, a claim aside, in a project that is the company's."""
    return FirstWord.objects.filter(device=device, project__company=company).exists()


def was_squatted(test_license: TestLicense) -> bool:
    """Whether it was downloaded by a company that never had a signed word from the device (rule 22)."""
    heard = FirstWord.objects.filter(
        device=OuterRef("device"), project__company=OuterRef("started_in__company")
    )
    return (
        TestLicense.objects.filter(~Exists(heard), pk=test_license.pk, started_in__isnull=False)
        .exclude(started_in__company=F("device__project__company"))
        .exists()
    )
