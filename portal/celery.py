"""The Celery application. It wakes the outbox; the database is the system of record for jobs."""

import os
from typing import Any

from celery import Celery, bootsteps
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class MetricsOfWorker(bootsteps.StartStopStep):
    """Answers Prometheus for the worker and its children, where METRICS_PORT and the folder of their counts
    (PROMETHEUS_MULTIPROC_DIR) are set. METRICS_HOST is where it listens, 127.0.0.1 if left out."""

    def start(self, parent: Any) -> None:  # noqa: ARG002 -- what Celery calls has its arguments
        """Called by Celery once the worker is up; the server is a thread that ends with it."""
        port = os.environ.get("METRICS_PORT", "")
        if port and os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            start_http_server(int(port), os.environ.get("METRICS_HOST") or "127.0.0.1", registry)


app.steps["worker"].add(MetricsOfWorker)
