"""A device as a person stands to it, by a query whose plan is kept (docs/decisions/0017)."""

from dataclasses import dataclass

from accounts import kept_reads
from accounts.kept_reads import Standing
from accounts.models import Company, Project
from devices.models import Device, DeviceContact
from portal.core.kept_queries import Columns, KeptQuery, columns_of, listed

_DEVICE, _CONTACT = columns_of(Device), columns_of(DeviceContact)
OF_PERSON = KeptQuery(
    function="devices_device_of_person",
    parameters=("hardware_id", "user_id"),
    sql=f"""
    SELECT {kept_reads.RIGHTS},
           {listed("project", columns_of(Project))}, {listed("company", columns_of(Company))},
           {listed("device", _DEVICE)}, {listed("contact", _CONTACT)}
    FROM devices_device device
    JOIN accounts_project project ON project.id = device.project_id
    JOIN accounts_company company ON company.id = project.company_id
    LEFT JOIN devices_devicecontact contact ON contact.device_id = device.id
    WHERE device.hardware_id = %(hardware_id)s AND device.released_at IS NULL
    """,  # noqa: S608 (the columns are models')
)
"""A change of it is a migration as well: PostgreSQL has it as a function."""


@dataclass(frozen=True, kw_only=True)
class DeviceOfPerson:
    """A device with its project, company and contact, and how the person stands in the project."""

    device: Device
    standing: Standing


def of_person(hardware_id: str, *, user_id: int) -> DeviceOfPerson | None:
    """The device of a hardware ID, in canonical form, that some project has; whoever may see it."""
    row = OF_PERSON.row({"hardware_id": hardware_id, "user_id": user_id})
    if row is None:
        return None
    read = Columns(row)
    standing = kept_reads.standing(read)
    device, contact = read.row(Device, _DEVICE), read.row(DeviceContact, _CONTACT)
    device.project = standing.project
    # As `select_related` leaves it, also where the device was never heard of.
    device._state.fields_cache["contact"] = contact if contact.pk is not None else None
    return DeviceOfPerson(device=device, standing=standing)
