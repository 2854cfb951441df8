"""A list of orders whose worker is killed five times makes exactly its keys, none twice (mission rule 8)."""

import csv
import io
import subprocess
from pathlib import Path

import pytest
import pyzipper
from django.conf import settings

from accounts.models import User
from accounts.permissions import Role
from licenses import verification
from licenses.models import ActivationKey, LogLeaf, Order
from orders import order_sheet, upload_checks, uploads
from orders.models import OrderUpload
from portal.core import clock
from portal.core.models import Act, LongJob
from tests import factories
from tests.factories import caller
from tests.long_jobs import killing


def worker(folder: Path, place: str = "", number: int = 0) -> subprocess.Popen[bytes]:
    # What it keeps for delivery is read here.
    ours = {
        "DELIVERY_KEYS": " ".join(settings.DELIVERY_KEYS),
        "ACTIVATION_CODE_PEPPER": settings.ACTIVATION_CODE_PEPPER.decode(),
    }
    return killing.worker("killing_lists", folder, place, number, settings=ours)


def killed(folder: Path, place: str, number: int) -> None:
    killing.kill_at_its_place(worker(folder, place, number))


def asked_for(count: int, clerk: User) -> OrderUpload:
    """A list of so many orders of one line, confirmed."""
    lines = "".join(f"B-{number:06};Port;14;2\n" for number in range(count))
    sheet = order_sheet.read(f"order;code;version;quantity\n{lines}".encode())
    now = clock.now()
    kept = upload_checks.keep_upload(sheet=sheet, name="list", user=clerk, caller=caller(clerk), now=now)
    return uploads.confirm_upload(upload=kept, caller=caller(clerk), now=now)


def handed_out(upload: OrderUpload) -> list[str]:
    """The keys in the file."""
    passphrase, who = uploads.new_passphrase(), caller(upload.made_by)
    parts = uploads.take_keys(upload=upload, passphrase=passphrase, caller=who, now=clock.now())
    with pyzipper.AESZipFile(io.BytesIO(b"".join(parts))) as archive:
        archive.setpassword(passphrase.encode())
        return [row["key"] for row in csv.DictReader(io.StringIO(archive.read("keys.csv").decode()))]


@pytest.mark.serial
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue")
class TestKilledWorkers:
    @pytest.mark.parametrize(
        ("count", "chunk", "places"),
        [
            (
                2_000,
                250,
                [("inside", 0), ("inside", 1), ("after", 2), ("inside", 4), ("after", 6)],
            ),
            pytest.param(
                100_000,
                500,
                [("inside", 0), ("after", 40), ("inside", 90), ("inside", 150), ("after", 198)],
                marks=pytest.mark.long,
            ),
        ],
        ids=["2,000", "100,000"],
    )
    def test_a_list_makes_exactly_its_keys(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        count: int,
        chunk: int,
        places: list[tuple[str, int]],
    ) -> None:
        monkeypatch.setattr(upload_checks, "CHUNK", chunk)
        clerk = factories.make_user(name="Frank", is_staff=True, roles=[Role.FULFILMENT])
        upload = asked_for(count, clerk)

        for place, number in places:
            killed(tmp_path, place, number)
            assert Order.objects.count() == (number + (place == "after")) * chunk
        with worker(tmp_path) as first, worker(tmp_path) as second:
            assert (first.wait(600), second.wait(600)) == (0, 0)

        job = LongJob.objects.get()
        assert (job.state, job.done, job.slices) == ("done", count, count // chunk)
        for table in (Order, ActivationKey, LogLeaf):
            assert table.objects.count() == count
        assert Act.objects.filter(operation="issue-key").count() == count
        keys = handed_out(upload_checks.get_upload(upload.pk, user=clerk))
        assert len(set(keys)) == len(keys) == count
        assert list(verification.violations()) == []
