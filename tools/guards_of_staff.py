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
        edits=(
            (
                "return settings.STAFF_SECOND_FACTOR and not staff_queries.has_second_factor(user)",
                "return False",
            ),
        ),
        tests=("tests/architecture/test_staff_roles.py",),
    ),
    Guard(
        name="correction: by a role that may",
        file="licenses/corrections.py",
        edits=(("    staff.require(Permission.CORRECT_ORDERS, user_id=caller.user_id)\n", ""),),
        tests=(f"{OPERATIONS}/test_corrections.py",),
    ),
    Guard(
        name="correction: of two at once one",
        file="licenses/corrections.py",
        edits=(
            (
                'Order.objects.select_for_update(of=("self",), no_key=True).get(pk=order.pk)',
                "Order.objects.get(pk=order.pk)",
            ),
            (
                "ActivationKey.objects.select_for_update(no_key=True).filter(order=order)",
                "ActivationKey.objects.filter(order=order)",
            ),
        ),
        tests=("tests/races/test_corrections.py",),
    ),
    Guard(
        name="key: blocked or activated",
        file="licenses/key_blocking.py",
        edits=(
            (
                'ActivationKey.objects.select_for_update(of=("self",), no_key=True)',
                "ActivationKey.objects.all()",
            ),
        ),
        tests=("tests/races/test_corrections.py",),
    ),
    Guard(
        name="person: tokens of whoever is blocked end",
        file="accounts/person_blocking.py",
        edits=(("    ended = tokens.update(revoked_at=now)\n", "    ended = tokens.count()\n"),),
        tests=(f"{OPERATIONS}/test_person_blocking.py",),
    ),
    Guard(
        name="digest of alerts: one a day",
        file="devices/alert_digest.py",
        edits=(
            ("    except IntegrityError:\n        return 0\n", "    except KeyError:\n        return 0\n"),
        ),
        tests=("tests/races/test_notices.py",),
    ),
    Guard(
        name="digest of alerts: each is new once",
        file="devices/alert_digest.py",
        edits=(("settled_at=None, told_in=None)", "settled_at=None)"),),
        tests=(f"{OPERATIONS}/test_alert_digest.py",),
    ),
    Guard(
        name="templates: what is archived stays as it was",
        file="accounts/reason_templates.py",
        edits=((".select_for_update(no_key=True).filter(pk=template.pk)", ".filter(pk=template.pk)"),),
        tests=("tests/races/test_notices.py",),
    ),
    Guard(
        name="templates: by a role that may",
        file="accounts/reason_templates.py",
        edits=(("    staff.require(Permission.REASON_TEMPLATES, user_id=caller.user_id)\n", ""),),
        tests=(f"{OPERATIONS}/test_reason_templates.py",),
    ),
    Guard(
        name="stock admin: nothing is changed",
        file="support/web/stock_admin.py",
        edits=(
            (
                'changes a row by hand."""\n        return False',
                'changes a row by hand."""\n        return True',
            ),
        ),
        tests=("tests/guards/test_stock_admin.py",),
    ),
    Guard(
        name="stock admin: for superusers",
        file="accounts/requests.py",
        edits=(("        if not user.is_superuser:\n            raise Http404\n", ""),),
        tests=("tests/guards/test_stock_admin.py",),
    ),
)
