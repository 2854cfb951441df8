"""What the doors on test licenses answer."""

from typing import Any

from rest_framework import serializers

from accounts.api.outputs import example
from licenses import models, trial_queries

_WAITING: dict[str, Any] = {
    "hardware_id": "00-90-33-01-0A-FF",
    "state": "waiting",
    "version": 14,
    "slave": False,
    "quantity": 10,
    "created_at": "2026-11-24T12:00:00Z",
    "started_at": None,
    "ends_at": None,
    "contents": [
        {"product": "UC", "version": 14, "name": "Unified Communications", "unit": "user", "quantity": 10}
    ],
}


class Content(serializers.Serializer[trial_queries.Content]):
    """How many units of a product a test license holds."""

    product = serializers.CharField(source="product.code")
    version = serializers.IntegerField(source="product.version")
    name = serializers.CharField(source="product.name")
    unit = serializers.CharField(source="product.unit")
    quantity = serializers.IntegerField()


@example(_WAITING)
class TestLicense(serializers.Serializer[trial_queries.TestLicenseRecord]):
    """The test license of a device, as it is at the moment of the answer."""

    __test__ = False  # for pytest, which takes the name for that of a test

    hardware_id = serializers.CharField(source="test_license.hardware_id")
    state = serializers.ChoiceField(
        ["waiting", "running", "given-back", "ended"],
        help_text="Waiting for its first download, running, given back by the device before its end, ended.",
    )
    version = serializers.IntegerField(source="test_license.version")
    slave = serializers.BooleanField(source="test_license.slave")
    quantity = serializers.IntegerField(
        source="test_license.quantity", allow_null=True, help_text="Of each PBX license; null for a slave."
    )
    created_at = serializers.DateTimeField(source="test_license.made_at")
    started_at = serializers.DateTimeField(
        source="test_license.started_at", allow_null=True, help_text="When it was first downloaded."
    )
    ends_at = serializers.DateTimeField(
        source="test_license.ends_at", allow_null=True, help_text="Fixed by the first download."
    )
    contents = Content(many=True)


@example({"test_licenses": [_WAITING], "next": None})
class TestLicenseList(serializers.Serializer[Any]):
    __test__ = False

    test_licenses = TestLicense(many=True)
    next = serializers.CharField(allow_null=True, help_text="`after` of the next page; null on the last one.")


@example({"hardware_id": "00-90-33-01-0A-FF", "version": 14, "withdrawn_at": "2026-11-24T12:00:00Z"})
class WithdrawnTestLicense(serializers.Serializer[models.TestLicense]):
    """A test license that was withdrawn before anybody downloaded it."""

    hardware_id = serializers.CharField()
    version = serializers.IntegerField()
    withdrawn_at = serializers.DateTimeField(source="voided_at")
