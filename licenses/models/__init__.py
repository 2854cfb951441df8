"""What: products, keys, the ledger's rows, license documents, the log. Names of constraints are sentences."""

from licenses.models.books import Grant, Holder, Holding, Transfer, random_bytes
from licenses.models.claims import ClaimCode
from licenses.models.documents import Acknowledged, KeySetVersion, LicenseDocument, Return
from licenses.models.imports import CompanyImport
from licenses.models.log import LogLeaf, LogLine
from licenses.models.moves import Bridge, Evidence, Move
from licenses.models.orders import ActivationKey, KeyDelivery, Order, Product, ReplacementRequest
from licenses.models.trials import Reminder, TestLicense

__all__ = [
    "Acknowledged",
    "ActivationKey",
    "Bridge",
    "ClaimCode",
    "CompanyImport",
    "Evidence",
    "Grant",
    "Holder",
    "Holding",
    "KeyDelivery",
    "KeySetVersion",
    "LicenseDocument",
    "LogLeaf",
    "LogLine",
    "Move",
    "Order",
    "Product",
    "Reminder",
    "ReplacementRequest",
    "Return",
    "TestLicense",
    "Transfer",
    "random_bytes",
]
