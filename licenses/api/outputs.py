"""What the doors on devices, keys and balances answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from accounts.api.outputs import NEXT, example
from devices import models as devices
from licenses import models, queries, uploading

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


class ReturnedGrant(serializers.Serializer[Any]):
    """What became of a grant that a return names."""

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
    results = ReturnedGrant(many=True, allow_null=True, help_text="Of a return: what became of each grant.")
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
