"""The starting catalogue: the publicly known product names, for versions 11 to 14.

Which kinds come back (mission rule 17) and which are for users (mission rule 33) follow from the rules; the
names are public, everything else is ours.
"""

from dataclasses import dataclass

VERSIONS = (11, 12, 13, 14)


@dataclass(frozen=True, kw_only=True)
class CatalogueEntry:
    """A product as the catalogue starts with it, the same in every version."""

    code: str
    name: str
    kind: str
    unit: str
    user_assignable: bool = False
    weight: int = 1
    test_quantity: int | None = None
    """Units in every test license; only gateway kinds have a number of their own."""

    @property
    def returnable(self) -> bool:
        """Gateway licenses and warranty extensions stay with the device (mission rule 17)."""
        return self.kind in {"pbx", "app", "service"}

    @property
    def in_test_set(self) -> bool:
        """Gateway kinds, apps, services, and what users of a PBX are given (mission rule 20)."""
        return self.kind in {"gateway", "app", "service"} or self.user_assignable


def _gateway(code: str, name: str, unit: str, *, test: int) -> CatalogueEntry:
    return CatalogueEntry(code=code, name=name, kind="gateway", unit=unit, test_quantity=test)


def _user(code: str, name: str) -> CatalogueEntry:
    return CatalogueEntry(code=code, name=name, kind="pbx", unit="user", user_assignable=True)


CATALOGUE: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(code="Port", name="Port", kind="pbx", unit="port", weight=2),
    CatalogueEntry(code="Standby", name="Standby", kind="pbx", unit="device", weight=5),
    _gateway("Channels", "Channels", "channel", test=30),
    _gateway("BRI", "BRI interface", "interface", test=4),
    _gateway("PRI", "PRI interface", "interface", test=1),
    _gateway("Gatekeeper", "Gatekeeper", "registration", test=50),
    _user("UC", "Unified Communications"),
    _user("Voicemail", "Voicemail"),
    _user("Mobility", "Mobility"),
    _user("Video", "Video"),
    _user("Fax", "Fax"),
    _user("Reporting", "Reporting"),
    _user("myPBX", "myPBX"),
    _user("ApplicationSharing", "Application Sharing"),
    CatalogueEntry(code="SoftwarePhone", name="Software Phone", kind="pbx", unit="phone"),
    CatalogueEntry(code="Operator", name="Operator", kind="pbx", unit="operator", weight=3),
    _gateway("DECT", "DECT", "base station", test=5),
    CatalogueEntry(code="App", name="App", kind="app", unit="user"),
    CatalogueEntry(code="Service", name="Service", kind="service", unit="user"),
    CatalogueEntry(code="Warranty", name="Warranty extension", kind="warranty", unit="year"),
)
