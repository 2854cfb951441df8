"""Idempotent calls: the first one does the work, the same one again gets the same answer.

An operation begins with `begin()` and ends with `finish()`:

    act = acts.begin(operation="activate-key", caller=caller, given={...}, now=now)
    if act.outcome is not None:
        return Activation.from_outcome(act.outcome)
    ...
    acts.finish(act, outcome={...})

Both happen in the operation's transaction. A refused operation rolls its act back, so that a later try with
the same key is a fresh one.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from portal.core import batches, metrics
from portal.core.batches import Batch
from portal.core.errors import Conflict, Invalid
from portal.core.models import Act, random_id

_ID, _OUTCOME = Act._meta.get_field("id"), Act._meta.get_field("outcome")


class IdempotencyKeyReused(Conflict):
    code = "idempotency-key-reused"
    title = _("This request id was used before for something else.")
    why = _(
        "One id stands for one request, so that a repeat after a lost answer does nothing twice. With other "
        "content under the same id, either that protection or your new request would be lost."
    )
    way_out = _("Use a new id for a new request. To repeat a request, send exactly the same content.")
    source = "mission rule 37"


class ReasonNeeded(Invalid):
    code = "reason-needed"
    title = _("This needs a reason, of at most %(longest)s characters.")
    why = _(
        "What is done here concerns others, who may ask about it years later. The history has to give them "
        "an answer."
    )
    way_out = _("Say in a sentence why it is done: whoever looks at it later must understand it.")
    source = "mission rule 38"


LONGEST_REASON = 1000

Observed = TypeVar("Observed")


@dataclass(frozen=True, kw_only=True)
class Entered:
    """One of many acts entered at once; `act` is None where its name stands for something else."""

    act: Act | None
    is_new: bool = False


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls an operation, and under which name of their own.

    scope: whose names `key` is unique among: "company:7", "user:3", "device:00-90-33-01-0A-FF", "orders".
    key: the caller's id of this call; at most 100 characters.
    """

    scope: str
    key: str
    name: str
    user_id: int | None = None
    token_id: int | None = None
    """The API token, if it is a program that calls: such a call is no person's."""
    reason: str = ""
    address: str | None = None

    @property
    def kept_name(self) -> str:
        """The name that rows keep for ever: none for a user, whose name can change and must be erasable
        (docs/decisions/0014). A row says who it was by the user's id."""
        return "" if self.user_id else self.name

    def naming(self, *, scope: str, key: str) -> "Caller":
        """The same caller, with the act named by what it is about instead of by the caller's own id."""
        return replace(self, scope=scope, key=key)


def call_id(operation: str, caller: Caller, given: Mapping[str, Any]) -> str:
    """One text for one call with its input, and for its repetitions; of the input it tells nothing."""
    name = f"{caller.scope}\x00{caller.key}\x00".encode()
    return hashlib.sha256(name + _hash(operation, given)).hexdigest()


def new_key() -> str:
    """A name for a call whose caller gave none: every such call is a new one."""
    return secrets.token_urlsafe(18)


def reason_of(caller: Caller) -> str:
    """The caller's reason, for operations that are not done without one (mission rule 38).

    :raises ReasonNeeded: there is none, or it is too long.
    """
    reason = caller.reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise ReasonNeeded(longest=LONGEST_REASON)
    return reason


def begin(
    *, operation: str, caller: Caller, given: Mapping[str, Any], now: datetime, gathers: bool = False
) -> Act:
    """Enter the act, or find the earlier one of the same name, whose `outcome` is then set.

    :param gathers: what the act writes is gathered in its `batch`, and sent by `finish`.
    :raises IdempotencyKeyReused: the name was used for another operation or other input.
    """
    assert connection.in_atomic_block, "an act belongs to the transaction of its operation"
    wanted = Act(
        id=random_id(),
        operation=operation,
        scope=caller.scope,
        key=caller.key,
        input_hash=_hash(operation, given),
        actor_id=caller.user_id,
        actor_name=caller.kept_name,
        reason=caller.reason,
        at=now,
    )
    if gathers:
        wanted.batch = Batch()
    if _enter(wanted):
        return wanted
    act = Act.objects.get(scope=caller.scope, key=caller.key)
    if act.operation != operation or bytes(act.input_hash) != wanted.input_hash:
        raise IdempotencyKeyReused
    act.batch = wanted.batch
    return act


