"""Activation keys: look at what one holds, then activate it, once (mission rules 8 to 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Project
from devices import alerts
from devices.models import Alert
from licenses import activation_code, ledger, locked_keys, notices, queries, transparency
from licenses.log_line import LeafType
from licenses.models import ActivationKey, Holder, Transfer
from licenses.queries import Units
from portal.core import acts, audit, throttle
from portal.core.acts import Caller
from portal.core.errors import Conflict, NotFound
from portal.core.models import Act
from portal.core.throttle import Limit


class KeyUnknown(NotFound):
    """Mistyped and unknown get one answer: it tells a guesser nothing (mission rule 10)."""

    code = "key-unknown"
    title = _("This is not an activation key, or it was mistyped.")
    why = _(
        "A mistyped key and one that does not exist get the same answer. So nobody can find out, by trying, "
        "keys that others have paid for."
    )
    way_out = _("Compare it with the certificate, character by character, or scan the code printed there.")
    source = "mission rule 10"


class KeyAlreadyActivated(Conflict):
    code = "key-already-activated"
    title = _("This key has already been activated.")
    why = _(
        "A key works once, for everything it holds. If it worked a second time, licenses that were paid for "
        "once would be there twice."
    )
    way_out = _("Look for its licenses in your balances. If nobody of yours activated it, tell support.")
    source = "mission rule 9"


class KeyBlocked(Conflict):
    code = "key-blocked"
    title = _("This key is blocked.")
    why = _(
        "The vendor blocks a key that must not be used any more, because it was lost, canceled or replaced, "
        "for example. So nobody can take its licenses unseen."
    )
    way_out = _("Ask whoever sold it to you; support can tell why it was blocked.")
    source = "mission rule 10"


@dataclass(frozen=True, kw_only=True)
class KeyContents:
    """What a key holds: its order's reference and lines."""

    activation_key: ActivationKey
    lines: Sequence[Transfer]


@dataclass(frozen=True, kw_only=True)
class Activation:
    """What an activation brought in: the transfers from the key into `target`."""

    activation_key: ActivationKey
    target: Company | Project
    transfers: Sequence[Transfer]


def look_at_key(*, code: str, company: Company, caller: Caller, now: datetime) -> KeyContents:
    """Show what an issued key holds, before it is activated. Changes nothing but the history.

    :raises RateLimited: too many look-ups by this user, address or company.
    :raises KeyUnknown: mistyped, or there is no such key.
    :raises KeyAlreadyActivated: it was activated before, by whomever.
    :raises KeyBlocked: it is blocked.
    """
    _throttle(code, caller, company, now)
    key = _find(code, among=ActivationKey.objects.all())
    _require_issued(key)
    audit.record("key-looked-at", caller=caller, now=now, company_id=company.pk, key=key.last_four)
    holder = ledger.key_holder(key)
    return KeyContents(activation_key=key, lines=queries.lines_of_order(key_holder_id=holder.pk))


def activate_key(*, code: str, target: Company | Project, caller: Caller, now: datetime) -> Activation:
    """Redeem a key, once, for all its lines, into a company's or a project's balance.

    :raises RateLimited: too many tries by this user, address or company.
    :raises KeyUnknown: mistyped, or there is no such key.
    :raises KeyAlreadyActivated: it was activated before, by whomever.
    :raises KeyBlocked: it is blocked.
    """
    company = target if isinstance(target, Company) else target.company
    # Outside the transaction: a refusal rolls back, and must be counted all the same.
    _throttle(code, caller, company, now)
    return _redeem(code=code, target=target, caller=caller, now=now)


def rehearse_activation(
    *, code: str, target: Company | Project, caller: Caller, now: datetime
) -> tuple[Units, Units]:
    """What the target holds before and after an activation that is then taken back.

    It says as much as a look at the key, so it is counted like one.

    :raises: as `activate_key`.
    """
    _throttle(code, caller, target if isinstance(target, Company) else target.company, now)
    return acts.rehearse(
        _redeem,
        observe=lambda: queries.units_of([target]),
        code=code,
        target=target,
        caller=caller,
        now=now,
    )


