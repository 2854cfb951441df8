"""Every refusal of the appliance: a stable code, a plain sentence and the way out (mission rule 36)."""

from typing import Final, NamedTuple


class Explanation(NamedTuple):
    """What people read about a refusal: what happened, and what to do about it."""

    says: str
    way_out: str


_NEW_FILE: Final = "Download the license file again in the portal, or fetch it."
_ASK_VENDOR: Final = "Do not use this file; tell the vendor where it came from."

EXPLANATIONS: Final[dict[str, Explanation]] = {
    # What arrived cannot be read.
    "too-large": Explanation(
        "This is larger than a license file can be.", "Choose the .lic file from the portal (up to 256 KiB)."
    ),
    "malformed": Explanation("This is not a well-formed license file.", _NEW_FILE),
    "unknown-version": Explanation(
        "This license file has a format this firmware does not know.", "Update the firmware, then try again."
    ),
    "unknown-must": Explanation(
        "This license file demands something this firmware does not know.",
        "Update the firmware, then try again.",
    ),
    # Signatures and keys.
    "wrong-type": Explanation("A signature in this file was made for another kind of document.", _ASK_VENDOR),
    "wrong-algorithm": Explanation(
        "A signature in this file names another algorithm than its key.", _ASK_VENDOR
    ),
    "bad-signature": Explanation(
        "A signature in this file is not valid: the file was changed or damaged.", _NEW_FILE
    ),
    "stripped-signature": Explanation(
        "A signature this firmware requires is missing from the file.", _NEW_FILE
    ),
    "unknown-key": Explanation(
        "This file is signed with a key this device does not know.",
        "Fetch from the portal, or download a license file that brings the key set.",
    ),
    "compromised-key": Explanation(
        "This file is signed with a key that has been withdrawn.",
        "Fetch from the portal, or download the license file again: it has been signed anew.",
    ),
    "unknown-roots": Explanation(
        "The key set in this file is not signed by the roots this device trusts.",
        "Check that the file and the device belong to the same portal. "
        "A device that trusts other roots takes no licenses from this portal.",
    ),
    "older-key-set": Explanation("This file brings an older key set than this device holds.", _NEW_FILE),
    "key-set-conflict": Explanation(
        "This file brings another key set under a version this device already holds.", _ASK_VENDOR
    ),
    "key-set-missing": Explanation(
        "This file brings no key set, and this device holds none yet.",
        "Download the license file in the portal: that one brings its key set.",
    ),
    # What the document says.
    "wrong-issuer": Explanation(
        "This license document was issued by another portal.",
        "Use the file of the portal this device belongs to.",
    ),
    "wrong-device": Explanation(
        "This license document belongs to another device.",
        "Download the file of this device; its hardware ID is shown on this page and by `status`.",
    ),
    "older-document": Explanation("A newer license document has already been installed.", _NEW_FILE),
    "document-conflict": Explanation(
        "Another license document with the same sequence number has already been installed.",
        "Fetch from the portal; if this comes back, tell the vendor.",
    ),
    # Giving back and claiming.
    "wrong-receipt": Explanation(
        "This receipt does not answer the return that is waiting here.",
        "Send the return again, or carry its file to the portal again.",
    ),
    "nothing-to-return": Explanation(
        "No license was named, and no return is waiting.",
        "Name the licenses by their ids, which `status` shows, or give back all.",
    ),
    "grant-malformed": Explanation(
        "This is not the id of a license.",
        "Take the ids from the page or from `status`: 22 letters, digits, - and _.",
    ),
    "too-many-grants": Explanation(
        "One return names at most 200 licenses.", "Give them back in several returns, or give back all."
    ),
    "return-pending": Explanation(
        "Another return is waiting for its receipt.",
        "Send it, or carry its file to the portal and the new license file here; then give back more.",
    ),
    "min-seq-out-of-range": Explanation(
        "This sequence number cannot be right.",
        "Type the number that the portal shows on the page of this device.",
    ),
    "portal-unknown": Explanation(
        "This device has never heard from its portal, so it cannot sign a file for it.",
        "Install a license file of this device first, or fetch once; no reset is needed.",
    ),
    "bad-claim-code": Explanation(
        "This is not a claim code.", "Type the code as the portal shows it on the page of this device."
    ),
    "statement-too-large": Explanation(
        "The signed statement is larger than the portal reads (64 KiB).",
        "Name fewer licenses; if that does not help, the certificates of this device are too large.",
    ),
    # At the device: deleting, test mode, counters, users.
    "nothing-chosen": Explanation("No entry was chosen.", "Mark the entries first."),
    "not-installed": Explanation(
        "This entry is not in the installed document.", "Take the ids from the page or from `status`."
    ),
    "test-mode-off": Explanation("Test mode is not on.", "Nothing is to be done."),
    "not-counted": Explanation(
        "This firmware counts no product of this name.", "Take the exact names from the Licenses tabs."
    ),
    "too-many-calls": Explanation("No device carries as many.", "Give a number from 0 to 1000000."),
    "object-name": Explanation("A name is needed.", "Give a name of 1 to 60 characters."),
    "object-name-taken": Explanation("There is one of this name already.", "Give another name."),
    "object-number": Explanation("This is not a number to dial.", "Give up to 12 digits, or leave it empty."),
    "object-unknown": Explanation(
        "There is no such object any more.", "Go back to the list: somebody may have deleted it."
    ),
    "too-many-objects": Explanation("The device holds no more objects.", "Delete some that are not needed."),
    "template-in-use": Explanation(
        "Users have this config template.", "Give them another template first, or none."
    ),
    "unknown-mark": Explanation(
        "This firmware knows no such feature.", "Take the names of the features from a user's License tab."
    ),
    "not-objects": Explanation(
        "This file holds no users and config templates.",
        "Give JSON as `objects.json` has it in the home folder.",
    ),
    # Who may see the page.
    "wrong-password": Explanation("This is not the password.", "Try again; `password` sets a new one."),
    "too-many-attempts": Explanation("Too many wrong passwords in a row.", "Wait a minute, then try again."),
    "password-too-short": Explanation("This password is too short.", "Choose 8 characters or more."),
    "passwords-differ": Explanation("The two passwords differ.", "Type the same one twice."),
    "password-set": Explanation("A password has been set already.", "Sign in with it."),
    # The portal and the way to it.
    "portal-unreachable": Explanation(
        "The portal cannot be reached.",
        "Check the network and the portal's address; or carry the license file here by hand.",
    ),
    "portal-answer": Explanation(
        "The portal's answer cannot be understood.", "Check the portal's address; try again later."
    ),
    "portal-refused": Explanation(
        "The portal refused the request.", "Follow what it says, or ask your partner."
    ),
    "portal-unknown-device": Explanation(
        "The portal does not know this device.",
        "Add this hardware ID to a project in the portal, then fetch again.",
    ),
    "portal-device-blocked": Explanation(
        "The portal has blocked this device.", "Ask the vendor's support; what is installed stays as it is."
    ),
    "portal-certificate-rejected": Explanation(
        "The portal does not accept this device's certificate.",
        "Carry the license file here by hand, and ask the vendor's support about the certificate.",
    ),
    "portal-key-not-pinned": Explanation(
        "The portal knows this hardware ID with another device key.", "Ask the vendor's support."
    ),
    "portal-wrong-audience": Explanation(
        "The portal says the request was meant for another portal.", "Check the portal's address."
    ),
    "portal-wrong-url": Explanation(
        "The portal says the request was made for another address.", "Check the portal's address."
    ),
    "portal-stale-return": Explanation(
        "The portal has a newer license document than this return of everything reaches.",
        "Give back everything again with the sequence number that the portal names.",
    ),
    "portal-jti-conflict": Explanation(
        "The portal knows another statement of this device under the same id.",
        "Ask the vendor's support: this device, or a copy of it, has said something else before.",
    ),
    "portal-claim-code-unknown": Explanation(
        "The portal does not know this claim code for this device, or it was used, or it is too old.",
        "Make a new claim code in the portal, and type that one.",
    ),
    "portal-lacks-door": Explanation(
        "This portal does not take this over the network.", "Make a file, and upload it in the portal."
    ),
    "portal-rate-limited": Explanation("The portal is busy.", "Try again later."),
    # This device.
    "nothing-installed": Explanation(
        "No license document is installed.", "Fetch one, or install a license file."
    ),
    "damaged-identity": Explanation(
        "The factory identity of this device cannot be used.", "Give the folder with key.pem and chain.pem."
    ),
    "damaged-roots": Explanation(
        "The roots file cannot be used.", 'Give a file of the form {"roots": [JWK, ...], "threshold": 2}.'
    ),
    "damaged-state": Explanation(
        "The state of this device cannot be read.",
        "Restore its home folder, or make a fresh one with `init --fresh`.",
    ),
    "no-home": Explanation("There is no appliance in this folder.", "Make one with `init`."),
    "home-exists": Explanation(
        "There is an appliance in this folder already.", "Use it, or give --fresh to replace it."
    ),
    "other-roots": Explanation(
        "The appliance in this folder trusts other roots than the ones given.",
        "Give --fresh to replace it with a new one that trusts these roots; it then starts without licenses.",
    ),
    "not-a-home": Explanation(
        "This folder holds something else than an appliance.", "Choose an empty or a new folder."
    ),
    "not-a-configuration": Explanation(
        "This is not an exported configuration of this device.", "Give a file that `export` has written."
    ),
    "file-not-written": Explanation(
        "The file cannot be written.", "Choose another place; what was asked for can be repeated."
    ),
    "bad-address": Explanation(
        "This is not a portal address.", "Give an address like https://portal.example."
    ),
}


class Refusal(Exception):
    """Something the appliance does not do; nothing has been changed by it.

    `code` is one of EXPLANATIONS and stays the same for ever; `detail` names the particular case.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        explanation = EXPLANATIONS[code]
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.says = explanation.says
        self.way_out = explanation.way_out

    def __str__(self) -> str:
        if not self.detail:
            return f"{self.says} {self.way_out}"
        # The particular case belongs to the sentence; the way out stays the last thing that is read.
        return f"{self.says.removesuffix('.')}: {self.detail.removesuffix('.')}. {self.way_out}"
