"""What the doors on devices, keys and balances answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from accounts.api.outputs import NEXT, example
from accounts.models import Company, Project
from devices import models as devices
from licenses import models, queries, uploading
from portal.core.models import AuditEntry

_LINE: dict[str, Any] = {"product": "Port", "version": 14, "name": "Port", "unit": "port", "quantity": 10}
_GRANT: dict[str, Any] = {"id": "AAECAwQFBgcICQoLDA0ODw", **_LINE, "class": "bought", "expires_at": None}
_DEVICE: dict[str, Any] = {
    "hardware_id": "00-90-33-01-0A-FF",
    "name": "Reception",
    "project": 1,
    "added_at": "2026-11-24T12:00:00Z",
}
_TIME = "2026-11-24T12:00:00Z"
_LAST_CONTACT = "When it was last heard of, within an hour."

JWS = {
    "type": "object",
    "description": "A JWS in general JSON serialization (RFC 7515), as it was signed.",
    "properties": {
        "payload": {"type": "string"},
        "signatures": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"protected": {"type": "string"}, "signature": {"type": "string"}},
                "required": ["protected", "signature"],
            },
        },
    },
    "required": ["payload", "signatures"],
}
LIC_FILE = {
    "type": "object",
    "description": "The `.lic` file, byte for byte what the device installs. Save it as it is.",
    "properties": {
        "bundle": {"type": "string", "const": "olp/1"},
        "tag": {"type": "string", "description": "Changes with any part."},
        "license": JWS,
        "keyset": JWS,
        "chain": {"type": "array", "items": JWS},
    },
    "required": ["bundle", "tag", "license", "keyset", "chain"],
}


class Product(serializers.Serializer[models.Product]):
    """What is licensed: a code in one major version."""

    code = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(models.Product.Kind.choices)
    unit = serializers.CharField()
    returnable = serializers.BooleanField(help_text="Whether a device can give it back.")
    user_assignable = serializers.BooleanField(help_text="Whether it is counted by users of the PBX.")


@example(
    {
        "products": [
            {
                "code": "Port",
                "version": 14,
                "name": "Port",
                "kind": "pbx",
                "unit": "port",
                "returnable": True,
                "user_assignable": False,
            }
        ],
        "next": None,
    }
)
class ProductList(serializers.Serializer[Any]):
    products = Product(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


class BalanceRow(serializers.Serializer[queries.BalanceRow]):
    """One product in a balance."""

    product = serializers.CharField(source="product.code")
    version = serializers.IntegerField(source="product.version")
    name = serializers.CharField(source="product.name")
    unit = serializers.CharField(source="product.unit")
    free = serializers.IntegerField(help_text="Units that can be assigned or transferred.")
    assigned = serializers.IntegerField(help_text="Units on the devices of the project.")


@example(
    {
        "balance": [
            {"product": "Port", "version": 14, "name": "Port", "unit": "port", "free": 7, "assigned": 3}
        ]
    }
)
class Balance(serializers.Serializer[Any]):
    balance = BalanceRow(many=True)


class Line(serializers.Serializer[models.Transfer]):
    """A quantity of one product."""

    product = serializers.CharField(source="product.code")
    version = serializers.IntegerField(source="product.version")
    name = serializers.CharField(source="product.name")
    unit = serializers.CharField(source="product.unit")
    quantity = serializers.IntegerField()


@example({"last_four": "3PAZ", "order": "SO-000042", "reference": "Town hall, phase 2", "lines": [_LINE]})
class KeyContents(serializers.Serializer[Any]):
    """What an activation key holds."""

    last_four = serializers.CharField(source="activation_key.last_four")
    order = serializers.CharField(source="activation_key.order.number")
    reference = serializers.CharField(source="activation_key.order.reference")
    lines = Line(many=True)


@example({"last_four": "3PAZ", "lines": [_LINE]})
class Activation(serializers.Serializer[Any]):
    """What an activation key brought into the balance."""

    last_four = serializers.CharField(source="activation_key.last_four")
    lines = Line(source="transfers", many=True)


@example({"lines": [_LINE]})
class Transfer(serializers.Serializer[Any]):
    """What was transferred."""

    lines = Line(source="transfers", many=True)


class _Grant(serializers.Serializer[models.Grant]):
    id = serializers.SerializerMethodField()
    product = serializers.CharField(source="product.code")
    version = serializers.IntegerField(source="product.version")
    name = serializers.CharField(source="product.name")
    unit = serializers.CharField(source="product.unit")
    quantity = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)

    def get_id(self, grant: models.Grant) -> str:
        return queries.grant_id(grant)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Adds `class`, which is a word of Python's."""
        classes = serializers.ChoiceField(models.Grant.Class.choices, source="license_class")
        return {**super().get_fields(), "class": classes}


