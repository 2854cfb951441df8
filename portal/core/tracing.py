"""Traces, where OTEL_EXPORTER_OTLP_ENDPOINT names who takes them; otherwise nothing, and without a package.

A span for each request and each job, by route or handler; of what people send there is nothing in them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
WANTED = bool(os.environ.get(ENDPOINT))


class TracingNotInstalled(SystemExit):
    """Ends the start: an endpoint is named, but nothing is there that could tell it anything."""

    def __init__(self) -> None:
        super().__init__(f"settings: {ENDPOINT} is set, but requirements-tracing.txt is not installed")


@contextmanager
def span(name: str, *, kind: str = "internal", **attributes: str | int) -> Iterator[Any]:
    """A stretch of work with a name. None comes back where nobody takes traces."""
    tracer = _tracer()
    if tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 -- the package may be absent

    with tracer.start_as_current_span(name, kind=SpanKind[kind.upper()], attributes=attributes) as made:
        yield made


@cache
def _tracer() -> Any:
    if not WANTED:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise TracingNotInstalled from error
    # Made in the process that works, after any fork: the thread that hands spans on is its own.
    provider = TracerProvider(resource=Resource.create({"service.name": "license-portal"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("license-portal")
