"""Django's sessions in the database, read by a query whose plan is kept (docs/decisions/0017)."""

from typing import Any

from django.contrib.sessions.backends import db

from accounts import kept_reads
from portal.core import clock


class SessionStore(db.SessionStore):
    """Written as ever; what a request reads first says as well whether the connection stands."""

    def load(self) -> dict[str, Any]:
        stored = kept_reads.session_data(self.session_key or "", now=clock.now())
        if stored is None:
            self._session_key = None
            return {}
        return self.decode(stored)
