"""The guards of what devices say: claims, blocks, seq floors, acknowledgements, alerts (trust.md 1 and 3)."""

from tools.guard import OPERATIONS, Guard

DEVICE_DOORS = "tests/device_api/test_returning.py"

TRUST = (
    Guard(
        name="claim: a code is good once",
        file="licenses/claims.py",
        edits=(("            used_by__isnull=True,\n", ""),),
        tests=(f"{OPERATIONS}/test_claims.py",),
    ),
    Guard(
        name="claim: a code is good for a day",
        file="licenses/claims.py",
        edits=(("            expires_at__gt=now,\n", ""),),
        tests=(f"{OPERATIONS}/test_claims.py",),
    ),
    Guard(
        name="claim: a code is of one hardware ID",
        file="licenses/claims.py",
        edits=(("            hardware_id=device.hardware_id,\n            used_by", "            used_by"),),
        tests=(f"{OPERATIONS}/test_claims.py",),
    ),
    Guard(
        name="claim: its user may still operate there",
        file="licenses/claims.py",
        edits=((" or not _user_still_may(code)", ""),),
        tests=(f"{OPERATIONS}/test_claims.py",),
    ),
    Guard(
        name="claim: licenses that can come back keep the device",
        file="licenses/claims.py",
        edits=(("stays = handing_over.keeps_it_in_place(grants) or ", "stays = "),),
        tests=(f"{OPERATIONS}/test_claims.py",),
    ),
    Guard(
        name="claim: what goes to another company is in the log",
        file="licenses/claims.py",
        edits=(("if earlier.company_id != to.company_id:", "if False:"),),
        tests=(f"{OPERATIONS}/test_claims.py",),
    ),
    Guard(
        name="claim: who had the device assigns nothing to it",
        file="licenses/ledger.py",
        edits=(("if device.project_id != project_id:", "if False:"),),
        tests=(f"{OPERATIONS}/test_claims.py",),
    ),
    Guard(
        name="block: a device",
        file="devices/statements.py",
        edits=(("if standing.blocked:", "if False:"),),
        tests=(DEVICE_DOORS,),
    ),
    Guard(
        name="block: a key",
        file="devices/statements.py",
        edits=(("if _is_blocked(identity, standing):", "if False:"),),
        tests=(DEVICE_DOORS,),
    ),
    Guard(
        name="block: one of two at once is told",
        file="devices/blocking.py",
        edits=(("filter(pk=device.pk, blocked_at__isnull=True)", "filter(pk=device.pk)"),),
        tests=(f"{OPERATIONS}/test_blocking.py",),
    ),
    Guard(
        name="seq floor: the next document is above it",
        file="licenses/queries.py",
        edits=(("max(highest, device.seq_floor) + 1", "highest + 1"),),
        # Without it a fetch looks for such a document for ever: this test makes none.
        tests=(
            f"{OPERATIONS}/test_acknowledgement.py::TestANumberAboveThePortals::test_a_change_gets_a_document_above_it_at_once",
        ),
    ),
    Guard(
        name="seq floor: what is below it is replaced",
        file="licenses/documents.py",
        edits=(("ended or row.seq <= device.seq_floor or", "ended or"),),
        tests=(f"{OPERATIONS}/test_blocking.py", f"{OPERATIONS}/test_acknowledgement.py"),
    ),
    Guard(
        name="seq floor: only rises",
        file="devices/seq_floors.py",
        edits=(("if value <= floor:", "if False:"),),
        tests=(f"{OPERATIONS}/test_blocking.py",),
    ),
    Guard(
        name="seq floor: devices that come later have it",
        file="devices/enrollment.py",
        edits=(("if floor > device.seq_floor:", "if False:"),),
        tests=(f"{OPERATIONS}/test_blocking.py",),
    ),
    Guard(
        name="seq floor: far ahead is left to a person",
        file="licenses/documents.py",
        edits=(("if ahead > LARGEST_SEQ_JUMP:", "if False:"),),
        tests=(f"{OPERATIONS}/test_acknowledgement.py",),
    ),
    Guard(
        name="acknowledgement: only raises what is installed",
        file="licenses/acknowledgement.py",
        edits=(("max(known.installed_seq, statement.installed_seq)", "statement.installed_seq"),),
        tests=(f"{OPERATIONS}/test_acknowledgement.py",),
    ),
    Guard(
        name="acknowledgement: only raises what is in effect",
        file="licenses/acknowledgement.py",
        edits=(("max(known.effective_seq, statement.effective_seq)", "statement.effective_seq"),),
        tests=(f"{OPERATIONS}/test_acknowledgement.py",),
    ),
    Guard(
        name="alert: two payloads under one counter",
        file="devices/accepting.py",
        edits=((".count() > 1:", ".count() > 2:"),),
        tests=(f"{OPERATIONS}/test_acknowledgement.py",),
    ),
    Guard(
        name="alert: a claim is with support",
        file="licenses/claims.py",
        edits=(
            (
                "        alerts.alert(\n            Alert.Kind.CLAIM",
                "        (lambda *_, **__: None)(\n            Alert.Kind.CLAIM",
            ),
        ),
        tests=(f"{OPERATIONS}/test_claims.py",),
    ),
    Guard(
        name="alert: a seq above the portal's",
        file="licenses/documents.py",
        edits=(("if ahead <= 0:", "if ahead:"),),
        tests=(f"{OPERATIONS}/test_acknowledgement.py",),
    ),
    Guard(
        name="new key: it takes two people",
        file="devices/new_keys.py",
        edits=(
            (
                "    if waiting.asked_by_id == person:\n        raise SecondPersonNeeded\n",
                "",
            ),
        ),
        tests=(f"{OPERATIONS}/test_new_keys.py",),
    ),
    Guard(
        name="new key: the second one is senior",
        file="devices/new_keys.py",
        edits=(("    staff.require(Permission.SECOND_PERSON, user_id=person)\n", ""),),
        tests=(f"{OPERATIONS}/test_new_keys.py",),
    ),
    Guard(
        name="new key: one decision at a time",
        file="devices/new_keys.py",
        edits=(('.select_for_update(of=("self",), no_key=True)', ".all()"),),
        tests=("tests/races/test_new_keys.py",),
    ),
    Guard(
        name="new key: only one that spoke",
        file="devices/queries.py",
        edits=(("kind=Alert.Kind.OTHER_KEY, subject=key_hash)", "kind=Alert.Kind.OTHER_KEY)"),),
        tests=(f"{OPERATIONS}/test_new_keys.py",),
    ),
    Guard(
        name="new key: none that is blocked",
        file="devices/new_keys.py",
        edits=(("if queries.get_blocked_key(spki_sha256) is not None:", "if False:"),),
        tests=(f"{OPERATIONS}/test_new_keys.py",),
    ),
    Guard(
        name="alert: a key that is not the device's own",
        file="devices/enrollment.py",
        edits=(
            (
                "            alert(\n                Alert.Kind.OTHER_KEY,",
                "            (lambda *_, **__: None)(\n                Alert.Kind.OTHER_KEY,",
            ),
        ),
        tests=("tests/device_api/test_new_keys.py",),
    ),
    Guard(
        name="hand-over: consent for what can be returned",
        file="licenses/device_hand_overs.py",
        edits=(("        if lost:\n            quantity", "        if False:\n            quantity"),),
        tests=(f"{OPERATIONS}/test_device_hand_overs.py",),
    ),
    Guard(
        name="hand-over: an admin of the company agrees",
        file="licenses/device_hand_overs.py",
        edits=(("    elif not accounts.is_admin(company=company, user=consent_of):", "    elif False:"),),
        tests=(f"{OPERATIONS}/test_device_hand_overs.py",),
    ),
    Guard(
        name="hand-over: by a role that may",
        file="licenses/device_hand_overs.py",
        edits=(("    staff.require(Permission.HAND_OVER, user_id=caller.user_id)\n", ""),),
        tests=(f"{OPERATIONS}/test_device_hand_overs.py",),
    ),
    Guard(
        name="hand-over: no open move",
        file="licenses/device_hand_overs.py",
        edits=(("    move_queries.require_no_move_of(device, now=now)\n", ""),),
        tests=(f"{OPERATIONS}/test_device_hand_overs.py",),
    ),
    Guard(
        name="hand-over: against a return and an assignment",
        file="licenses/device_hand_overs.py",
        edits=(("    device = ledger.lock_device(device)\n", ""),),
        tests=("tests/races/test_device_hand_overs.py",),
    ),
    Guard(
        name="hand-over: what a company lost is in the log",
        file="licenses/device_hand_overs.py",
        edits=(
            ("    handing_over.hand_over(device, earlier=earlier, later=project, act=act, now=now)\n", ""),
        ),
        tests=(f"{OPERATIONS}/test_device_hand_overs.py",),
    ),
)
