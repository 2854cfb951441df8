"""The guards of the ledger, one by one: where each stands, how to take it out, and which tests must miss it.

Constraints, indexes and triggers are not listed: tools.remove_guards asks the database for them.
"""

from tools.guard import NEVER, OPERATIONS, RACES, Guard
from tools.guards_of_catalogue import CATALOGUE
from tools.guards_of_hot_acts import HOT_ACTS
from tools.guards_of_long_jobs import LONG_JOBS
from tools.guards_of_moves import MOVES
from tools.guards_of_notices import NOTICES
from tools.guards_of_orders import ORDERS
from tools.guards_of_staff import STAFF
from tools.guards_of_trials import TRIALS
from tools.guards_of_trust import TRUST

WITHOUT_HOLDING_LOCKS = (
    (
        """DO UPDATE SET balance = licenses_holding.balance"
            " RETURNING id, holder_id, product_id, balance\"""",
        'DO NOTHING"',
    ),
    (
        "        rows = cursor.fetchall()\n",
        """    rows = [
        (row.pk, row.holder_id, row.product_id, row.balance)
        for holder_id, product_id in places
        for row in Holding.objects.filter(holder_id=holder_id, product_id=product_id)
    ]
""",
    ),
)
WITHOUT_F = (
    """    amounts = {pk: amount for pk, amount in sorted(changes.items()) if amount}
""",
    """    for pk, amount in changes.items():
        holding = Holding.objects.get(pk=pk)
        holding.balance += amount
        holding.save(update_fields=["balance"])
    return
    amounts = {pk: amount for pk, amount in sorted(changes.items()) if amount}
""",
)


def _unlocked(name: str, file: str, before: str, *tests: str) -> Guard:
    """An operation that reads the device without locking it; `before` tells this lock from others there."""
    plain = before.replace(
        "ledger.lock_device(", 'Device.objects.select_related("project__company").get(pk='
    ).replace("(pk=device)", "(pk=device.pk)")
    plain = plain.replace("(pk=grant.device)", "(pk=grant.device_id)")
    plain = plain.replace("(pk=document.device)", "(pk=document.device_id)")
    return Guard(name=name, file=file, edits=((before, plain),), tests=tests)


def _forgetful(operation: str, file: str, test: str, *, after: str = "") -> Guard:
    """An operation that does its work again when asked again; `after` is what follows the check."""
    text, instead = (f"{part}{after}" for part in NEVER)
    return Guard(name=f"repetition: {operation}", file=file, edits=((text, instead),), tests=(test,))


