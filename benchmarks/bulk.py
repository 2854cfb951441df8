"""A list of many orders beside the bare inserts of the same rows: `python -m benchmarks.bulk [--keys N]`.

Run it on PostgreSQL of its own: `python -m tools.services -- python -m benchmarks.bulk`. The floor
(`benchmarks.orders`) writes the rows of as many orders in batches, with their codes hashed and encrypted, and
without reading, checking, idempotency or a bar. Exit code 1 if a key is missing or the books are wrong.
"""

import argparse
import io
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ.setdefault("DEMO", "1")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import StaffRole, User  # noqa: E402
from accounts.permissions import Role  # noqa: E402
from benchmarks import orders  # noqa: E402
from licenses import queries, verification  # noqa: E402
from licenses.models import ActivationKey  # noqa: E402
from orders import upload_checks, uploads  # noqa: E402
from portal.core import acts, clock, outbox, tasks  # noqa: E402, F401
from portal.core.acts import Caller  # noqa: E402


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keys", type=int, default=100_000)
    count: int = parser.parse_args().keys
    call_command("migrate", verbosity=0)
    call_command("load_catalogue", verbosity=0, stdout=io.StringIO())
    taken: dict[str, float] = {}
    with _timed(taken, "floor: bare inserts"):
        product = queries.get_product(code="Port", version=14)
        orders.issue_keys(count=count, product=product, quantity=2, now=clock.now())
    _analyze()
    before = _peak()
    clerk = _clerk()
    content = _list(count)
    with _timed(taken, "take in"):
        upload = upload_checks.keep_file(
            content=content, name="bulk.csv", user=clerk, caller=_caller(clerk), now=clock.now()
        )
    with _timed(taken, "read and check"):
        _work_off()
    with _timed(taken, "enter"):
        uploads.confirm_upload(upload=upload, caller=_caller(clerk), now=clock.now())
        _work_off()
    with _timed(taken, "hand out"):
        parts = uploads.take_keys(
            upload=upload, passphrase=uploads.new_passphrase(), caller=_caller(clerk), now=clock.now()
        )
        size = sum(map(len, parts))
    floor = taken["floor: bare inserts"]
    for name, seconds in taken.items():
        print(f"{name:24} {seconds:8.1f} s  {count / seconds:8.0f} keys/s  {seconds / floor:5.2f} x floor")
    print(f"peak memory {_peak():.0f} MB, {before:.0f} MB before the list")
    print(f"file of {size:,} bytes")
    sound = ActivationKey.objects.count() == 2 * count and not list(verification.violations())
    print("books: right" if sound else "books: WRONG")
    return 0 if sound else 1


def _work_off() -> None:
    while outbox.work_off(clock=clock.now):
        pass


@contextmanager
def _timed(taken: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    taken[name] = time.perf_counter() - started


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _analyze() -> None:
    # As autovacuum would have done by the time so much had grown by itself.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _clerk() -> User:
    clerk = User.objects.create_user(
        "clerk@example.com", None, forename="Clerk", surname="Example", is_staff=True
    )
    StaffRole.objects.create(user=clerk, role=Role.FULFILMENT, given_at=clock.now())
    return clerk


def _caller(user: User) -> Caller:
    return Caller(scope=f"user:{user.pk}", key=acts.new_key(), name="benchmark", user_id=user.pk)


def _list(count: int) -> bytes:
    lines = (f"LIST-{number:07},PO {number},Example Telecom,Port,14,2" for number in range(count))
    return "\n".join(["order,reference,customer,code,version,quantity", *lines]).encode()


if __name__ == "__main__":
    sys.exit(main())
