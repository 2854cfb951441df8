"""Evidence is added to a move that is open (mission rule 24); with the request itself it comes in
`licenses.moves`."""

from datetime import datetime

from django.db import transaction

from licenses import evidence_files, move_course
from licenses.evidence_files import CheckedFile, EvidenceThere
from licenses.models import Move
from portal.core import acts
from portal.core.acts import Caller


@transaction.atomic(durable=True)
def add_evidence(*, move: Move, file: CheckedFile, caller: Caller, now: datetime) -> None:
    """Keep a file with an open move, for support and for the company. Once: it is not exchanged.

    :raises MoveEnded: the move is not open. Fact `state`.
    :raises EvidenceThere: it has one.
    :raises MoveChanged: the move got another replacement at this moment.
    """
    given = {"move": move.pk, "name": file.name, "sha256": file.sha256.hex()}
    act = acts.begin(operation="add-evidence", caller=caller, given=given, now=now)
    if act.outcome is not None:
        return
    # The locks let a decision come wholly before or wholly after: nothing is added to what was decided.
    move = move_course.lock_move(move)
    move_course.require_open(move, now=now)
    if evidence_files.of(move) is not None:
        raise EvidenceThere
    evidence_files.store(move, file, act=act, now=now)
    move_course.tell("evidence-added", move, act=act, caller=caller, now=now, name=file.name)
    acts.finish(act, outcome={})
