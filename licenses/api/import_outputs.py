"""What the doors on imports of companies answer."""

from typing import Any

from rest_framework import serializers

from accounts.api.outputs import NEXT, CompanyName, example
from licenses import models

_IMPORT = {
    "id": 1,
    "company": {"id": 17, "name": "Example Telecom (by accident)"},
    "into": {"id": 1, "name": "Example Telecom"},
    "asked_at": "2026-11-24T12:00:00Z",
    "expires_at": "2026-12-08T12:00:00Z",
    "end": "",
}


@example(_IMPORT)
class CompanyImport(serializers.Serializer[models.CompanyImport]):
    """One company shall be taken in by another one."""

    id = serializers.IntegerField()
    company = CompanyName(source="source", help_text="What shall be taken in.")
    into = CompanyName(source="target")
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    end = serializers.CharField(
        help_text="Empty while it waits for consent; then `done`, `refused`, `withdrawn` or `expired`."
    )


@example({"imports": [_IMPORT], "next": None})
class CompanyImportList(serializers.Serializer[Any]):
    imports = CompanyImport(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


class ImportedProject(serializers.Serializer[Any]):
    """A project that comes over, and the name it will have."""

    name = serializers.CharField()
    becomes = serializers.CharField()


@example(
    {
        "import": _IMPORT,
        "projects": [{"name": "DEFAULT", "becomes": "DEFAULT (Example Telecom (by accident))"}],
        "devices": 3,
        "licenses": 25,
        "members": 1,
        "invitations": 0,
    }
)
class ImportPreview(serializers.Serializer[Any]):
    """What an import would do, in numbers, as things are now."""

    projects = ImportedProject(many=True, source="preview.projects")
    devices = serializers.IntegerField(source="preview.devices")
    licenses = serializers.IntegerField(
        source="preview.licenses", help_text="Units free in the balances of the company and its projects."
    )
    members = serializers.IntegerField(
        source="preview.members", help_text="Who comes over and does not belong to the other one yet."
    )
    invitations = serializers.IntegerField(source="preview.invitations", help_text="Which end.")

    def get_fields(self) -> dict[str, Any]:
        """`import` is a word of Python's, so it cannot be declared."""
        return {"import": CompanyImport(source="wanted"), **super().get_fields()}
