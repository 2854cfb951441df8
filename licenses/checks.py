"""System checks: an upgrade stops, with the command to run, before it signs with what it lacks.

`manage.py migrate` runs them; `manage.py keys check` looks at key files as well. A demo's identity is refused
earlier, when settings are read.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import Error, Tags, register
from django.db import connections

from licenses import key_inspection
from licenses.key_inspection import Shortcoming
from licenses.models import KeySetVersion


@register(Tags.database)
def key_set_does_for_this_release(databases: Sequence[str] | None = None, **_options: Any) -> list[Error]:
    """The key set, if there is one, has a key in use for each algorithm, and is no demo's."""
    if not databases or "default" not in databases:
        return []
    connection = connections["default"]
    # `migrate` checks before it makes the tables for the first time.
    if KeySetVersion._meta.db_table not in connection.introspection.table_names():
        return []
    return [_error(shortcoming) for shortcoming in key_inspection.key_set_shortcomings()]


def _error(shortcoming: Shortcoming) -> Error:
    return Error(shortcoming.text, hint=shortcoming.way_out, id=shortcoming.id)
