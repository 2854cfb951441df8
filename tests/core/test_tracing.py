"""Traces go to whoever is named, and nowhere otherwise."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ROOT = Path(__file__).resolve().parents[2]
ASK = (
    "import django; django.setup()\n"
    "from django.test import Client\n"
    "answer = Client().get('/healthz?name=secret', headers={'x-request-id': 'request-of-a-test'})\n"
    "assert answer.status_code == 200\n"
    "import sys; print('opentelemetry.exporter.otlp' in sys.modules)\n"
)


class Receiver(ThreadingHTTPServer):
    """Takes what an exporter sends, as an OTLP collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[tuple[str, bytes]] = []


class _Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
        """Nothing: the suite's output is for tests."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(tmp_path: Path, script: str = ASK, **more: str) -> "subprocess.CompletedProcess[str]":
    """A process that answers one request and ends."""
    environment = {
        "PATH": os.environ["PATH"],
        "DEMO": "1",
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        **more,
    }
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_request_is_a_span_that_names_its_route_and_nothing_of_what_was_sent(
    receiver: Receiver, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{receiver.server_address[1]}"

    done = run(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)

    assert done.returncode == 0, done.stderr
    [(path, body)] = receiver.taken
    assert path == "/v1/traces"
    [resource] = ExportTraceServiceRequest.FromString(body).resource_spans
    [span] = resource.scope_spans[0].spans
    said = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
    assert span.name == "GET healthz"
    assert said == {
        "http.route": "healthz",
        "http.response.status_code": 200,
        "request_id": "request-of-a-test",
    }
    assert b"secret" not in body


def test_without_an_endpoint_what_would_send_is_not_even_loaded(tmp_path: Path) -> None:
    assert run(tmp_path).stdout == "False\n"


def test_an_endpoint_without_the_packages_is_said_in_one_line(tmp_path: Path) -> None:
    without = f"import sys; sys.modules['opentelemetry.sdk.trace'] = None\n{ASK}"

    done = run(tmp_path, without, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    assert done.returncode != 0
    assert "requirements-tracing.txt is not installed" in done.stderr
