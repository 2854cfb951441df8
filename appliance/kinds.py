"""Which products this firmware counts, and where: by exact names, nothing is guessed from a part of one."""

from enum import StrEnum
from typing import Final


class Feature(StrEnum):
    """What a user or a config template can be marked with (mission rule 33); the value is the product."""

    UC = "UC"
    MYPBX = "myPBX"
    REPORTING = "Reporting"
    FAX = "Fax"
    VOICEMAIL = "Voicemail"
    MOBILITY = "Mobility"
    VIDEO = "Video"
    APPLICATION_SHARING = "ApplicationSharing"


FEATURES: Final = tuple(Feature)
FEATURE_WORDS: Final = {
    Feature.UC: "UC",
    Feature.MYPBX: "myPBX",
    Feature.REPORTING: "Reporting",
    Feature.FAX: "Fax",
    Feature.VOICEMAIL: "Voicemail",
    Feature.MOBILITY: "Mobility",
    Feature.VIDEO: "Video",
    Feature.APPLICATION_SHARING: "Application sharing",
}
GATEWAY: Final = {
    "Channels": "Channels",
    "BRI": "BRI interfaces",
    "PRI": "PRI interfaces",
    "Gatekeeper": "Gatekeeper registrations",
    "DECT": "DECT base stations",
}
"""Counted on Gateway/General."""
PBX: Final = {
    "Port": "Ports",
    "Standby": "Standby devices",
    "SoftwarePhone": "Software phones",
    "Operator": "Operators",
    "App": "App users",
    "Service": "Service users",
}
"""Counted on PBX/General, beside the features of users."""
COUNTED: Final = (*GATEWAY, *PBX)
"""Products of which any number can be wanted; how many users want a feature, their marks say."""
