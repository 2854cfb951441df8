"""Metrics for Prometheus: what this process counts, together with its siblings, and what rows tell.

Where PROMETHEUS_MULTIPROC_DIR names a folder, all processes that share it count into files there, and any one
of them answers for all. Labels are bounded: routes are patterns, codes and names of acts stand in the code.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from django.db import transaction
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
if FOLDER:  # the files are made with the metrics below
    Path(FOLDER).mkdir(parents=True, exist_ok=True)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter(
    "license_portal_requests_total",
    "Requests answered, by method, route (its pattern, as in the logs) and status.",
    ["method", "route", "status"],
)
DURATION = Histogram(
    "license_portal_request_duration_seconds",
    "How long requests took, by route.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
PROBLEMS = Counter(
    "license_portal_problems_total",
    "Refusals, by their code (docs/problems.md); bad-nonce are rejected nonces, internal-error our faults.",
    ["code"],
)
FETCHES = Counter(
    "license_portal_fetches_total",
    "Fetches by devices: a new bundle, or unchanged. Refused ones are among the problems.",
    ["outcome"],
)
ACTS = Counter(
    "license_portal_acts_total",
    "Acts that were committed, by operation: activate-key, assign, return-licenses, ask-for-move and so on.",
    ["operation"],
)
JOBS = Counter(
    "license_portal_jobs_total",
    "Jobs of the outbox that were tried, by handler and outcome: done, put-off or failed.",
    ["handler", "outcome"],
)


class _OfRows(Collector):
    """Gauges read from rows at the moment of the scrape."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


def requested(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count one request."""
    route = route or "none"
    REQUESTS.labels(method if method in METHODS else "other", route, status).inc()
    DURATION.labels(route).observe(seconds)


def acted(operation: str, *, times: int = 1) -> None:
    """Count an act, once its transaction is committed."""
    transaction.on_commit(lambda: ACTS.labels(operation).inc(times))


def gauge(
    name: str, told: str, values: Mapping[tuple[str, ...], float], *, labels: tuple[str, ...] = ()
) -> Metric:
    """A gauge with a value for each set of labels."""
    family = GaugeMetricFamily(f"license_portal_{name}", told, labels=labels)
    for of, value in values.items():
        family.add_metric(of, value)
    return family


def exposition(*rows: Callable[[], Iterable[Metric]]) -> bytes:
    """All of it as Prometheus reads it.

    :param rows: what reads gauges from rows, where this process answers for them.
    """
    registry = CollectorRegistry()
    if FOLDER:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_OfRows(REGISTRY.collect))
    for read in rows:
        registry.register(_OfRows(read))
    return generate_latest(registry)