LOCKS = (
    Guard(
        name="lock: many devices in one order",
        file="licenses/assignment.py",
        edits=(("sorted(set(devices), key=lambda device: device.hardware_id)", "list(devices)"),),
        tests=(
            f"{RACES}/test_assignment.py::TestAssigningToMany::test_acts_over_the_same_devices_never_wait_for_each_other_in_a_circle",
        ),
    ),
    Guard(
        name="lock: the device, everywhere",
        file="licenses/ledger.py",
        edits=(('Device.objects.select_for_update(of=("self",), no_key=True)', "Device.objects"),),
        tests=(
            f"{RACES}/test_assignment.py::TestAssigning::test_one_device_gets_several_products_at_once_each_in_a_document_of_its_own",
        ),
    ),
    Guard(
        name="lock: the device, though it changes project",
        file="licenses/ledger.py",
        edits=(("except Device.DoesNotExist:", "except ZeroDivisionError:"),),
        tests=(f"{RACES}/test_statements.py::TestClaims",),
    ),
    _unlocked(
        "lock: the device, in claiming",
        "licenses/claims.py",
        "device = ledger.lock_device(device)",
        f"{RACES}/test_statements.py::TestClaims",
    ),
    _unlocked(
        "lock: the device, in acknowledging",
        "licenses/acknowledgement.py",
        "device = ledger.lock_device(device)",
        f"{RACES}/test_statements.py::TestAcknowledgements",
    ),
    _unlocked(
        "lock: the device, in undoing",
        "licenses/assignment.py",
        "device = ledger.lock_device(grant.device)",
        f"{RACES}/test_assignment.py::TestEndingAGrant::test_an_assignment_is_undone_or_handed_out_but_not_both",
        f"{RACES}/test_assignment.py::TestEndingAGrant::test_a_grant_is_returned_or_undone_but_not_both",
    ),
    Guard(
        name="lock: the device, in returning",
        file="licenses/returns.py",
        edits=(
            (
                "device, move = move_course.lock_with_move(device, beside=replacement, now=now)",
                'device, move = Device.objects.select_related("project__company").get(pk=device.pk), None',
            ),
        ),
        tests=(f"{RACES}/test_assignment.py::TestEndingAGrant::test_a_grant_is_returned_once",),
    ),
    _unlocked(
        "lock: the device, in handing out",
        "licenses/handout.py",
        "device = ledger.lock_device(document.device)",
        f"{RACES}/test_assignment.py::TestEndingAGrant::test_an_assignment_is_undone_or_handed_out_but_not_both",
    ),
    _unlocked(
        "lock: the device, in issuing at a fetch",
        "licenses/handout.py",
        ") -> LicenseDocument:\n    device = ledger.lock_device(device)",
        f"{RACES}/test_assignment.py::TestSigning",
    ),
    Guard(
        name="lock: holdings",
        file="licenses/ledger.py",
        edits=WITHOUT_HOLDING_LOCKS,
        tests=(f"{RACES}/test_transfers.py",),
    ),
    Guard(
        name="lock: holdings, and F() with it",
        file="licenses/ledger.py",
        edits=(*WITHOUT_HOLDING_LOCKS, WITHOUT_F),
        tests=(f"{RACES}/test_transfers.py",),
    ),
    Guard(
        name="lock: companies, when a member leaves",
        file="accounts/leaving.py",
        edits=(('Company.objects.select_for_update(of=("self",), no_key=True)', "Company.objects"),),
        tests=(f"{RACES}/test_leaving.py::TestAdmins::test_one_stays_as_long_as_others_belong_to_it",),
    ),
    Guard(
        name="lock: the company, while something comes into it",
        file="accounts/scopes.py",
        edits=((' FOR KEY SHARE"', '"'),),
        tests=(f"{RACES}/test_companies.py::TestImporting", f"{RACES}/test_companies.py::TestArchiving"),
    ),
    Guard(
        name="lock: the company that is closed",
        file="accounts/scopes.py",
        edits=(('Company.objects.select_for_update(of=("self",)).get(pk=pk)', "Company.objects.get(pk=pk)"),),
        tests=(f"{RACES}/test_companies.py::TestImporting", f"{RACES}/test_companies.py::TestArchiving"),
    ),
    Guard(
        name="lock: who belongs to a company",
        file="accounts/scopes.py",
        edits=(('Company.objects.select_for_update(of=("self",), no_key=True)', "Company.objects"),),
        tests=(f"{RACES}/test_companies.py::TestMembers::test_two_admins_do_not_both_go",),
    ),
    Guard(
        name="lock: the membership, when a right is given",
        file="accounts/rights.py",
        edits=(('Membership.objects.select_for_update(of=("self",))', "Membership.objects"),),
        tests=(f"{RACES}/test_companies.py::TestMembers::test_who_is_removed_keeps_no_right",),
    ),
    Guard(
        name="lock: the device, in releasing",
        file="licenses/ledger.py",
        edits=(("if locked.released_at is not None:", "if False:"),),
        tests=(
            f"{RACES}/test_companies.py::TestDevices::test_a_device_is_released_or_gets_licenses",
            f"{OPERATIONS}/test_device_projects.py",
        ),
    ),
    Guard(
        name="order of locks: holdings",
        file="licenses/ledger.py",
        edits=(("places = sorted(places)", "places = list(places)"),),
        tests=(
            f"{RACES}/test_transfers.py::TestTransfers::test_many_products_cross_in_whichever_order_they_are_named",
        ),
    ),
    Guard(
        name="order of locks: new holders of a transfer",
        file="licenses/balances.py",
        edits=(("sorted((source, destination), key=_place)", "(source, destination)"),),
        tests=(
            f"{RACES}/test_transfers.py::TestTransfers::test_new_holders_are_made_in_one_order_whichever_way_the_licenses_go",
        ),
    ),
    Guard(
        name="wait: for an act of the same name",
        file="portal/core/acts.py",
        edits=(
            (
                '" ON CONFLICT DO NOTHING RETURNING 1"',
                '" RETURNING 1"',
            ),
        ),
        tests=(
            f"{RACES}/test_assignment.py::TestAssigning::test_the_same_request_thirty_two_times_at_once_has_one_effect_and_one_answer",
        ),
    ),
    Guard(
        name="wait: for a holder made by another",
        file="licenses/ledger.py",
        edits=(("**(defaults or {}))], ignore_conflicts=True)", "**(defaults or {}))])"),),
        tests=(
            f"{RACES}/test_activation.py::TestActivation::test_first_activations_of_a_company_make_its_holders_once",
        ),
    ),
    Guard(
        name="lock: prefixes of trust anchors",
        file="devices/trust_anchors.py",
        edits=(("    _lock_prefixes()\n    known", "    known"),),
        tests=(f"{RACES}/test_names.py::TestPrefixes",),
    ),
    Guard(
        name="lock: jobs of the outbox",
        file="portal/core/outbox.py",
        edits=(('skip = "FOR UPDATE SKIP LOCKED" if', 'skip = "" if'),),
        tests=(f"{RACES}/test_outbox.py",),
    ),
    Guard(
        name="fence: of a lost lease",
        file="portal/core/outbox.py",
        edits=(("filter(pk=job.id, attempts=job.attempts)", "filter(pk=job.id)"),),
        tests=(f"{OPERATIONS}/test_outbox.py", f"{RACES}/test_outbox.py"),
    ),
    Guard(
        name="first word: pins the key",
        file="devices/enrollment.py",
        edits=(("filter(pk=device.pk, pinned_spki__isnull=True)", "filter(pk=device.pk)"),),
        tests=(f"{RACES}/test_names.py::TestHardwareIDs",),
    ),
    Guard(
        name="first signature: stays",
        file="licenses/documents.py",
        edits=(("filter(pk=row.pk, signed_under=row.signed_under)", "filter(pk=row.pk)"),),
        tests=(
            f"{RACES}/test_assignment.py::TestSigning",
            f"{OPERATIONS}/test_delivery.py",
        ),
    ),
)

