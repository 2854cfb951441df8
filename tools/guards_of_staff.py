"""The guards of the staff console: who of the vendor may what (docs/decisions/0022)."""

from tools.guard import OPERATIONS, Guard

STAFF = (
    Guard(
        name="roles: asked for in the operation",
        file="accounts/staff.py",
        edits=(
            (
                "    if user_id is not None and permission not in permissions_of(",
                "    if False and permissions_of(",
            ),
        ),
        tests=(f"{OPERATIONS}/test_staff_roles.py",),
    ),
    Guard(
        name="roles: a second person is senior",
        file="licenses/move_decisions.py",
        edits=(("        people.require(Permission.SECOND_PERSON, user_id=staff)\n", ""),),
        tests=(f"{OPERATIONS}/test_staff_roles.py",),
    ),
    Guard(
        name="roles: a page asks for a second factor",
        file="accounts/requests.py",
        edits=(
            ("if settings.STAFF_SECOND_FACTOR and not staff_queries.has_second_factor(user):", "if False:"),
        ),
        tests=("tests/architecture/test_staff_roles.py",),
    ),
)