@transaction.atomic(durable=True)
def _redeem(*, code: str, target: Company | Project, caller: Caller, now: datetime) -> Activation:
    company = target if isinstance(target, Company) else target.company
    fingerprints = _fingerprints(code)
    # The code itself is kept nowhere, not even as a hash without the pepper. The oldest pepper: a repetition
    # is known as one although there is a newer one meanwhile.
    act = acts.begin(
        operation="activate-key",
        caller=caller,
        given={"key": fingerprints[-1].hex(), "target": f"{target._meta.model_name}:{target.pk}"},
        now=now,
        gathers=True,
    )
    if act.outcome is not None:
        key = _find(code, among=ActivationKey.objects.all())
        return Activation(activation_key=key, target=target, transfers=_transfers_of(act))
    assert act.batch is not None, "it gathers"
    locked = locked_keys.lock_key(
        fingerprints=fingerprints, target=target, user_id=caller.user_id, batch=act.batch
    )
    if locked is None:
        raise KeyUnknown
    key = locked.activation_key
    _require_issued(key)
    locked.require_open()
    transfers = ledger.transfer(act=act, lines=locked.lines, held=locked.held)
    locked_keys.mark_activated(key, act=act)
    transparency.record(
        act=act,
        leaf_type=LeafType.ACTIVATION,
        told=[transparency.Told(transfer=transfer) for transfer in transfers],
        now=now,
    )
    audit.record(
        "key-activated",
        caller=caller,
        now=now,
        act=act,
        company_id=company.pk,
        project_id=target.pk if isinstance(target, Project) else None,
        key=key.last_four,
    )
    if locked.company_has_other_admins:
        notices.key_activated(key, target, transfers, caller=caller, now=now)
    acts.finish(act, outcome={"key": key.pk})
    return Activation(activation_key=key, target=target, transfers=transfers)


def _transfers_of(act: Act) -> list[Transfer]:
    return list(
        Transfer.objects.filter(act=act, source__kind=Holder.Kind.KEY)
        .select_related("product")
        .order_by("pk")
    )


def _fingerprints(code: str) -> list[bytes]:
    """What the key may be stored as: under the pepper of now, and under those of before."""
    try:
        canonical = activation_code.read(code)
    except activation_code.NotAnActivationCode as error:
        raise KeyUnknown from error
    peppers = (settings.ACTIVATION_CODE_PEPPER, *settings.ACTIVATION_CODE_PEPPERS_BEFORE)
    return [activation_code.fingerprint(canonical, pepper) for pepper in peppers]


def _find(code: str, *, among: QuerySet[ActivationKey]) -> ActivationKey:
    key = among.filter(fingerprint__in=_fingerprints(code)).first()
    if key is None:
        raise KeyUnknown
    return key


def _require_issued(key: ActivationKey) -> None:
    if key.state == ActivationKey.State.ACTIVATED:
        raise KeyAlreadyActivated
    if key.state == ActivationKey.State.BLOCKED:
        raise KeyBlocked


def _throttle(code: str, caller: Caller, company: Company, now: datetime) -> None:
    limit = Limit(name="key-look-up", times=settings.KEY_LOOKUPS_PER_HOUR, seconds=3600)
    subjects = [f"company:{company.pk}"]
    if caller.token_id is not None:
        subjects.append(f"token:{caller.token_id}")
    # Who has no address or is no person must not be counted together with everybody else of that sort.
    if caller.user_id is not None:
        subjects.append(f"user:{caller.user_id}")
    if caller.address is not None:
        subjects.append(f"address:{caller.address}")
    call = acts.call_id("try-key", caller, {"code": code})
    try:
        throttle.hit(limit, *subjects, now=now, call=call)
    except throttle.RateLimited:
        _alert(caller, company, now)
        raise


def _alert(caller: Caller, company: Company, now: datetime) -> None:
    cause = ""
    facts: dict[str, int | str] = {"who": caller.name}
    if caller.token_id is not None:
        cause = f"token {caller.token_id}"
    elif caller.user_id is not None:
        cause, facts = f"user {caller.user_id}", {"user": caller.user_id}
    with transaction.atomic():
        alerts.alert_about_company(Alert.Kind.KEYS_TRIED, company=company, now=now, cause=cause, **facts)