def _enter(act: Act) -> bool:
    """Insert the act, unless there is one of its name; whether it was inserted.

    ON CONFLICT DO NOTHING waits for a concurrent act of the same name to commit or roll back: this is what
    makes fifty equal requests at once have one effect. It must come before every other lock.
    """
    fields = Act._meta.concrete_fields
    names = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO core_act ({names}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608
            " ON CONFLICT DO NOTHING RETURNING 1",
            [field.get_db_prep_save(getattr(act, field.attname), connection) for field in fields],
        )
        return cursor.fetchone() is not None


def begin_all(
    *,
    operation: str,
    callers: Sequence[Caller],
    given: Sequence[Mapping[str, Any]],
    outcomes: Sequence[Mapping[str, Any]],
    now: datetime,
) -> list[Entered]:
    """Enter many acts in one statement, each with its outcome, which has to be known beforehand.

    :returns: one for each caller.
    """
    assert connection.in_atomic_block, "an act belongs to the transaction of its operation"
    wanted = [
        Act(
            id=random_id(),
            operation=operation,
            scope=caller.scope,
            key=caller.key,
            input_hash=_hash(operation, its_input),
            actor_id=caller.user_id,
            actor_name=caller.kept_name,
            reason=caller.reason,
            at=now,
            outcome=dict(outcome),
        )
        for caller, its_input, outcome in zip(callers, given, outcomes, strict=True)
    ]
    # In the order of names: two that enter some of the same do not wait for each other in a circle.
    Act.objects.bulk_create(sorted(wanted, key=lambda act: (act.scope, act.key)), ignore_conflicts=True)
    names = {act.scope: [one.key for one in wanted if one.scope == act.scope] for act in wanted}
    stored = {
        (act.scope, act.key): act
        for scope, keys in names.items()
        for act in Act.objects.filter(scope=scope, key__in=keys)
    }
    entered = []
    for act in wanted:
        found = stored[act.scope, act.key]
        is_same = (found.operation, bytes(found.input_hash)) == (operation, act.input_hash)
        entered.append(Entered(act=found, is_new=found.id == act.id) if is_same else Entered(act=None))
    metrics.acted(operation, times=sum(one.is_new for one in entered))
    return entered


def finish(act: Act, *, outcome: Mapping[str, Any]) -> None:
    """Keep the answer, for whoever asks again."""
    metrics.acted(act.operation)
    act.outcome = dict(outcome)
    batches.change(
        "UPDATE core_act SET outcome = %s WHERE id = %s",
        [_OUTCOME.get_db_prep_save(act.outcome, connection), _ID.get_db_prep_save(act.pk, connection)],
        batch=act.batch,
    )
    if act.batch is not None:
        act.batch.send()


def rehearse(
    operation: Callable[..., Any], *, observe: Callable[[], Observed], **given: Any
) -> tuple[Observed, Observed]:
    """Try an operation, look at what it changed, and take all of it back: no act, no entry, no line stays.

    The same code path, so the same refusals: those of the database too that otherwise wait for the commit.

    :param operation: one that is decorated with `transaction.atomic(durable=True)`.
    :param observe: reads what is to be compared, completely: its values must need no database afterwards.
    :returns: what `observe` saw before and after.
    """
    undecorated: Callable[..., Any] = operation.__wrapped__  # type: ignore[attr-defined]
    with transaction.atomic(durable=True):
        before = observe()
        undecorated(**given)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        after = observe()
        transaction.set_rollback(True)
    return before, after


def _hash(operation: str, given: Mapping[str, Any]) -> bytes:
    text = json.dumps([operation, given], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).digest()
