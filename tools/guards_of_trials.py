"""The guards of test licenses: once for a hardware ID, one start, nobody else's (mission rules 20 to 23)."""

from tools.guard import NEVER, OPERATIONS, RACES, Guard

_COURSE = f"{OPERATIONS}/test_trial_course.py"
_BEFORE = f"{OPERATIONS}/test_trials.py"


def _check(name: str, file: str, before: str, after: str, *tests: str) -> Guard:
    return Guard(
        name=f"test license: {name}", file=f"licenses/{file}.py", edits=((before, after),), tests=tests
    )


def _forgetful(operation: str, before: str) -> Guard:
    """An operation that does its work again when asked again; `before` tells it from its neighbors."""
    return Guard(
        name=f"repetition: {operation} a test license",
        file="licenses/trials.py",
        edits=((f"{before}    {NEVER[0]}", f"{before}    {NEVER[1]}"),),
        tests=(_BEFORE, "tests/api/test_repeating.py"),
    )


_UNLOCKED = 'device = Device.objects.select_related("project__company").get(pk=device.pk)'
_NEVER_THEIRS = (
    "return trial_queries.was_heard_in(project.company, device=device)"
    " and trial_queries.was_squatted(earlier)"
)
_WITHDRAWS = (
    "    trial_course.withdraw_what_waits(device=device, earlier=earlier, act=act, caller=caller, now=now)\n"
)
_AS_ASKED = (
    '        given={"device": device.hardware_id, "version": version, "slave": slave, '
    '"quantity": quantity},\n'
    "        now=now,\n    )\n"
)

TRIALS = (
    _check(
        "the lock of the device, in creating, changing and withdrawing",
        "trials",
        "device = ledger.lock_device(device)",
        _UNLOCKED,
        f"{RACES}/test_trials.py",
    ),
    _check(
        "the lock of the device, in starting",
        "handout",
        "the second finds that nothing waits.\n    device = ledger.lock_device(device)",
        f"the second finds that nothing waits.\n    {_UNLOCKED}",
        f"{RACES}/test_trials.py::TestTheFirstDownload",
    ),
    _check(
        "those without contact are counted alone",
        "trials",
        "    scopes.count_alone(project.company)\n",
        "",
        f"{RACES}/test_trials.py::TestCreating",
    ),
    _check(
        "there are so many without contact",
        "trials",
        "if trial_queries.count_without_contact(project.company, now=now) >= most:",
        "if False:",
        _BEFORE,
    ),
    _check(
        "which devices were heard of",
        "trials",
        "    if trial_queries.was_heard_in(project.company, device=device):\n        return\n",
        "",
        _BEFORE,
    ),
    _check("there is one", "trials", "if earlier is not None:", "if False:", _BEFORE),
    _check(
        "who never had the device does not use it up",
        "trials",
        _NEVER_THEIRS,
        "return False",
        _COURSE,
    ),
    _check(
        "who only says to have the device proves nothing",
        "trials",
        _NEVER_THEIRS,
        "return trial_queries.was_squatted(earlier)",
        _COURSE,
    ),
    _check(
        "a claim revokes what was squatted",
        "handing_over",
        "if proven and test_license is not None and trial_queries.was_squatted(test_license):",
        "if False:",
        _COURSE,
    ),
    _check(
        "a claim revokes nothing else",
        "handing_over",
        "if proven and test_license is not None and trial_queries.was_squatted(test_license):",
        "if proven and test_license is not None and test_license.started_at:",
        _COURSE,
    ),
    _check(
        "what waits does not go to another company by a claim",
        "handing_over",
        _WITHDRAWS,
        "",
        _COURSE,
    ),
    _check(
        "what waits does not go along with a release",
        "device_projects",
        _WITHDRAWS,
        "",
        _COURSE,
    ),
    _check(
        "the number is within bounds",
        "trials",
        "if not slave and (quantity is None or not 1 <= quantity <= largest):",
        "if not slave and quantity is None:",
        _BEFORE,
    ),
    _check(
        "what runs is not changed", "trials", "if test_license.started_at is not None:", "if False:", _BEFORE
    ),
    _check(
        "its places on the device are kept",
        "room",
        "kept = len(trial_queries.contents_of(waiting)) if waiting else 0",
        "kept = 0",
        _BEFORE,
    ),
    _check(
        "no clock starts without keys",
        "handout",
        "        keyring.current()  # whoever",
        "        # whoever",
        _COURSE,
    ),
    _check(
        "a fetch notices what waits",
        "unchanged",
        "AND waiting.void = '' AND waiting.started_at IS NULL",
        "AND waiting.void = '' AND waiting.started_at IS NULL AND 1 = 0",
        _COURSE,
    ),
    _check(
        "the end needs no job",
        "queries",
        "return live_grants(device).filter(Q(expires_at=None) | Q(expires_at__gt=now))",
        "return live_grants(device)",
        _COURSE,
    ),
    _check(
        "it is not given back by itself",
        "returns",
        "if grant.license_class == Grant.Class.TEST and not everything:",
        "if False:",
        f"{OPERATIONS}/test_returns.py",
    ),
    _forgetful("create", f'        operation="create-test-license",\n        caller=caller,\n{_AS_ASKED}'),
    _forgetful("change", f'        operation="change-test-license",\n        caller=caller,\n{_AS_ASKED}'),
    _forgetful("withdraw", 'given={"device": device.hardware_id}, now=now\n    )\n'),
)
