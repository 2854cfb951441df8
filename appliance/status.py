"""What the device has, in the words of its page: each license, whether it is in effect, and if not, why."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from appliance.clock import Clock
from appliance.document import Item
from appliance.installation import Trust, works
from appliance.pending import ALL, PendingReturn, ReceiptRecord
from appliance.state import State


class Waiting(StrEnum):
    """Why a license on the device is not in effect."""

    RESET_REQUIRED = "reset-required"
    ENDED = "ended"
    OTHER_VERSION = "other-version"


@dataclass(frozen=True)
class License:
    """One item as people see it. `state` is `in-effect` or `installed`; `expires_at` is POSIX seconds."""

    id: str
    product: str
    version: int
    quantity: int
    license_class: str
    returnable: bool
    expires_at: int | None
    state: str
    waiting: str | None
    leaves_at_reset: bool


@dataclass(frozen=True)
class GivenBack:
    """A license that a return names: `label` is empty if the device never held it, `result` the portal's."""

    id: str
    label: str
    result: str | None = None


@dataclass(frozen=True)
class WaitingReturn:
    """The return that waits for its receipt. `min_seq` is the lowest document the device still takes."""

    jti: str
    ctr: int
    everything: bool
    min_seq: int
    licenses: tuple[GivenBack, ...]


@dataclass(frozen=True)
class LastReceipt:
    """The last receipt. `issued_at` is POSIX seconds."""

    return_jti: str
    issued_at: int
    next_seq: int
    licenses: tuple[GivenBack, ...]


@dataclass(frozen=True)
class Status:
    """The whole device at one moment. Times are POSIX seconds; `seq` 0 stands for no document.

    `test_mode_left` is how many seconds of test mode are left, None outside of it. `deleted` says that
    entries of the installed document were deleted here.
    """

    hardware_id: str
    firmware: int
    portal: str
    portal_identity: str | None
    keyset_version: int
    seq_installed: int
    seq_in_effect: int
    seq_highest: int
    reset_required: bool
    reset_due: int | None
    time: int
    licenses: tuple[License, ...]
    waiting_return: WaitingReturn | None = None
    last_receipt: LastReceipt | None = None
    acknowledgement_due: bool = False
    test_mode_left: int | None = None
    resets: int = 0
    deleted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the status with the member names of this class."""
        return asdict(self)


@dataclass(frozen=True)
class Effect:
    """How many licenses of a product are in effect now, and how many after a return has its receipt."""

    product: str
    version: int
    before: int
    after: int


def effect_of_leaving(licenses: Iterable[License], leaving: Collection[str]) -> list[Effect]:
    """Count what a return or deleting changes, by product; its reset also brings in what is installed.

    :param leaving: ids of the licenses that will be given back, end or be deleted; of a return, others are in
        effect with the receipt.
    """
    before: dict[tuple[str, int], int] = {}
    after: dict[tuple[str, int], int] = {}
    for entry in licenses:
        product = (entry.product, entry.version)
        stays = entry.id not in leaving and not entry.leaves_at_reset
        will_work = entry.waiting in {None, Waiting.RESET_REQUIRED}
        before[product] = before.get(product, 0) + (entry.quantity if entry.waiting is None else 0)
        after[product] = after.get(product, 0) + (entry.quantity if stays and will_work else 0)
    return [Effect(*product, before[product], after[product]) for product in sorted(before)]


def describe(state: State, trust: Trust, clock: Clock, *, portal: str, firmware: int) -> Status:
    """Describe the device as it is now."""
    now, mode = clock.now(state.vault.clock), state.operation.test_mode
    installed, in_effect, keyset = state.installed, state.in_effect, state.vault.held_keyset()
    listed = {item.id: item for item in installed.items} if installed else {}
    running = {item.id: item for item in in_effect.items} if in_effect else {}
    licenses = [
        _license(item, now=now, firmware=firmware, running=True, leaves=item.id not in listed)
        for item in running.values()
    ] + [
        _license(item, now=now, firmware=firmware, running=False, leaves=False)
        for item in listed.values()
        if item.id not in running
    ]
    return Status(
        hardware_id=trust.hardware_id,
        firmware=firmware,
        portal=portal,
        portal_identity=keyset.issuer if keyset else None,
        keyset_version=keyset.version if keyset else 0,
        seq_installed=installed.seq if installed else 0,
        seq_in_effect=in_effect.seq if in_effect else 0,
        seq_highest=state.vault.highest_seq,
        reset_required=state.reset_required,
        reset_due=state.vault.reset_due if state.reset_required else None,
        time=now,
        licenses=tuple(sorted(licenses, key=lambda entry: (entry.product, entry.version, entry.id))),
        waiting_return=_waiting_return(state.vault.pending_return),
        last_receipt=_last_receipt(state.vault.receipt),
        acknowledgement_due=state.acknowledgement_due,
        test_mode_left=mode.left(clock) if mode is not None else None,
        resets=state.operation.resets,
        deleted=bool(state.configuration.deleted) and installed is not None,
    )


def _waiting_return(pending: PendingReturn | None) -> WaitingReturn | None:
    if pending is None:
        return None
    everything = pending.grants == ALL
    return WaitingReturn(
        jti=pending.jti,
        ctr=pending.ctr,
        everything=everything,
        min_seq=pending.min_seq,
        licenses=tuple(
            GivenBack(name, pending.labels.get(name, ""))
            for name in (pending.labels if everything else pending.grants)
        ),
    )


def _last_receipt(record: ReceiptRecord | None) -> LastReceipt | None:
    if record is None:
        return None
    receipt = record.receipt
    return LastReceipt(
        return_jti=receipt.return_jti,
        issued_at=receipt.issued_at,
        next_seq=receipt.next_seq,
        licenses=tuple(GivenBack(name, record.labels.get(name, ""), fate) for name, fate in receipt.results),
    )


def _license(item: Item, *, now: int, firmware: int, running: bool, leaves: bool) -> License:
    waiting = None if running else Waiting.RESET_REQUIRED
    if not works(item, now=now, firmware=firmware):
        waiting = Waiting.OTHER_VERSION if item.version != firmware else Waiting.ENDED
    return License(
        id=item.id,
        product=item.product,
        version=item.version,
        quantity=item.quantity,
        license_class=item.license_class,
        returnable=item.returnable,
        expires_at=item.expires_at,
        state="in-effect" if waiting is None else "installed",
        waiting=waiting,
        leaves_at_reset=leaves,
    )
