"""Test licenses: created, changed, withdrawn before their first download (mission rules 20 to 23).

The first download, by whichever door, is in `licenses.delivery`.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import scopes
from accounts.models import Project
from devices.models import Device
from licenses import ledger, move_queries, room, trial_course, trial_queries
from licenses.models import Grant, TestLicense
from licenses.trial_queries import Content
from portal.core import acts
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid


class SlaveTakesNoQuantity(Invalid):
    code = "slave-takes-no-quantity"
    title = _("A test license for a slave has no number of PBX licenses.")
    why = _("A slave gets the gateway licenses only; its PBX licenses are on the master.")
    way_out = _("Leave the number out, or do not ask for a slave.")
    source = "mission rule 20"


class TestQuantityOutOfRange(Invalid):
    __test__ = False  # for pytest, which takes the name for that of a test
    code = "test-quantity-out-of-range"
    title = _("The number of PBX licenses must be from 1 to %(largest)s.")
    why = _("A test license is for showing a PBX, not for running a large one.")
    way_out = _("Give a number in this range, or ask for a slave, which needs none.")
    source = "mission rule 20"


class NoTestSet(Invalid):
    code = "no-test-set"
    title = _("There is no test license of version %(version)s.")
    why = _("The catalogue says for each version what its test license holds, and for this one it does not.")
    way_out = _("Choose a version that the list of products has.")
    source = "mission rule 20"


class TestLicenseThere(Conflict):
    __test__ = False
    code = "test-license-there"
    title = _("The device %(hardware_id)s has a test license already.")
    why = _("There is one test license for a hardware ID, for ever.")
    way_out = _("Use it: download it, or change or withdraw it while nobody has downloaded it yet.")
    source = "mission rule 22"


class TestLicenseStarted(Conflict):
    __test__ = False
    code = "test-license-started"
    title = _("The test license of %(hardware_id)s was downloaded already.")
    why = _("It runs from its first download; from then on it stays what it is until its end.")
    way_out = _("Use it until its end, or buy licenses and assign them.")
    source = "mission rule 22"


class TooManyWithoutContact(Conflict):
    code = "too-many-test-licenses-without-contact"
    title = _(
        "The company has %(most)s test licenses for devices that it never heard of, as many as it may have."
    )
    why = _("Otherwise somebody could use up the test licenses of hardware that is not theirs.")
    way_out = _(
        "Let one of these devices fetch its licenses, or hand in a statement that it signed; withdraw a test "
        "license that nobody needs; or wait until one ends."
    )
    source = "mission rule 22"


@transaction.atomic(durable=True)
def create_test_license(
    *, device: Device, version: int, slave: bool, quantity: int | None, caller: Caller, now: datetime
) -> TestLicense:
    """Create the one test license of a device. It waits for its first download.

    :param quantity: of each PBX license; None for a slave.
    :raises SlaveTakesNoQuantity, TestQuantityOutOfRange: the quantity does not fit.
    :raises NoTestSet: the catalogue has none of that version.
    :raises TestLicenseThere: one waits or runs. Fact `hardware_id`.
    :raises TestLicenseUsed: there was one. Facts `hardware_id`, `ended`.
    :raises DeviceIsFull: its document has no room for it.
    :raises TooManyWithoutContact: the company has too many for devices it never heard of. Fact `most`.
    :raises DeviceInMove: a move of it is open.
    :raises NoSuchDevice: it has left the project that `device` was loaded with.
    """
    _require_quantity(slave=slave, quantity=quantity)
    act = acts.begin(
        operation="create-test-license",
        caller=caller,
        given={"device": device.hardware_id, "version": version, "slave": slave, "quantity": quantity},
        now=now,
    )
    if act.outcome is not None:
        return TestLicense.objects.get(pk=act.outcome["test_license"])
    # Of a hundred at once the first one makes it, and the others find it. The unique index would refuse
    # them as well, but could not say what there is.
    device = _locked(device)
    contents = _contents(version=version, slave=slave, quantity=quantity)
    project = scopes.hold_project(device.project)
    move_queries.require_no_move_from(device, now=now)
    earlier = trial_queries.test_license_of(device)
    if earlier is not None:
        if not _never_was_theirs(earlier, device=device, project=project):
            raise _there(earlier, now=now)
        trial_course.revoke(earlier, device=device, tell_also=project, act=act, caller=caller, now=now)
    room.require_places(device, len(contents), now=now)
    _require_contact(device, project=project, now=now)
    made = TestLicense.objects.create(
        hardware_id=device.hardware_id,
        device=device,
        project=project,
        version=version,
        slave=slave,
        quantity=quantity,
        made_by=act,
        made_at=now,
    )
    trial_course.tell("test-license-created", made, project, act=act, caller=caller, now=now)
    acts.finish(act, outcome={"test_license": made.pk})
    return made


@transaction.atomic(durable=True)
def change_test_license(
    *, device: Device, version: int, slave: bool, quantity: int | None, caller: Caller, now: datetime
) -> TestLicense:
    """Change what the test license of a device will hold, as long as nobody has downloaded it.

    :raises SlaveTakesNoQuantity, TestQuantityOutOfRange, NoTestSet, DeviceIsFull: as for a new one.
    :raises NoSuchTestLicense: the device has none.
    :raises TestLicenseStarted: it was downloaded.
    :raises NoSuchDevice: the device has left the project that `device` was loaded with.
    """
    _require_quantity(slave=slave, quantity=quantity)
    act = acts.begin(
        operation="change-test-license",
        caller=caller,
        given={"device": device.hardware_id, "version": version, "slave": slave, "quantity": quantity},
        now=now,
    )
    if act.outcome is not None:
        return TestLicense.objects.get(pk=act.outcome["test_license"])
    # The lock keeps the first download out: it starts either what was or what will be.
    device = _locked(device)
    waiting = _waiting(device)
    contents = _contents(version=version, slave=slave, quantity=quantity)
    room.require_places(device, len(contents), now=now)
    waiting.version, waiting.slave, waiting.quantity = version, slave, quantity
    waiting.save(update_fields=["version", "slave", "quantity"])
    trial_course.tell("test-license-changed", waiting, device.project, act=act, caller=caller, now=now)
    acts.finish(act, outcome={"test_license": waiting.pk})
    return waiting


@transaction.atomic(durable=True)
def withdraw_test_license(*, device: Device, caller: Caller, now: datetime) -> TestLicense:
    """Withdraw the test license of a device before anybody has downloaded it: it can have another one.

    :raises NoSuchTestLicense: the device has none.
    :raises TestLicenseStarted: it was downloaded.
    :raises NoSuchDevice: the device has left the project that `device` was loaded with.
    """
    act = acts.begin(
        operation="withdraw-test-license", caller=caller, given={"device": device.hardware_id}, now=now
    )
    if act.outcome is not None:
        return TestLicense.objects.get(pk=act.outcome["test_license"])
    # The lock keeps the first download out: it is withdrawn or started, never both.
    device = _locked(device)
    waiting = _waiting(device)
    trial_course.void(waiting, TestLicense.Void.WITHDRAWN, act=act, now=now)
    trial_course.tell("test-license-withdrawn", waiting, device.project, act=act, caller=caller, now=now)
    acts.finish(act, outcome={"test_license": waiting.pk})
    return waiting


@transaction.atomic(durable=True)
def tidy_test_license(*, test_license_id: int, now: datetime) -> None:
    """Put away the grants of a test license that has ended, and write the end into the history. Run by the
    outbox; whatever asks what is live knows the end without it."""
    test_license = TestLicense.objects.select_related("device__project").get(pk=test_license_id)
    # The row is read once more under the lock: run twice at once, it is told once.
    device = Device.objects.select_for_update(of=("self",), no_key=True).get(pk=test_license.device_id)
    ends_at = test_license.ends_at
    assert ends_at is not None, "the job was asked for when it started"
    put_away = Grant.objects.filter(
        made_by=test_license.started_by_id, state=Grant.State.LIVE, expires_at__lte=now
    ).update(state=Grant.State.EXPIRED, ended_at=ends_at)
    if put_away and device.released_at is None:
        project = Project.objects.get(pk=device.project_id)
        # At its own time, however late the job is.
        caller = Caller(scope="portal", key=f"end-of-test-license:{test_license.pk}", name="portal")
        trial_course.tell("test-license-ended", test_license, project, act=None, caller=caller, now=ends_at)


def _require_quantity(*, slave: bool, quantity: int | None) -> None:
    if slave and quantity is not None:
        raise SlaveTakesNoQuantity
    largest = settings.TEST_LICENSE_LARGEST_QUANTITY
    if not slave and (quantity is None or not 1 <= quantity <= largest):
        raise TestQuantityOutOfRange(largest=largest)


def _contents(*, version: int, slave: bool, quantity: int | None) -> Sequence[Content]:
    contents = trial_queries.test_set(version=version, slave=slave, quantity=quantity)
    if not contents:
        raise NoTestSet(version=version)
    return contents


def _locked(device: Device) -> Device:
    asked_in = device.project_id
    device = ledger.lock_device(device)
    ledger.require_still_in(asked_in, device)
    return device


def _waiting(device: Device) -> TestLicense:
    test_license = trial_queries.get_test_license(device)
    if test_license.started_at is not None:
        raise TestLicenseStarted(hardware_id=device.hardware_id)
    return test_license


def _never_was_theirs(earlier: TestLicense, *, device: Device, project: Project) -> bool:
    """A company downloaded it without the device and let go of the hardware ID; the device has spoken here
    since, which proves whose it is as a claim would (docs/decisions/0018)."""
    return trial_queries.was_heard_in(project.company, device=device) and trial_queries.was_squatted(earlier)


def _there(test_license: TestLicense, *, now: datetime) -> Conflict:
    state = trial_queries.described(test_license, now=now).state
    if state in {"ended", "given-back"}:
        return trial_course.used(test_license)
    return TestLicenseThere(hardware_id=test_license.hardware_id)


def _require_contact(device: Device, *, project: Project, now: datetime) -> None:
    if trial_queries.was_heard_in(project.company, device=device):
        return
    # Counted alone: two at once for two devices would each see one place left.
    scopes.count_alone(project.company)
    most = settings.TEST_LICENSES_WITHOUT_CONTACT
    if trial_queries.count_without_contact(project.company, now=now) >= most:
        raise TooManyWithoutContact(most=most)
