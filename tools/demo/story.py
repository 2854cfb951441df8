"""A license on its way, over HTTP only: from an activation key through a project to a device that runs it."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.demo.partner import Partner

if TYPE_CHECKING:
    from tools.demo.setting import Setting

ORDER = "DEMO-1"
HARDWARE_ID = "00-90-33-01-0A-FF"
VERSION = 14
ASSIGNED = {"Port": 10, "UC": 5, "Channels": 4}


class StoryRefusal(Exception):
    """The story cannot be told; the message says why."""


@dataclass(frozen=True, kw_only=True)
class DemoData:
    """What `manage.py load_demo` prints. A code is None once it is no longer kept."""

    password: str
    people: dict[str, str]
    project: int
    keys: dict[str, str | None]


def tell(setting: "Setting", demo: DemoData) -> None:
    """Take the license from the key to the device, as far as that has not happened yet, and say so.

    :raises PortalRefusal: the portal refused a step.
    :raises StoryRefusal: the key to begin with is gone.
    """
    portal = Partner(setting.portal_origin)
    email = next(iter(demo.people))
    portal.sign_in(email, demo.password)
    print(f"Portal with demo data at {setting.portal_address}, signed in as {email}.")
    if not _has_licenses(portal, demo):
        _buy(portal, demo)
    else:
        print(f"Device {HARDWARE_ID} has its licenses from an earlier start.")
    print("The device fetches:", *setting.appliance("fetch").splitlines())
    if json.loads(setting.appliance("status", "--json"))["reset_required"]:
        print("Installed is not in effect before a reset:", *setting.appliance("reset").splitlines())
    print("\nOn the device now:")
    print(setting.appliance("status").rstrip())


def _has_licenses(portal: Partner, demo: DemoData) -> bool:
    listed = portal.get(f"projects/{demo.project}/devices")["devices"]
    if HARDWARE_ID not in [device["hardware_id"] for device in listed]:
        return False
    return bool(portal.get(f"devices/{HARDWARE_ID}")["grants"])


def _buy(portal: Partner, demo: DemoData) -> None:
    code = demo.keys[ORDER]
    if code is None:
        raise StoryRefusal("The demo's activation key is no longer kept. Start anew: remove the folder var.")
    held = portal.post("keys/look-up", {"code": code, "company": portal.company(demo.project)})
    lines = ", ".join(f"{line['quantity']} x {line['product']} {line['version']}" for line in held["lines"])
    print(f"Activation key {code} holds {lines}.")
    portal.post("keys/activate", {"code": code, "project": demo.project}, act="demo-activate")
    print("Activated into the project Town Hall.")
    portal.post(
        f"projects/{demo.project}/devices",
        {"hardware_id": HARDWARE_ID, "name": "Town hall PBX"},
        act="demo-device",
    )
    print(f"Device {HARDWARE_ID} added.")
    for product, quantity in ASSIGNED.items():
        assignment = portal.post(
            f"devices/{HARDWARE_ID}/assignments",
            {"product": product, "version": VERSION, "quantity": quantity},
            act=f"demo-assign-{product}",
        )
        print(f"{quantity} x {product} {VERSION} assigned to it: license document seq {assignment['seq']}.")