SUFFICIENCY = (
    Guard(
        name="check: enough is free",
        file="licenses/ledger.py",
        edits=(("if quantity > available:", "if False:"),),
        tests=(f"{OPERATIONS}/test_assignment.py", f"{OPERATIONS}/test_transfers.py"),
    ),
    Guard(
        name="check: quantity within bounds",
        file="licenses/ledger.py",
        edits=(("if not 1 <= quantity <= settings.LARGEST_QUANTITY:", "if False:"),),
        tests=(f"{OPERATIONS}/test_assignment.py",),
    ),
    Guard(
        name="check: room on the device",
        file="licenses/room.py",
        edits=(("return grants <= settings.GRANTS_PER_DEVICE", "return True"),),
        tests=(f"{OPERATIONS}/test_assignment.py",),
    ),
    Guard(
        name="check: not handed out, in undoing",
        file="licenses/assignment.py",
        edits=(("if not standing_queries.can_be_undone([grant], carried=carried):", "if False:"),),
        tests=(f"{OPERATIONS}/test_undo.py",),
    ),
    Guard(
        name="check: still live, in undoing",
        file="licenses/assignment.py",
        edits=(("if grant.state != Grant.State.LIVE:", "if False:"),),
        tests=(f"{OPERATIONS}/test_undo.py",),
    ),
    Guard(
        name="check: still live, in returning",
        file="licenses/returns.py",
        edits=(("if grant.state != Grant.State.LIVE or (", "if False or ("),),
        tests=(f"{OPERATIONS}/test_returns.py",),
    ),
    Guard(
        name="check: returnable",
        file="licenses/returns.py",
        edits=(
            ("if grant.license_class == Grant.Class.BOUGHT and not grant.product.returnable:", "if False:"),
        ),
        tests=(f"{OPERATIONS}/test_returns.py",),
    ),
    Guard(
        name="check: of this device, in returning",
        file="licenses/queries.py",
        edits=(
            ("Grant.objects.filter(device=device, pk__in=wanted)", "Grant.objects.filter(pk__in=wanted)"),
        ),
        tests=(f"{OPERATIONS}/test_returns.py",),
    ),
    Guard(
        name="check: test licenses are not credited",
        file="licenses/returns.py",
        edits=((" if grant.license_class == Grant.Class.BOUGHT]", "]"),),
        tests=(f"{OPERATIONS}/test_returns.py",),
    ),
    Guard(
        name="check: grants end once",
        file="licenses/ledger.py",
        edits=(("    if ended != len(ids):\n        raise GrantAlreadyEnded\n", ""),),
        tests=(f"{OPERATIONS}/test_returns.py",),
    ),
    Guard(
        name="check: key not activated",
        file="licenses/activation.py",
        edits=(("if key.state == ActivationKey.State.ACTIVATED:", "if False:"),),
        tests=(f"{OPERATIONS}/test_activation.py",),
    ),
    Guard(
        name="check: key not blocked",
        file="licenses/activation.py",
        edits=(("if key.state == ActivationKey.State.BLOCKED:", "if False:"),),
        tests=(f"{OPERATIONS}/test_activation.py",),
    ),
    Guard(
        name="check: within one company",
        file="licenses/balances.py",
        edits=(("if _company_of(destination) != _company_of(source):", "if False:"),),
        tests=(f"{OPERATIONS}/test_transfers.py",),
    ),
    Guard(
        name="check: the device is still in the project",
        file="licenses/ledger.py",
        edits=(("if device.project_id != project_id:", "if False:"),),
        tests=(
            f"{OPERATIONS}/test_assignment.py::TestAssigning::test_a_device_that_left_the_project_meanwhile_gets_nothing_from_its_new_one",
            f"{OPERATIONS}/test_undo.py::TestUndoing::test_a_device_that_left_the_project_meanwhile_keeps_it",
        ),
    ),
    Guard(
        name="check: not to itself",
        file="licenses/balances.py",
        edits=(("if source == destination:", "if False:"),),
        tests=(f"{OPERATIONS}/test_transfers.py",),
    ),
)

