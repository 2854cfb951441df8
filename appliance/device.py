"""The appliance as its doors use it: an act loads the state under the lock, decides, and writes in order."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance import strict_json
from appliance.bundle import Bundle, read_bundle
from appliance.home import SETTINGS, check_address, settings_to_json
from appliance.installation import (
    Keys,
    Outcome,
    plan_installation,
    plan_restore,
    verify_keys,
    verify_license,
)
from appliance.operating import Operating
from appliance.pending import PendingClaim, PendingReturn
from appliance.receipt import Receipt
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.returns import plan_receipt, plan_return, plan_return_reset, receipt_of, resumes
from appliance.state import State
from appliance.state_files import backup_to_json, read_backup
from appliance.statements import RETURN, common_members


class Device(Operating):
    """An appliance in its home folder: what goes on at the device, and between it and its portal.

    :raises Refusal: `no-home` and whatever says that the home is damaged.
    """

    def install(self, data: bytes) -> Result:
        """Verify a license file and install it, and take the receipt it brings.

        :raises Refusal: see take and read_bundle.
        """
        return self.take(read_bundle(data))

    def take(self, bundle: Bundle, *, portal: str | None = None) -> Result:
        """Verify a bundle, take the receipt that is waited for, and install the license document.

        The receipt comes first: it says from which document on the tombstones may go.

        :param portal: the portal's identity as an unsigned directory gave it, when the device knew none.
        :raises Refusal: nothing of it was taken, and nothing was changed: see verify_keys and verify_license.
        """
        with self._settled() as state:
            keys = verify_keys(bundle, state.vault, self.home.trust, portal=portal)
            answered, receipt, refused = self._take_receipt(state, bundle, keys)
            try:
                verified = verify_license(bundle, keys, answered, self.home.trust)
            except Refusal as refusal:
                if receipt is None:
                    raise
                return Result(Outcome.RECEIPT_ONLY, receipt, (*refused, refusal))
            firmware = self.home.manufacture.firmware
            change = plan_installation(answered, verified, self._clock, firmware=firmware)
            return Result(self._commit(answered, change), receipt, refused)

    def begin_return(
        self, grants: tuple[str, ...], *, audience: str, min_seq: int | None = None
    ) -> PendingReturn:
        """Take what is given back out of effect, and return the statement to be signed (trust.md 5).

        The same grants again are the return that waits already, in the same bytes.

        :param grants: as read_grants returns them.
        :param audience: the portal's identity.
        :param min_seq: see plan_return.
        :raises Refusal: `return-pending`, `min-seq-out-of-range`, `statement-too-large`.
        """
        with self._settled() as state:
            pending = state.vault.pending_return
            if pending is not None and resumes(pending, grants, min_seq):
                return pending
            return self._note_return(state, grants, audience, min_seq)

    def renew_return(self, refused: PendingReturn, *, audience: str, min_seq: int) -> None:
        """Say anew, under another `jti` and `ctr`, what the portal has refused for good.

        :raises Refusal: `min-seq-out-of-range`.
        """
        with self._settled() as state:
            # Another process may have been here first.
            if state.vault.pending_return == refused:
                self._note_return(state, refused.grants, audience, min_seq)

    def begin_claim(self, code: str, *, audience: str) -> PendingClaim:
        """Note a claim, and return the statement to be signed; the same code again is the same statement."""
        with self._settled() as state:
            pending = state.vault.pending_claim
            if pending is not None and (pending.code, pending.audience) == (code, audience):
                return pending
            ctr = state.vault.ctr + 1
            payload = {**self.statement(state, audience), "ctr": ctr, "code": code}
            claim = PendingClaim(strict_json.dumps(payload))
            self._write_vault(replace(state, vault=replace(state.vault, ctr=ctr, pending_claim=claim)))
            return claim

    def end_claim(self, claim: PendingClaim) -> None:
        """Forget a claim that the portal has answered."""
        with self._settled() as state:
            if state.vault.pending_claim == claim:
                self._write_vault(replace(state, vault=replace(state.vault, pending_claim=None)))

    def begin_acknowledgement(self, *, audience: str) -> tuple[bytes, tuple[int, int]]:
        """Return the payload of a new acknowledgement, its `ctr` written down before, and what it says.

        :raises Refusal: `nothing-installed`.
        """
        with self._settled() as state:
            installed, effective = state.seqs
            if (installed, effective) == (0, 0):
                raise Refusal("nothing-installed")
            ctr = state.vault.ctr + 1
            said = {"ctr": ctr, "installed_seq": installed, "effective_seq": effective}
            self._write_vault(replace(state, vault=replace(state.vault, ctr=ctr)))
            return strict_json.dumps({**self.statement(state, audience), **said}), (installed, effective)

    def end_acknowledgement(self, seqs: tuple[int, int]) -> None:
        """Remember what the portal has been told."""
        with self._settled() as state:
            self._write_vault(replace(state, vault=replace(state.vault, acknowledged=seqs)))

    def state(self) -> State:
        """Return the state, a reset that is due done first."""
        with self._settled() as state:
            return state

    def statement(self, state: State, audience: str) -> dict[str, Any]:
        """Return the members every statement of this device has (trust.md 3)."""
        return common_members(
            state,
            hardware_id=self.home.identity.hardware_id,
            firmware=self.home.manufacture.firmware,
            audience=audience,
            now=self._clock.now(state.vault.clock),
        )

    def installed_bundle(self) -> bytes:
        """Return the installed bundle as a file that another device of its kind could verify from nothing.

        :raises Refusal: `nothing-installed`.
        """
        with self._settled() as state:
            bundle = state.configuration.installed
            if state.installed is None or bundle is None:
                raise Refusal("nothing-installed")
            if bundle.keyset is None and state.vault.keyset is not None:
                bundle = bundle.with_keyset(state.vault.keyset)
            return bundle.to_bytes()

    def exported_configuration(self) -> bytes:
        """Return the configuration as a backup; what keeps licenses from coming back is not in it."""
        with self._settled() as state:
            return strict_json.dumps(backup_to_json(state.configuration, self._read_objects()))

    def restore(self, data: bytes) -> Result:
        """Put the installed bundle of a backup in the place of the one here, to take effect at the reset.

        It runs only if the vault still lets it, and without what was given back. Users and config templates
        of the backup take the place of those here at once.

        :raises Refusal: `not-a-configuration`.
        """
        restored, objects = read_backup(data)
        with self._settled() as state:
            if objects is not None:
                self._write_objects(objects)
            return Result(self._commit(state, plan_restore(state, restored)))

    def write_file(self, path: Path, data: bytes) -> None:
        """Write a file to be carried; it is there whole, or not at all.

        :raises Refusal: `file-not-written`.
        """
        try:
            self._store.write_file(path, data)
        except OSError as error:
            raise Refusal("file-not-written", f"{path}: {error.strerror}") from error

    def set_portal(self, address: str) -> None:
        """Call the portal at another address; whom the device trusts is not touched by that.

        :raises Refusal: `bad-address`.
        """
        check_address(address)
        manufacture = replace(self.home.manufacture, portal=address)
        with self._store.locked():
            self._store.write(SETTINGS, settings_to_json(manufacture))
        self.home = replace(self.home, manufacture=manufacture)

    def _take_receipt(
        self, state: State, bundle: Bundle, keys: Keys
    ) -> tuple[State, Receipt | None, tuple[Refusal, ...]]:
        signed = bundle.receipt
        try:
            receipt = receipt_of(signed, state, keys, self.home.trust)
            if receipt is None or not isinstance(signed, dict):
                return state, None, ()
            change = plan_receipt(state, receipt, signed, self._clock)
        except Refusal as refusal:
            # The license document beside it is good or bad on its own; the return goes on waiting.
            return state, None, (refusal,)
        self._commit(state, change)
        return change.states[-1], receipt, ()

    def _note_return(
        self, state: State, grants: tuple[str, ...], audience: str, min_seq: int | None
    ) -> PendingReturn:
        noting = plan_return(state, self.statement(state, audience), grants, min_seq)
        noted = noting.states[-1].vault.pending_return
        assert noted is not None, "step 1 notes it"
        self.home.identity.require_room(noted.payload, typ=RETURN)
        self._commit(state, noting)
        resetting = plan_return_reset(noting.states[-1], self._clock)
        self._commit(noting.states[-1], resetting)
        pending = resetting.states[-1].vault.pending_return
        assert pending is not None, "step 2 keeps what step 1 has noted"
        return pending
