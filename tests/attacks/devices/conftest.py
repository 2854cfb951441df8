"""A portal that answers over HTTP and real appliances, as tests/journeys has them."""

from tests.journeys.conftest import authority, make_appliance, portal
from tests.journeys.test_return import appliance

__all__ = ["appliance", "authority", "make_appliance", "portal"]
