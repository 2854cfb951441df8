"""One-time notices on the page, kept in a cookie of the device's own."""

from django.contrib.messages.storage.cookie import CookieStorage


class NoticeStorage(CookieStorage):
    """Django's cookie storage under a name the portal on the same host does not use."""

    cookie_name = "appliance_notices"
