"""The guards of orders: one number is one order; what was canceled or replaced is dead (rules 8, 10)."""

from tools.guard import NEVER, OPERATIONS, RACES, Guard

_FULFILMENT = "licenses/fulfilment.py"
_REPLACEMENT = "licenses/key_replacement.py"
_ORDER = 'caller=caller, given={"order": order.pk}, now=now)\n'
_KEY = 'caller=caller, given={"key": activation_key.pk}'
_TESTS = f"{OPERATIONS}/test_orders.py"
_RACES = f"{RACES}/test_orders.py"


def _guard(name: str, file: str, before: str, after: str, *tests: str) -> Guard:
    return Guard(name=f"order: {name}", file=file, edits=((before, after),), tests=tests or (_TESTS,))


def _forgetful(operation: str, file: str, before: str) -> Guard:
    """An operation that does its work again when asked again; `before` tells it from its neighbors."""
    return Guard(
        name=f"repetition: {operation}",
        file=file,
        edits=((f"{before}    {NEVER[0]}", f"{before}    {NEVER[1]}"),),
        tests=(_TESTS,),
    )


ORDERS = (
    _guard(
        "other content is refused",
        "portal/core/acts.py",
        "if is_same else Entered(act=None)",
        "if True else Entered(act=None)",
    ),
    _guard(
        "acts are entered in the order of names",
        "portal/core/acts.py",
        "sorted(wanted, key=lambda act: (act.scope, act.key))",
        "wanted",
        _RACES,
    ),
    _guard(
        "canceling locks the keys",
        _FULFILMENT,
        "ActivationKey.objects.select_for_update(no_key=True).filter(order=order)",
        "ActivationKey.objects.filter(order=order)",
        _RACES,
    ),
    _guard(
        "what was activated is not canceled",
        _FULFILMENT,
        "if any(key.state == ActivationKey.State.ACTIVATED for key in keys):",
        "if False:",
    ),
    _guard(
        "what was canceled is not delivered",
        _FULFILMENT,
        "    if locked.canceled_by_id is not None:\n        raise OrderCanceled\n",
        "",
    ),
    _guard(
        "replacing locks the key",
        _REPLACEMENT,
        'ActivationKey.objects.select_for_update(of=("self",), no_key=True)',
        "ActivationKey.objects.all()",
        _RACES,
    ),
    _guard(
        "only a key with content is replaced",
        _REPLACEMENT,
        "if key.state == ActivationKey.State.ACTIVATED or key.ending:",
        "if False:",
    ),
    _guard(
        "one asks once",
        _REPLACEMENT,
        'if ReplacementRequest.objects.filter(activation_key=key, state="open").exists():',
        "if False:",
    ),
    _forgetful("cancel an order", _FULFILMENT, f'operation="cancel-order", {_ORDER}'),
    _forgetful("replace a key", _REPLACEMENT, f'operation="replace-key", {_KEY}, now=now)\n'),
    _forgetful("ask for another key", _REPLACEMENT, f"{_KEY}, now=now\n    )\n"),
    Guard(
        name="lists: nothing is confirmed before it is checked",
        file="orders/uploads.py",
        edits=(("    if locked.checked_at is None:\n        raise UploadNotChecked\n", ""),),
        tests=(f"{OPERATIONS}/test_order_checks.py",),
    ),
    Guard(
        name="lists: nothing is confirmed that was found wrong",
        file="orders/uploads.py",
        edits=(("if locked.problems or locked.unreadable:", "if False:"),),
        tests=(f"{OPERATIONS}/test_order_uploads.py",),
    ),
    Guard(
        name="lists: one that was confirmed meanwhile is not tidied",
        file="orders/upload_checks.py",
        edits=(("over = [upload for upload in held if kept_until(upload) <= now]", "over = list(held)"),),
        tests=(f"{RACES}/test_orders.py",),
    ),
    Guard(
        name="lists: one that is worked on is not tidied",
        file="orders/upload_checks.py",
        edits=(
            ("unconfirmed.exclude(checking__state__in=long_jobs.OPEN)", "unconfirmed"),
            ("confirmed.exclude(job__state__in=long_jobs.OPEN)", "confirmed"),
        ),
        tests=(f"{OPERATIONS}/test_order_checks.py",),
    ),
    Guard(
        name="the vendor's tokens: one opens the doors it was made for",
        file="accounts/api/vendor.py",
        edits=(("scope not in request.auth.granted", "False"),),
        tests=("tests/api/test_customers.py",),
    ),
)
