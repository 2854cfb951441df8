"""The form by which people hand in what a device signed: a `.jws` file, or its text."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from devices.jose import MAX_TOKEN_BYTES
from portal.core.errors import Invalid, TooLarge
from portal.core.forms import PortalForm

LARGEST_KIB = MAX_TOKEN_BYTES // 1024
# The portal writes a bundle's format first (licenses.bundle), and a statement never begins like this.
_LICENSE_FILE = b'{"bundle"'
_BEGINNING = 1024
# Neither field must be filled in, but "optional" would say that both may be left out. (As a mapping, because
# the stubs of Django do not know this argument.)
_ONE_OF_SEVERAL: dict[str, Any] = {"template_name": "forms/one_of_several.html"}


class StatementTooLarge(TooLarge):
    code = "statement-too-large"
    title = _("This is more than %(limit)s KiB: no statement of a device is that large.")
    why = _(
        "The portal looks at the size before it reads. So nobody can keep it busy with huge files, while "
        "others wait."
    )
    way_out = _("Take the .jws file that the device wrote; it has a few KiB.")
    source = "trust.md 2"


class LicenseFileGiven(Invalid):
    code = "license-file-given"
    title = _("This is a .lic file: it goes to the device, not from it.")
    why = _(
        "A return counts only with the signature of the device. This file has the portal's signature: it "
        "says what the device may use, not what it gives back."
    )
    way_out = _(
        "Load it on the device's page General/License. What comes back from the device is a .jws file."
    )
    source = "mission rule 16"


class StatementForm(PortalForm):
    # No `accept`: phones know no type for .jws, and would then offer no file at all.
    file = forms.FileField(
        label=_("File that the device wrote (.jws)"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"data-most-bytes": MAX_TOKEN_BYTES}),
        **_ONE_OF_SEVERAL,
    )
    text = forms.CharField(
        label=_("or its text"),
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 3, "class": "mono", "spellcheck": "false", "autocomplete": "off"}
        ),
        **_ONE_OF_SEVERAL,
    )

    def clean(self) -> dict[str, Any]:
        """Exactly one of the two."""
        cleaned = super().clean() or {}
        file, text = cleaned.get("file"), cleaned.get("text")
        if file and text:
            self.add_error("text", _("Give the file or its text, not both."))
        elif file and not file.size:
            self.add_error("file", _("The file is empty. Let the device write it again."))
        elif not file and not text and not self.errors:
            self.add_error("file", _("Choose the file, or paste its text below."))
        return cleaned

    def statement(self) -> bytes:
        """The statement as it was given. The form is valid.

        :raises LicenseFileGiven: it is a `.lic` file.
        :raises StatementTooLarge: it is larger than a statement may be.
        """
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is None:
            # Mail programs break long lines, and a statement has no white space of its own.
            token = "".join(self.cleaned_data["text"].split()).encode()
            _require_statement(token, size=len(token))
            return token
        _require_statement(file.read(_BEGINNING), size=file.size or 0)
        file.seek(0)
        return bytes(file.read())


def _require_statement(beginning: bytes, *, size: int) -> None:
    # A .lic file may be larger than a statement: to be told what it is helps more.
    if b"".join(beginning.split()).startswith(_LICENSE_FILE):
        raise LicenseFileGiven
    if size > MAX_TOKEN_BYTES:
        raise StatementTooLarge(limit=LARGEST_KIB)
