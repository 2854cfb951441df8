"""What only the vendor's own machines ask: whether every part is ready, and the metrics."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import User
from licenses import readiness
from portal.core import clock, metrics, outbox, schedule, signs
from portal.core.models import OutboxJob
from portal.core.readiness import State
from tests import factories
from tests.conftest import Keys

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _signs_are_written_anew() -> Iterator[None]:
    signs._last.clear()
    yield
    signs._last.clear()


@pytest.fixture
def everything(keyring: Keys) -> None:
    """Keys are published, and a worker gave a sign."""
    signs.give(signs.WORKER, now=clock.now())


def states() -> dict[str, State]:
    return {part.name: part.state for part in readiness.parts(now=clock.now())}


def samples(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every value of /metrics, by name and labels, as Prometheus reads it."""
    answer = client.get("/metrics", headers={"host": "web:8000"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def value(client: Client, name: str, **labels: str) -> float:
    return samples(client).get((f"license_portal_{name}", tuple(sorted(labels.items()))), 0.0)


class TestReadiness:
    def test_says_of_every_part_that_it_is_ready(self, client: Client, everything: None) -> None:
        answer = client.get("/readyz", headers={"host": "10.0.0.7:8000"})

        assert answer.status_code == 200
        assert answer.json()["state"] == "ready"
        parts = {part["name"]: part["state"] for part in answer.json()["parts"]}
        assert parts == dict.fromkeys(
            ("database", "migrations", "redis", "keys", "outbox", "worker"), "ready"
        )

    def test_is_refused_without_keys_and_says_what_to_run(self, client: Client) -> None:
        answer = client.get("/readyz")

        assert answer.status_code == 503
        [keys] = [part for part in answer.json()["parts"] if part["name"] == "keys"]
        assert keys["state"] == "failed"
        assert "manage.py keys publish" in keys["detail"]

    def test_is_refused_while_a_migration_is_to_come(self, client: Client, everything: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'core' AND name LIKE '0001%'")

        answer = client.get("/readyz")

        assert answer.status_code == 503
        [part] = [part for part in answer.json()["parts"] if part["name"] == "migrations"]
        assert part == {
            "name": "migrations",
            "state": "failed",
            "detail": "1 are to come: manage.py migrate",
        }

    def test_is_degraded_when_jobs_are_late_or_nobody_works(self, client: Client, keyring: Keys) -> None:
        late = clock.now() - timedelta(minutes=6)
        OutboxJob.objects.create(handler="tidy-long-jobs", created_at=late, due_at=late)
        signs.give(signs.WORKER, now=clock.now() - timedelta(minutes=4))

        answer = client.get("/readyz")

        assert answer.status_code == 200, "a balancer that takes the portal away would help nobody"
        assert answer.json()["state"] == "degraded"
        assert states() | {"outbox": "degraded", "worker": "degraded"} == states()

    def test_is_degraded_without_redis(self, everything: None, settings: LazySettings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        assert states()["redis"] is State.DEGRADED

    def test_answers_nobody_who_comes_through_a_proxy(self, client: Client, everything: None) -> None:
        for path in ("/readyz", "/metrics"):
            assert client.get(path, headers={"x-forwarded-for": "192.0.2.7"}).status_code == 404


class TestMetrics:
    def test_count_requests_by_route_and_problems_by_code(self, client: Client) -> None:
        of_route = {"method": "GET", "route": "problems/<slug:code>", "status": "200"}
        before = value(client, "requests_total", **of_route)
        measured = value(client, "request_duration_seconds_count", route="problems/<slug:code>")
        problems = value(client, "problems_total", code="not-found")

        client.get("/problems/not-found")
        client.get("/nowhere/at/all")

        assert value(client, "requests_total", **of_route) == before + 1
        assert value(client, "problems_total", code="not-found") == problems + 1
        assert value(client, "requests_total", method="GET", route="none", status="404") >= 1
        assert value(client, "request_duration_seconds_count", route="problems/<slug:code>") == measured + 1

    def test_keep_methods_that_nobody_knows_together(self, client: Client) -> None:
        client.generic("BREW", "/nowhere")

        assert value(client, "requests_total", method="other", route="none", status="404") >= 1
        assert not any("BREW" in str(labels) for _name, labels in samples(client))

    @pytest.mark.django_db(transaction=True)
    def test_count_acts_that_were_committed(self, client: Client, alice: User) -> None:
        before = value(client, "acts_total", operation="create-company")

        factories.make_company(founder=alice)

        assert value(client, "acts_total", operation="create-company") == before + 1

    def test_tell_what_rows_tell(self, client: Client, everything: None) -> None:
        due = clock.now() - timedelta(minutes=10)
        OutboxJob.objects.create(handler="tidy-long-jobs", created_at=due, due_at=due, last_error="no")

        assert value(client, "outbox_due_jobs") == 1
        assert value(client, "outbox_failing_jobs") == 1
        assert 600 <= value(client, "outbox_oldest_seconds") < 700
        assert value(client, "mails", state="failed") == 0
        assert value(client, "part_ready", part="outbox") == 0.5
        assert value(client, "part_ready", part="database") == 1

    def test_say_how_far_the_schedule_is_behind(self, client: Client) -> None:
        schedule.standing()  # this process may be the first to ask what is in it
        schedule.ask(now=clock.now() - timedelta(days=2))

        assert value(client, "schedule_late_seconds") > 24 * 60 * 60

    def test_count_jobs_by_what_became_of_them(self, client: Client) -> None:
        of_job = {"handler": "tidy-long-jobs", "outcome": "done"}
        schedule.standing()  # handlers are known to workers only
        before = value(client, "jobs_total", **of_job)
        outbox.put("tidy-long-jobs", now=clock.now())

        outbox.work_off(clock=clock.now)

        assert value(client, "jobs_total", **of_job) == before + 1

    def test_have_names_by_the_conventions(self, client: Client, everything: None) -> None:
        """prometheus.io/docs/practices/naming: an own prefix, base units, _total for what only rises."""
        families = list(text_string_to_metric_families(metrics.exposition().decode()))
        own = [family for family in families if family.name.startswith("license_portal_")]
        assert len(own) > 5
        for family in own:
            assert family.documentation.endswith("."), family.name
            if family.type == "counter":
                assert all(sample.name.endswith(("_total", "_created")) for sample in family.samples)
            if family.type == "histogram":
                assert family.name.endswith("_seconds")


class TestSeveralProcesses:
    def test_are_counted_together(self, tmp_path: Path) -> None:
        """Two processes that share a folder; one answers for both."""
        count = "from portal.core import metrics; metrics.PROBLEMS.labels('bad-nonce').inc()"
        tell = f"{count}; print(metrics.exposition().decode())"
        environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "counts"), "PYTHONWARNINGS": "error"}
        said = [
            subprocess.run(
                [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
            ).stdout
            for script in (count, tell)
        ]

        assert 'license_portal_problems_total{code="bad-nonce"} 2.0' in said[1]
