"""What workers of the portal have to know of orders: the long job that enters a list of them."""

from orders import uploads

__all__ = ["uploads"]
