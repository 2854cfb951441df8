"""What the doors on devices, keys and balances take. Shape only: operations hold the rules."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts.api.inputs import Flag, Input, Integer, Text
from accounts.api.paging import Filters, Page, Position
from devices import hardware_id
from devices.jose import MAX_TOKEN_BYTES

_IN_PROJECT = {"project": 1}
_IN_COMPANY = {"company": 1}


@extend_schema_field({"type": "string", "pattern": hardware_id.PATTERN})
class _CanonicalHardwareID(serializers.CharField):
    """Only the form in which answers write it: a position in a list is handed back as it came."""

    def to_internal_value(self, data: str) -> str:
        text: str = super().to_internal_value(data)
        if not hardware_id.is_canonical(text):
            raise serializers.ValidationError(_("This is not a hardware ID in canonical form."))
        return text


class DevicePage(Filters):
    """Query parameters of a list of devices, hence texts."""

    hardware_id = serializers.CharField(
        required=False,
        default="",
        max_length=40,
        allow_blank=True,
        help_text="Only hardware IDs with this part; `-`, `:`, `.`, blanks and case do not matter.",
    )
    name = serializers.CharField(
        required=False, default="", max_length=100, allow_blank=True, help_text="Only names with this part."
    )
    after = _CanonicalHardwareID(
        required=False,
        default="",
        help_text="Only devices after this hardware ID: `next` of the answer before.",
    )


class TestLicensePage(Filters):
    """Query parameters of a list of test licenses, hence texts."""

    __test__ = False  # for pytest, which takes the name for that of a test

    after = _CanonicalHardwareID(
        required=False,
        default="",
        help_text="Only those of devices after this hardware ID: `next` of the answer before.",
    )


class KeyPage(Page):
    last = serializers.CharField(
        required=False,
        default="",
        max_length=4,
        allow_blank=True,
        help_text="Only keys that end in these characters, at most four.",
    )
    order = serializers.CharField(
        required=False,
        default="",
        max_length=40,
        allow_blank=True,
        help_text="Only order numbers with this.",
    )
    reference = serializers.CharField(
        required=False,
        default="",
        max_length=100,
        allow_blank=True,
        help_text="Only references with this.",
    )


class HistoryPage(Filters):
    """Query parameters of a history, hence texts."""

    since = serializers.DateTimeField(
        required=False, default=None, help_text="Only what happened at this time or later."
    )
    until = serializers.DateTimeField(
        required=False, default=None, help_text="Only what happened before this time."
    )
    after = serializers.RegexField(
        "^[0-9]{1,17}-[0-9]{1,18}$", required=False, default="", help_text="`next` of the answer before."
    )


class ProjectHistoryPage(HistoryPage):
    device = _CanonicalHardwareID(required=False, default="", help_text="Only of this device.")


class CompanyHistoryPage(ProjectHistoryPage):
    project = Position(required=False, default=None, help_text="Only of this project.")


@extend_schema_serializer(
    examples=[OpenApiExample("A device", value={"hardware_id": "00-90-33-01-0A-FF", "name": "Reception"})]
)
class NewDevice(Input):
    hardware_id = Text(help_text="As the type label shows it; `-`, `:`, `.`, blanks or nothing between.")
    name = Text(required=False, default="", help_text="At most 100 characters.")


@extend_schema_serializer(
    examples=[OpenApiExample("Ten ports", value={"product": "Port", "version": 14, "quantity": 10})]
)
class NewAssignment(Input):
    product = Text(help_text="The product's code.")
    version = Integer(help_text="The product's major version.")
    quantity = Integer(help_text="How many units, from 1.")


@extend_schema_serializer(
    examples=[
        OpenApiExample("For a PBX", value={"version": 14, "quantity": 10}),
        OpenApiExample("For a slave", value={"version": 14, "slave": True}),
    ]
)
class NewTestLicense(Input):
    version = Integer(help_text="The major version of the device's firmware.")
    slave = Flag(required=False, default=False, help_text="For a slave: the gateway licenses only.")
    quantity = Integer(
        required=False, default=None, allow_null=True, help_text="Of each PBX license; left out for a slave."
    )


@extend_schema_serializer(
    examples=[OpenApiExample("A statement", value={"statement": "eyJhbGciOiJFUzI1NiIsInR5c…"})]
)
class StatementToCarry(Input):
    statement = Text(max_length=MAX_TOKEN_BYTES, help_text="The text of the `.jws` file the device wrote.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A claim",
            value={"hardware_id": "00-90-33-01-0A-FF", "statement": "eyJhbGciOiJFUzI1NiIsInR5c…"},
        )
    ]
)
class ClaimToCarry(StatementToCarry):
    hardware_id = Text(help_text="The device that signed it.")


@extend_schema_serializer(examples=[OpenApiExample("A device", value={"hardware_id": "00-90-33-01-0A-FF"})])
class NewClaimCode(Input):
    hardware_id = Text(help_text="As the type label shows it; `-`, `:`, `.`, blanks or nothing between.")


class BalanceName(Input):
    """A balance: the one of a company, or the one of a project. Exactly one is named."""

    company = Integer(required=False)
    project = Integer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("company" in attrs) == ("project" in attrs):
            raise serializers.ValidationError(_("Name either a company or a project."))
        return attrs


@extend_schema_serializer(
    examples=[OpenApiExample("A key", value={"code": "7K2M9-QX4TR-0VBN8-HJC5E-W3PAZ", "company": 1})]
)
class KeyLookUp(Input):
    code = Text(help_text="The activation key as printed; blanks, dashes and case do not matter.")
    company = Integer(help_text="The company of yours for which you look.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Into a project", value={"code": "7K2M9-QX4TR-0VBN8-HJC5E-W3PAZ", "project": 1}, request_only=True
        ),
        OpenApiExample(
            "Into a company's balance",
            value={"code": "7K2M9-QX4TR-0VBN8-HJC5E-W3PAZ", "company": 1},
            request_only=True,
        ),
    ]
)
class KeyActivation(BalanceName):
    """An activation key, and where its licenses go: exactly one of `company` and `project`."""

    code = Text(help_text="The activation key as printed; blanks, dashes and case do not matter.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "From the company to a project",
            value={
                "source": _IN_COMPANY,
                "destination": _IN_PROJECT,
                "product": "Port",
                "version": 14,
                "quantity": 10,
            },
        )
    ]
)
class NewTransfer(Input):
    # A field's own `source` is an attribute of instances; a declared field never becomes one of the class.
    source = BalanceName()  # type: ignore[assignment]
    destination = BalanceName()
    product = Text(help_text="The product's code.")
    version = Integer(help_text="The product's major version.")
    quantity = Integer(help_text="How many units, from 1.")


@extend_schema_serializer(examples=[OpenApiExample("Another project", value={"project": 2})])
class NewProjectOfDevice(Input):
    project = Integer(help_text="A project of the same company.")


@extend_schema_serializer(
    examples=[OpenApiExample("A company", value={"company": 17, "name": "Example Telecom (by accident)"})]
)
class NewImport(Input):
    company = Integer(help_text="The number of the company that shall be taken in: its id.")
    name = Text(help_text="Its name; upper and lower case do not matter.")
