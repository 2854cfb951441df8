"""HTTP/1.1 over kept connections, as little of it as device doors need (trust.md 9), bounded."""

import asyncio
import contextlib
import math
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

TIMEOUT: Final = 20
"""Seconds a request may take, connecting included."""
MAX_HEAD_BYTES: Final = 16 * 1024
MAX_BODY_BYTES: Final = 512 * 1024
_BODILESS: Final = frozenset({204, 304})


class WireError(Exception):
    """There is no answer that can be read; the message says in a word or two why."""


class TimeIsUp(Exception):
    """The run ended before there was a connection for this request; nothing was sent."""


@dataclass(frozen=True)
class Answer:
    """Headers by lower-case name; `seconds` from the first byte sent to the last one received."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: bool = False


@dataclass
class Wire:
    """The way to one portal, over at most `connections` connections at a time.

    :param origin: scheme, host and port, like `https://portal.example.com`.
    :param headers: sent with every request; a Host among them replaces that of the origin.
    """

    origin: str
    connections: int
    headers: Mapping[str, str] = field(default_factory=dict)
    until: float = math.inf
    """After this instant of `time.monotonic` no request is begun."""
    longest_wait: float = 0.0
    """Seconds that a request had to wait until one of the connections was free."""
    _idle: list[_Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._secure else 80)
        self._authority = parts.netloc
        self._places = asyncio.Semaphore(self.connections)

    async def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send a request, on a kept connection if there is one, and return its answer.

        :raises WireError: there is none that can be read.
        :raises TimeIsUp: it was not sent.
        """
        wanted = time.monotonic()
        async with self._places:
            self.longest_wait = max(self.longest_wait, time.monotonic() - wanted)
            if time.monotonic() > self.until:
                raise TimeIsUp
            try:
                async with asyncio.timeout(TIMEOUT):
                    return await self._send(method, self._request(method, path, body))
            except TimeoutError as error:
                raise WireError("timeout") from error
            except (asyncio.LimitOverrunError, ValueError) as error:
                raise WireError("no HTTP") from error
            except (OSError, EOFError) as error:
                raise WireError("connection") from error

    async def close(self) -> None:
        """Close the connections; no request may be under way."""
        for line in self._idle:
            await _close(line)
        self._idle.clear()

    async def _send(self, method: str, request: bytes) -> Answer:
        while True:
            line = self._idle.pop() if self._idle else await self._connect()
            began, kept = time.perf_counter(), False
            try:
                line.writer.write(request)
                status, headers = await _read_head(line.reader)
                bodiless = method == "HEAD" or status in _BODILESS
                body = b"" if bodiless else await _read_body(line.reader, headers)
                kept = headers.get("connection", "").lower() != "close"
                return Answer(status, headers, body, time.perf_counter() - began)
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                # A portal may close a connection that was idle, in the moment in which it is used again.
                if line.used and not getattr(error, "partial", b""):
                    continue
                raise
            finally:
                line.used = True
                if kept:
                    self._idle.append(line)
                else:
                    await _close(line)

    async def _connect(self) -> _Line:
        context = ssl.create_default_context() if self._secure else None
        opened = await asyncio.open_connection(self._host, self._port, ssl=context, limit=MAX_HEAD_BYTES)
        return _Line(*opened)

    def _request(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {"Host": self._authority, "Accept": "*/*", **self.headers}
        if body is not None:
            headers |= {"Content-Type": "application/jose", "Content-Length": str(len(body))}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + (body or b"")


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(version)
    pairs = (line.partition(":") for line in rest if line)
    return int(status), {name.lower(): value.strip() for name, _, value in pairs}


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    # Without a length either, it would end with the connection: no door of the portal answers like that.
    return await reader.readexactly(_bounded(int(headers.get("content-length", ""))))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        _bounded(len(body) + size)
        body += (await reader.readexactly(size + 2))[:-2]
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers say nothing here
    return body


def _bounded(size: int) -> int:
    if not 0 <= size <= MAX_BODY_BYTES:
        raise ValueError(f"{size} bytes")
    return size


async def _close(line: _Line) -> None:
    line.writer.close()
    with contextlib.suppress(OSError):
        await line.writer.wait_closed()
