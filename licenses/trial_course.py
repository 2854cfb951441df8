"""The course of a test license, as part of what else happens to its device (mission rules 21 to 23).

It starts with a download, goes when the device goes to another company before that, and is revoked when it
turns out that whoever downloaded it never had the device. Every function runs in the transaction of an
operation; the device is locked.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Project
from devices.models import Device
from licenses import documents, ledger, room, transparency, trial_queries
from licenses.calendar_months import months_after
from licenses.log_line import LeafType
from licenses.models import Grant, TestLicense
from portal.core import acts, audit, outbox
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class TestLicenseUsed(Conflict):
    __test__ = False  # for pytest, which takes the name for that of a test
    code = "test-license-used"
    title = _("The device %(hardware_id)s has had its test license: it ended on %(ended)s (UTC).")
    why = _("There is one test license for a hardware ID, for ever, whoever owns the device.")
    way_out = _("Buy licenses, activate their key, and assign them to the device.")
    source = "mission rule 22"


def used(test_license: TestLicense) -> TestLicenseUsed:
    """The refusal that says when it ended; of one that was given back, when it would have."""
    assert test_license.ends_at is not None, "it has started"
    return TestLicenseUsed(
        hardware_id=test_license.hardware_id, ended=f"{test_license.ends_at:%Y-%m-%d %H:%M:%S}"
    )


def start_what_waits(*, device: Device, caller: Caller, now: datetime) -> None:
    """Start the clock of the test license that waits, if one does, and build the document that has it: both
    in this transaction, which is that of the first download.

    Where the catalogue has outgrown the device's document meanwhile, it goes on waiting.
    """
    waiting = trial_queries.waiting_test_license(device)
    if waiting is None:
        return
    contents = trial_queries.contents_of(waiting)
    if not room.has_places(device, len(contents), now=now):
        return
    # Named by what it starts, since a fetch is no act of its own. Nobody else begins an act of this name
    # without the lock on the device, so that it keeps nobody waiting although it comes after that lock.
    act = acts.begin(
        operation="start-test-license",
        caller=caller.naming(scope=f"test-license:{waiting.pk}", key="start"),
        given={},
        now=now,
    )
    ends_at = months_after(now, settings.TEST_LICENSE_MONTHS)
    waiting.started_by, waiting.started_in, waiting.started_at = act, device.project, now
    waiting.ends_at = ends_at
    waiting.save(update_fields=["started_by", "started_in", "started_at", "ends_at"])
    seq = documents.next_seq(device)
    grants = ledger.grant_tests(
        act=act,
        device=device,
        quantities=[(content.product, content.quantity) for content in contents],
        expires_at=ends_at,
        first_seq=seq,
        now=now,
    )
    document = documents.issue_and_log(
        device=device,
        seq=seq,
        leaf_type=LeafType.TEST,
        told=[transparency.Told(grant=grant) for grant in grants],
        act=act,
        now=now,
    )
    tell(
        "test-license-started",
        waiting,
        device.project,
        act=act,
        caller=caller,
        now=now,
        ends=ends_at.isoformat(),
        fetched=caller.scope.startswith("device:"),
    )
    outbox.put("tidy-test-license", now=now, due_at=ends_at, test_license_id=waiting.pk)
    acts.finish(act, outcome={"test_license": waiting.pk, "document": document.pk})


def withdraw_what_waits(*, device: Device, earlier: Project, act: Act, caller: Caller, now: datetime) -> None:
    """Withdraw the test license that waits: the device leaves the company of `earlier`, and a fetch in other
    hands must not start the clock of something they know nothing of."""
    waiting = trial_queries.waiting_test_license(device)
    if waiting is not None:
        void(waiting, TestLicense.Void.WITHDRAWN, act=act, now=now)
        tell("test-license-withdrawn", waiting, earlier, act=act, caller=caller, now=now, left=True)


def revoke(
    test_license: TestLicense, *, device: Device, tell_also: Project, act: Act, caller: Caller, now: datetime
) -> None:
    """Take back a test license that was downloaded without the device: it counts for nothing (rule 22)."""
    void(test_license, TestLicense.Void.REVOKED, act=act, now=now)
    running = Grant.objects.filter(
        made_by=test_license.started_by_id, state=Grant.State.LIVE, expires_at__gt=now
    )
    grants = list(running.select_related("product", "device").order_by("made_at", "pk"))
    if grants:
        ledger.end_grants(act=act, grants=grants, state=Grant.State.REVOKED, now=now)
        documents.issue_and_log(
            device=device,
            seq=documents.next_seq(device),
            leaf_type=LeafType.REVOCATION,
            told=[transparency.Told(grant=grant) for grant in grants],
            act=act,
            now=now,
        )
    downloaded_in = test_license.started_in
    assert downloaded_in is not None, "only what was downloaded is revoked"
    for project in (downloaded_in, tell_also):
        tell("test-license-revoked", test_license, project, act=act, caller=caller, now=now)


def void(test_license: TestLicense, how: TestLicense.Void, *, act: Act, now: datetime) -> None:
    """Let it count for nothing; the hardware ID may have another one."""
    test_license.void, test_license.voided_by, test_license.voided_at = how, act, now
    test_license.save(update_fields=["void", "voided_by", "voided_at"])


def tell(
    event: str,
    test_license: TestLicense,
    project: Project,
    *,
    act: Act | None,
    caller: Caller,
    now: datetime,
    **facts: Any,
) -> None:
    """Write it into the history of the device in a project."""
    audit.record(
        event,
        caller=caller,
        now=now,
        act=act,
        company_id=project.company_id,
        project_id=project.pk,
        hardware_id=test_license.hardware_id,
        version=test_license.version,
        **({"quantity": test_license.quantity} if test_license.quantity else {}),
        **facts,
    )
