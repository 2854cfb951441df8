"""The cells of the page floor, as Django's documentation writes parts of pages: inclusion tags.

They are the floor's own, so that it stays where it is when the portal's parts become cheaper.
"""

from datetime import UTC, datetime
from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("floors/hardware_id.html")
def floor_hardware_id(value: str, href: str = "") -> dict[str, Any]:
    """A hardware ID with a copy button, and a link to its page."""
    return {"value": value, "href": href}


@register.inclusion_tag("floors/moment.html")
def floor_moment(instant: datetime) -> dict[str, Any]:
    """An instant in UTC."""
    return {"instant": instant.astimezone(UTC)}
