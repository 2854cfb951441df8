"""The guards of the staff console: who of the vendor may what (docs/decisions/0022)."""

from tools.guard import OPERATIONS, Guard

_VIEW = "tests/web/test_customers_view.py"

STAFF = (
    Guard(
        name="customer's view: nothing is sent",
        file="support/middleware.py",
        edits=(("if request.method not in LOOKING and name not in WAYS_OUT:", "if False:"),),
        tests=(_VIEW,),
    ),
    Guard(
        name="customer's view: ends with the role",
        file="support/middleware.py",
        edits=(("        if not _still_may(user):\n", "        if False:\n"),),
        tests=(_VIEW,),
    ),
    Guard(
        name="customer's view: the one company",
        file="accounts/queries.py",
        edits=(("return Q(company=user.viewing) if right == VIEW else Q(pk__in=[])", "return Q()"),),
        tests=(_VIEW,),
    ),
    Guard(
        name="looks: no name of a person",
        file="support/middleware.py",
        edits=(('return "" if of_a_person or about_one else text', "return text"),),
        tests=("tests/web/test_console.py",),
    ),
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
        edits=(("if settings.STAFF_SECOND_FACTOR and not staff.has_second_factor(user):", "if False:"),),
        tests=("tests/architecture/test_staff_roles.py",),
    ),
)