class Grant(_Grant):
    """One assignment, as the device's license document lists it."""


class LiveGrant(_Grant):
    """A live grant of a device."""

    undoable = serializers.SerializerMethodField(
        help_text="Whether the assignment can be undone: no license document handed out has carried it."
    )

    def get_undoable(self, grant: models.Grant) -> bool:
        return grant.pk in self.context["undoable"]


@example({"grant": _GRANT, "seq": 4})
class Assignment(serializers.Serializer[Any]):
    """A grant that was made or undone, and the license document that came of it."""

    grant = Grant()
    seq = serializers.IntegerField(source="document.seq", help_text="`seq` of the new license document.")


@example(_DEVICE)
class AddedDevice(serializers.Serializer[Any]):
    """A device that was added."""

    hardware_id = serializers.CharField()
    name = serializers.CharField()
    project = serializers.IntegerField(source="project_id")
    added_at = serializers.DateTimeField()


class ListedDevice(AddedDevice):
    """A device in a list."""

    last_contact_at = serializers.DateTimeField(
        source="contact.last_at", allow_null=True, help_text=_LAST_CONTACT
    )


@example({"devices": [{**_DEVICE, "last_contact_at": _TIME}], "next": None})
class DeviceList(serializers.Serializer[Any]):
    devices = ListedDevice(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


_KEY: dict[str, Any] = {
    "id": 1,
    "last_four": "3PAZ",
    "order": "SO-000042",
    "reference": "Town hall, phase 2",
    "activated_at": _TIME,
    "into_project": 1,
}


class ListedKey(serializers.Serializer[Any]):
    """An activation key that was activated."""

    id = serializers.IntegerField()
    last_four = serializers.CharField()
    order = serializers.CharField(source="order.number")
    reference = serializers.CharField(source="order.reference")
    activated_at = serializers.DateTimeField(source="activated_by.at")
    into_project = serializers.IntegerField(
        allow_null=True, help_text="The project whose balance it filled; null: the company's."
    )


@example({"keys": [_KEY], "next": None})
class KeyList(serializers.Serializer[Any]):
    keys = ListedKey(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


class HistoryEntry(serializers.Serializer[AuditEntry]):
    """One event: who, what, when."""

    at = serializers.DateTimeField()
    event = serializers.CharField(help_text="What happened, like `licenses-assigned`.")
    by = serializers.CharField(source="who", help_text="The person, program, device or command that did it.")
    project = serializers.IntegerField(source="project_id", allow_null=True)
    hardware_id = serializers.CharField(help_text="The device concerned; empty without one.")
    facts = serializers.DictField(help_text="Numbers and names that belong to the event.")


@example(
    {
        "history": [
            {
                "at": _TIME,
                "event": "licenses-assigned",
                "by": "token ERP",
                "project": 1,
                "hardware_id": "00-90-33-01-0A-FF",
                "facts": {"product": "Port 14", "quantity": 2, "seq": 4},
            }
        ],
        "next": None,
    }
)
class History(serializers.Serializer[Any]):
    history = HistoryEntry(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


class _Change(serializers.Serializer[Any]):
    company = serializers.IntegerField(allow_null=True)
    project = serializers.IntegerField(allow_null=True)
    device = serializers.CharField(allow_null=True, help_text="Its hardware ID.")
    product = serializers.CharField()
    version = serializers.IntegerField()
    before = serializers.IntegerField(help_text="Units held now.")
    after = serializers.IntegerField(help_text="Units held if it were done.")


@example(
    {
        "dry_run": True,
        "changes": [
            {
                "company": None,
                "project": 1,
                "device": None,
                "product": "Port",
                "version": 14,
                "before": 0,
                "after": 10,
            }
        ],
    }
)
class DryRun(serializers.Serializer[Any]):
    """What would change: nothing was changed."""

    dry_run = serializers.BooleanField(help_text="Always true.")
    changes = _Change(many=True)


def dry_run(tried: tuple[queries.Units, queries.Units]) -> dict[str, Any]:
    """What was seen before and after a rehearsal, in the shape of `DryRun`."""
    before, after = tried
    changes = [
        {
            "company": owner.pk if isinstance(owner, Company) else None,
            "project": owner.pk if isinstance(owner, Project) else None,
            "device": owner.hardware_id if isinstance(owner, devices.Device) else None,
            "product": product.code,
            "version": product.version,
            "before": before.get((owner, product), 0),
            "after": after.get((owner, product), 0),
        }
        for owner, product in dict.fromkeys((*before, *after))
    ]
    return {"dry_run": True, "changes": [row for row in changes if row["before"] != row["after"]]}


class Document(serializers.Serializer[models.LicenseDocument]):
    """The current license document of a device."""

    seq = serializers.IntegerField()
    issued_at = serializers.DateTimeField()
    handed_out_at = serializers.DateTimeField(allow_null=True, help_text="Null: no one has this one yet.")


@dataclass(frozen=True, kw_only=True)
class HeldLicenses:
    """A device with its live grants and its current license document."""

    device: devices.Device
    grants: Sequence[models.Grant]
    document: models.LicenseDocument | None


@example(
    {
        **_DEVICE,
        "last_contact_at": _TIME,
        "firmware": "14r2",
        "key_pinned_at": _TIME,
        "grants": [{**_GRANT, "undoable": False}],
        "document": {"seq": 4, "issued_at": _TIME, "handed_out_at": _TIME},
    }
)
class Device(serializers.Serializer[HeldLicenses]):
    """A device and what it holds."""

    hardware_id = serializers.CharField(source="device.hardware_id")
    name = serializers.CharField(source="device.name")
    project = serializers.IntegerField(source="device.project_id")
    added_at = serializers.DateTimeField(source="device.added_at")
    last_contact_at = serializers.DateTimeField(
        source="device.contact.last_at", allow_null=True, help_text=_LAST_CONTACT
    )
    firmware = serializers.CharField(source="device.contact.firmware", allow_null=True)
    key_pinned_at = serializers.DateTimeField(
        source="device.pinned_at",
        allow_null=True,
        help_text="When its key was first seen; no other key speaks for it.",
    )
    grants = LiveGrant(many=True)
    document = Document(allow_null=True)


class _Result(serializers.Serializer[Any]):
    grant = serializers.CharField(help_text="The grant's id.")
    result = serializers.ChoiceField(["returned", "already", "kept", "unknown"])


@example(
    {
        "kind": "return",
        "results": [{"grant": "AAECAwQFBgcICQoLDA0ODw", "result": "returned"}],
        "next_seq": 5,
        "installed_seq": None,
        "effective_seq": None,
        "claim": None,
    }
)
class CarriedStatement(serializers.Serializer[Any]):
    """What a carried statement did; members that belong to other kinds are null."""

    kind = serializers.ChoiceField(["return", "acknowledgement", "claim"])
    results = _Result(many=True, allow_null=True, help_text="Of a return: what became of each grant.")
    next_seq = serializers.IntegerField(
        allow_null=True, help_text="Of a return: the document that no longer lists what was given back."
    )
    installed_seq = serializers.IntegerField(allow_null=True)
    effective_seq = serializers.IntegerField(allow_null=True)
    claim = serializers.ChoiceField(["changed", "with-support"], allow_null=True)


def carried(uploaded: uploading.Uploaded) -> dict[str, Any]:
    """What came of a file, in the shape of `CarriedStatement`."""
    answer: dict[str, Any] = dict.fromkeys(CarriedStatement().fields)
    if uploaded.returned is not None:
        results = [{"grant": grant, "result": result} for grant, result in uploaded.returned.results]
        answer |= {"kind": "return", "results": results, "next_seq": uploaded.returned.next_seq}
    elif uploaded.acknowledged is not None:
        answer |= {
            "kind": "acknowledgement",
            "installed_seq": uploaded.acknowledged.installed_seq,
            "effective_seq": uploaded.acknowledged.effective_seq,
        }
    else:
        answer |= {"kind": "claim", "claim": uploaded.claimed}
    return answer


@example({"code": "7K2M-9QX4-TR0V-BN8H", "expires_at": _TIME})
class ClaimCode(serializers.Serializer[Any]):
    """A code for the device to sign, shown once."""

    code = serializers.CharField()
    expires_at = serializers.DateTimeField()
