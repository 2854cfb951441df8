"""The client: keeps a number of connections busy with ready-made requests, for a time.

One thread on one core, with `epoll` and without an HTTP library: what it does for a request costs about as
much as the cheapest server there is, so that the core of the client is not what is measured.
"""

import gc
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.wire import Request

MOST_ERRORS = 100
DRAIN_SECONDS = 30
MOST_REQUESTS = 5_000_000
_RECEIVE_BYTES = 1 << 18


@dataclass(kw_only=True)
class Load:
    """What one stretch of load came to. Latencies are in nanoseconds, for answers as expected only."""

    seconds: float = 0.0
    latencies: list[int] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    ran_out: bool = False
    client_share: float = 0.0
    """How much of its core the client used, from 0 to 1; near 1 the client was the limit."""

    @property
    def answered(self) -> int:
        """How many requests were answered, whatever the answer."""
        return len(self.latencies) + self.errors.total()


class LoadStuck(Exception):
    """The server does not answer any more, or answers nothing but errors."""


def run(port: int, requests: Iterator[Request], *, connections: int, seconds: float) -> Load:
    """Send requests over `connections` connections for `seconds`, then wait for the answers still open.

    :raises LoadStuck: more than 100 errors, or no answer for half a minute.
    """
    load = Load()
    lines = [_Line(port) for _ in range(connections)]
    collecting = gc.isenabled()
    gc.disable()  # a collection in between would count as latency of the server
    try:
        processor, began = time.process_time(), time.perf_counter()
        _drive(lines, requests, load, until=began + seconds)
        load.seconds = time.perf_counter() - began
        load.client_share = (time.process_time() - processor) / load.seconds
    finally:
        for line in lines:
            line.close()
        if collecting:
            gc.enable()
    return load


class _Line:
    """One connection, with the request under way on it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.expects = b""
        self.sent_at = 0
        self._received = b""
        self.socket = self._connect()

    def send(self, request: Request) -> None:
        self.expects = b"HTTP/1.1 %d" % request.expects
        self._received = b""
        data = request.data
        self.sent_at = time.perf_counter_ns()
        self.socket.sendall(data)

    def receive(self) -> bytes | None:
        """Read what is there; the head of the answer once it is complete, empty if the server hung up."""
        data = self.socket.recv(_RECEIVE_BYTES)
        if not data:
            return b""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        return head if found and _is_complete(head, body) else None

    def reconnect(self) -> None:
        self.close()
        self.socket = self._connect()

    def close(self) -> None:
        self.socket.close()

    def _connect(self) -> socket.socket:
        connected = socket.create_connection(("127.0.0.1", self._port), timeout=DRAIN_SECONDS)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected


def _drive(lines: list[_Line], requests: Iterator[Request], load: Load, *, until: float) -> None:
    poll = select.epoll()
    try:
        busy: dict[int, _Line] = {}

        def send_next(line: _Line) -> None:
            request = None
            if time.perf_counter() < until and load.answered + len(busy) < MOST_REQUESTS:
                request = next(requests, None)
                load.ran_out = request is None
            if request is not None:
                line.send(request)
                busy[line.socket.fileno()] = line

        for line in lines:
            poll.register(line.socket, select.EPOLLIN)
            send_next(line)
        while busy:
            ready = poll.poll(DRAIN_SECONDS)
            if not ready:
                raise LoadStuck(f"{len(busy)} requests got no answer in {DRAIN_SECONDS} s")
            for number, _ in ready:
                line = busy[number]
                head = line.receive()
                if head is None:
                    continue
                del busy[number]
                _count(line, head, load)
                if not head:
                    line.reconnect()
                    poll.register(line.socket, select.EPOLLIN)
                send_next(line)
    finally:
        poll.close()


def _count(line: _Line, head: bytes, load: Load) -> None:
    if head.startswith(line.expects):
        load.latencies.append(time.perf_counter_ns() - line.sent_at)
        return
    load.errors[head[9:12].decode("latin-1") if head else "hung up"] += 1
    if load.errors.total() > MOST_ERRORS:
        raise LoadStuck(f"too many errors: {dict(load.errors)}")


def _is_complete(head: bytes, body: bytes) -> bool:
    if head.startswith((b"HTTP/1.1 204", b"HTTP/1.1 304")):
        return True
    lowered = head.lower()
    start = lowered.find(b"\r\ncontent-length:")
    if start < 0:
        return body.endswith(b"0\r\n\r\n")  # chunked: the last chunk is empty
    end = lowered.find(b"\r\n", start + 2)
    length = lowered[start + 17 : end if end > 0 else len(lowered)]
    return len(body) >= int(length)
