"""Holds what a partner's programs were told against the books: `python -m tests.production.books`."""

import json
import os
import sys
from collections import Counter
from io import StringIO
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
django.setup()

from django.core.management import CommandError, call_command  # noqa: E402

from licenses.models import ActivationKey, Grant, Transfer  # noqa: E402
from portal.core.models import Act  # noqa: E402


def books(given: dict[str, Any]) -> dict[str, Any]:
    """missing: acknowledged, and not in the books; twice: in them more than once; unasked: made by no request
    that was acknowledged; wrong: what `ledger verify` found."""
    acknowledged: dict[str, str] = given["acknowledged"]
    acts = Act.objects.filter(scope=f"company:{given['company']}")
    found = {act.key: act for act in acts}
    times = Counter(acts.values_list("key", flat=True))
    made = Counter(Grant.objects.filter(made_by__in=found.values()).values_list("made_by_id", flat=True))
    emptied = Counter(
        Transfer.objects.filter(act__in=found.values(), source__kind="key").values_list("act_id", flat=True)
    )
    effects = {key: made[act.pk] + emptied[act.pk] for key, act in found.items()}
    return {
        "acknowledged": dict(Counter(acknowledged.values())),
        "missing": [key for key in acknowledged if effects.get(key, 0) == 0],
        "twice": [key for key, count in effects.items() if count > 1 or times[key] > 1],
        "unasked": [key for key in found if key not in acknowledged],
        "activated": ActivationKey.objects.filter(activated_by__in=found.values()).count(),
        "wrong": _verified(),
    }


def _verified() -> str:
    said = StringIO()
    try:
        call_command("ledger", "verify", stdout=said)
    except CommandError as error:
        return f"{error}\n{said.getvalue()}"
    return ""


if __name__ == "__main__":
    json.dump(books(json.load(sys.stdin)), sys.stdout)