REPETITION = (
    Guard(
        name="repetition: other input",
        file="portal/core/acts.py",
        edits=(("or bytes(act.input_hash) != wanted.input_hash", ""),),
        tests=(f"{OPERATIONS}/test_acts.py",),
    ),
    Guard(
        name="repetition: other operation",
        file="portal/core/acts.py",
        edits=(("act.operation != operation or ", ""), ("_hash(operation, given),", '_hash("", given),')),
        tests=(f"{OPERATIONS}/test_acts.py",),
    ),
    _forgetful("activate a key", "licenses/activation.py", f"{OPERATIONS}/test_activation.py"),
    _forgetful(
        "assign",
        "licenses/assignment.py",
        f"{OPERATIONS}/test_assignment.py",
        after="\n        return _assignment(act.outcome)\n    locked = _lock",
    ),
    _forgetful(
        "assign to many",
        "licenses/assignment.py",
        f"{OPERATIONS}/test_many_devices.py",
        after="\n        return [",
    ),
    _forgetful(
        "add many devices",
        "licenses/adding.py",
        f"{OPERATIONS}/test_many_devices.py",
        after="\n        return int(",
    ),
    _forgetful(
        "undo",
        "licenses/assignment.py",
        f"{OPERATIONS}/test_undo.py",
        after="\n        return _assignment(act.outcome)\n    # The lock keeps",
    ),
    _forgetful("return", "licenses/returns.py", f"{OPERATIONS}/test_returns.py"),
    _forgetful(
        "claim a device",
        "licenses/claims.py",
        f"{OPERATIONS}/test_claims.py",
        after="\n        result: Result",
    ),
    _forgetful("transfer", "licenses/balances.py", f"{OPERATIONS}/test_transfers.py"),
    _forgetful("create a company", "accounts/companies.py", f"{OPERATIONS}/test_companies.py"),
    _forgetful(
        "create a project",
        "accounts/projects.py",
        f"{OPERATIONS}/test_projects.py",
        after="\n        return Project.objects",
    ),
    _forgetful(
        "add a device",
        "licenses/adding.py",
        f"{OPERATIONS}/test_enrollment.py",
        after="\n        return Device",
    ),
    _forgetful(
        "add a trust anchor",
        "devices/trust_anchors.py",
        f"{OPERATIONS}/test_trust_anchors.py",
        after="\n        # A repetition",
    ),
    _forgetful(
        "rotate keys",
        "licenses/key_ceremony.py",
        f"{OPERATIONS}/test_key_ceremony.py",
        after='\n        return KeySetVersion.objects.get(pk=act.outcome["version"])\n'
        "    ring = _current(roots)\n    retired = [",
    ),
)

GUARDS = (
    *LOCKS,
    *SUFFICIENCY,
    *REPETITION,
    *TRUST,
    *TRIALS,
    *NOTICES,
    *MOVES,
    *STAFF,
    *ORDERS,
    *CATALOGUE,
    *HOT_ACTS,
    *LONG_JOBS,
)
