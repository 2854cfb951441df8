"""Serve a device's pages by a clock whose hands the test moves: `python -m tests.appliance.moved_clock`.

It takes the words of `python -m appliance serve`. The seconds by which the device has run further than the
machine stand in the file `hands` beside the home folder; the device itself has no such door.
"""

import os
import socketserver
import sys
import time
import wsgiref.simple_server
from pathlib import Path

from appliance import memory
from appliance.cli_parser import parse
from appliance.clock import Clock
from appliance.serving import HOME_VARIABLE


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """A Chromium keeps connections open that it does not use yet."""

    daemon_threads = True


def hands_of(home: Path) -> Path:
    return home.with_name("hands")


def moved_clock(home: Path) -> Clock:
    """The machine's clock, moved."""

    def moved() -> int:
        return int(hands_of(home).read_text())

    return Clock(lambda: time.time() + moved(), lambda: time.monotonic() + moved(), "of the test")


def main(arguments: list[str]) -> None:
    options = parse(arguments)
    memory.__dict__["machine_clock"] = lambda: moved_clock(options.home)
    os.environ[HOME_VARIABLE] = str(options.home)
    from appliance.wsgi import application  # noqa: PLC0415 -- it begins to keep time when it is imported

    with wsgiref.simple_server.make_server("127.0.0.1", options.port, application, Server) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
