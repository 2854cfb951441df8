"""The guards of moves: nothing live twice, caps, names, ends (mission rules 24 to 29)."""

from tools.guard import NEVER, OPERATIONS, RACES, Guard

_ASKING = f"{OPERATIONS}/test_moves.py"
_DECIDING = f"{OPERATIONS}/test_move_decisions.py"
_COURSE = f"{OPERATIONS}/test_move_course.py"
_RACES = f"{RACES}/test_moves.py"


def _check(name: str, file: str, before: str, after: str, *tests: str) -> Guard:
    return Guard(name=f"move: {name}", file=f"licenses/{file}.py", edits=((before, after),), tests=tests)


def _forgetful(operation: str, file: str, before: str, test: str) -> Guard:
    """An operation that does its work again when asked again; `before` tells it from its neighbors."""
    return Guard(
        name=f"repetition: {operation}",
        file=f"licenses/{file}.py",
        edits=((f"{before}    {NEVER[0]}", f"{before}    {NEVER[1]}"),),
        tests=(test,),
    )


_UNLOCKED = 'Device.objects.select_related("project__company").get(pk=one.pk)'

_OPEN = "    move_queries.require_no_move_from(device, now=now)\n"
_DROPPED = '        move_course.tell("replacement-dropped"'

MOVES = (
    _check(
        "the locks of both devices",
        "move_course",
        "{one.pk: ledger.lock_device(one) for one in",
        f"{{one.pk: {_UNLOCKED} for one in",
        _RACES,
    ),
    _check(
        "the locks go by ids",
        "move_course",
        "for one in sorted(devices, key=lambda one: one.pk)",
        "for one in devices",
        f"{_RACES}::TestAsking::test_across_each_other_is_one_move_and_no_deadlock",
    ),
    _check(
        "a return locks the replacement too",
        "move_course",
        "if replacement is not None and replacement.pk not in locked:",
        "if False:",
        f"{_RACES}::TestReturning",
        _COURSE,
    ),
    _check(
        "moves are counted alone when asked for",
        "moves",
        "    scopes.count_alone(project.company)\n",
        "",
        f"{_RACES}::TestAsking::test_for_many_devices_at_once_keeps_to_the_cap",
    ),
    _check(
        "the replacement that was looked at",
        "move_course",
        "if again.replacement_id != move.replacement_id:",
        "if False:",
        _DECIDING,
        _RACES,
    ),
    _check("a move ends once", "move_course", "if not move.is_open_at(now):", "if False:", _DECIDING),
    _check(
        "the end needs no job",
        "models/moves",
        "return self.state == self.State.OPEN and self.open_until > now",
        "return self.state == self.State.OPEN",
        _DECIDING,
    ),
    _check(
        "the cap",
        "moves",
        "if move_queries.count_against_cap(company, now=now) >= settings.MOVES_WITHOUT_HARDWARE:",
        "if False:",
        _ASKING,
    ),
    _check(
        "support looks after a bad end",
        "moves",
        "if move_queries.ended_badly_lately(device, now=now):",
        "if False:",
        _ASKING,
    ),
    _check(
        "one bridge without a name",
        "moves",
        "    if move_queries.bridged_without_staff(sources):",
        "    if False:",
        _ASKING,
    ),
    _check(
        "no bridge over a bridge",
        "moves",
        "if move_queries.open_moves(now=now).filter(replacement=device).exists():",
        "if False:",
        _ASKING,
    ),
    _check(
        "no replacement that is broken",
        "moves",
        "if move_queries.open_move_from(replacement, now=now) is not None:",
        "if False:",
        _ASKING,
    ),
    _check(
        "the replacement is the company's",
        "move_course",
        "if replacement.project.company_id != move.project.company_id:",
        "if False:",
        _ASKING,
    ),
    _check(
        "a change of the replacement revokes its bridge",
        "moves",
        f"        move_course.revoke_bridges(move, act=act, now=now)\n{_DROPPED}",
        _DROPPED,
        _ASKING,
    ),
    _check(
        "a change takes the first approval back",
        "moves",
        "    move.first_approved_by = move.first_approved_at = None\n",
        "",
        _ASKING,
    ),
    _check(
        "two people where it is heavy or over the cap",
        "move_decisions",
        "if move_queries.takes_two(move, now=now):",
        "if False:",
        _DECIDING,
    ),
    _check(
        "they are two",
        "move_decisions",
        "        if move.first_approved_by_id == staff:\n            raise",
        "        if False:\n            raise",
        _DECIDING,
    ),
    _check(
        "somebody else writes off",
        "move_decisions",
        "if how == Move.Hardware.WRITTEN_OFF and move.decided_by_id == staff:",
        "if False:",
        _DECIDING,
    ),
    _check("a bridge ends by day 42", "move_course", ", move.open_until)", ", now + BRIDGE_FOR)", _COURSE),
    _check(
        "only the last week lengthens",
        "move_course",
        "due_before = now + move_queries.LENGTHENED_IN_THE_LAST",
        "due_before = now + BRIDGE_FOR * 2",
        _COURSE,
    ),
    _check(
        "an unchanged fetch notices the last week",
        "move_queries",
        "ends - LENGTHENED_IN_THE_LAST for ends",
        "ends for ends",
        _COURSE,
    ),
    _check(
        "an old device alive is told",
        "move_course",
        "if move is not None and alerts.alert(\n",
        "if False and alerts.alert(\n",
        _COURSE,
    ),
    _check(
        "no assignment while it is open",
        "assignment",
        "    if locked.may_be_in_move:",
        "    if False:",
        _ASKING,
    ),
    _check(
        "no undoing while it is open",
        "assignment",
        f"{_OPEN}    grant = Grant",
        "    grant = Grant",
        _ASKING,
    ),
    _check(
        "no change of project while it is open",
        "device_projects",
        _OPEN,
        "",
        _ASKING,
    ),
    _check(
        "no release while it is open",
        "device_projects",
        "    move_queries.require_no_move_of(device, now=now)\n",
        "",
        _ASKING,
    ),
    _check(
        "no test license while it is open",
        "trials",
        _OPEN,
        "",
        _ASKING,
    ),
    _forgetful(
        "ask for a move",
        "moves",
        "if evidence else {}),\n        },\n        now=now,\n    )\n",
        _ASKING,
    ),
    _forgetful(
        "name a replacement",
        "moves",
        'given={"move": move.pk, "replacement": replacement.hardware_id},\n        now=now,\n    )\n',
        _ASKING,
    ),
    _forgetful(
        "withdraw a move",
        "moves",
        'operation="withdraw-move", caller=caller, given={"move": move.pk}, now=now)\n',
        _ASKING,
    ),
    _forgetful(
        "approve a move",
        "move_decisions",
        '_begin("approve-move", move, caller=caller, now=now)\n',
        _DECIDING,
    ),
    _forgetful(
        "refuse a move", "move_decisions", '_begin("refuse-move", move, caller=caller, now=now)\n', _DECIDING
    ),
    _forgetful(
        "give a bridge", "move_decisions", '_begin("give-bridge", move, caller=caller, now=now)\n', _DECIDING
    ),
    _forgetful(
        "book hardware in", "move_decisions", "_begin(EVENTS[how], move, caller=caller, now=now)\n", _DECIDING
    ),
    Guard(
        name="evidence: its content decides what it is",
        file="licenses/evidence_files.py",
        edits=(
            (
                "    else:\n        raise EvidenceNotAllowed\n",
                '    else:\n        media_type, ending = "application/pdf", "pdf"\n',
            ),
        ),
        tests=(f"{OPERATIONS}/test_evidence.py",),
    ),
    Guard(
        name="evidence: nothing is added to what was decided",
        file="licenses/evidence.py",
        edits=(("    move_course.require_open(move, now=now)\n", ""),),
        tests=(f"{OPERATIONS}/test_evidence.py",),
    ),
    Guard(
        name="moves: an alert that old devices speak is told once",
        file="licenses/move_course.py",
        edits=(
            (
                "    if move is not None and alerts.alert(\n",
                "    if move is not None and [] != alerts.alert(\n",
            ),
        ),
        tests=(f"{OPERATIONS}/test_move_notices.py",),
    ),
)
