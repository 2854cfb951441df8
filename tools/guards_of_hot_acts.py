"""The guards of acts that lock in functions of the database (docs/decisions/0036)."""

from tools.guard import RACES, Guard

HOT_ACTS = (
    Guard(
        name="lock: the key, in activation",
        file="licenses/migrations/0012_hot_acts.py",
        in_function="licenses_locked_key",
        edits=(
            (
                "WHERE fingerprint = given_fingerprint FOR NO KEY UPDATE;",
                "WHERE fingerprint = given_fingerprint;",
            ),
        ),
        tests=(f"{RACES}/test_activation.py::TestMeeting",),
    ),
    Guard(
        name="lock: the company, in activation",
        file="licenses/migrations/0012_hot_acts.py",
        in_function="licenses_locked_key",
        edits=(("PERFORM 1 FROM accounts_company WHERE id = given_company_id FOR KEY SHARE;", ""),),
        tests=(f"{RACES}/test_activation.py::TestMeeting",),
    ),
    Guard(
        name="lock: the device, in assigning",
        file="licenses/migrations/0012_hot_acts.py",
        in_function="licenses_locked_device",
        edits=(("PERFORM 1 FROM devices_device WHERE id = given_device_id FOR NO KEY UPDATE;", ""),),
        tests=(
            f"{RACES}/test_assignment.py::TestAssigning::test_one_device_gets_several_products_at_once_each_in_a_document_of_its_own",
        ),
    ),
    Guard(
        name="lock: holdings, in assigning",
        file="licenses/migrations/0012_hot_acts.py",
        in_function="licenses_locked_device",
        edits=(("DO UPDATE SET balance = licenses_holding.balance", "DO NOTHING"),),
        tests=(f"{RACES}/test_assignment.py::TestAssigning::test_of_thirty_two_five_get_the_last_five",),
    ),
    Guard(
        name="lock: the company, in assigning",
        file="licenses/migrations/0012_hot_acts.py",
        in_function="licenses_locked_device",
        edits=(("PERFORM 1 FROM accounts_company WHERE id = given_company_id FOR KEY SHARE;", ""),),
        tests=(f"{RACES}/test_companies.py::TestImporting",),
    ),
    Guard(
        name="order of locks: devices before holdings, in assigning to many",
        file="licenses/assignment.py",
        edits=(("    for device in devices:\n        ledger.lock_device(device)\n", ""),),
        tests=(f"{RACES}/test_assignment.py",),
    ),
)
