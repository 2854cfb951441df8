"""nginx on a machine of one's own: the rules of `nginx.conf` beside it, with paths and ports of this one."""

import re
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).with_name("nginx.conf")
HTTP2_DIRECTIVE = (1, 25, 1)
"""The release from which `http2 on;` is understood; before it `listen` says so."""


class NoFront(Exception):
    """The rules of nginx do not fit what is known of them here."""


@dataclass(frozen=True, kw_only=True)
class Front:
    """Where nginx listens, and what it hands on to.

    `address` is one to listen on, or empty for all; `web` and `devices` are ports on loopback.
    """

    address: str
    http: int
    https: int
    web: Sequence[int]
    devices: Sequence[int]
    tls: Path
    run: Path


def version(program: str) -> tuple[int, ...]:
    """The release of an nginx, like (1, 22, 1)."""
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else HTTP2_DIRECTIVE


def configuration(front: Front, *, nginx: tuple[int, ...]) -> str:
    """The text of `nginx.conf` for this machine. Only names of places change; no rule is written twice.

    :raises NoFront: a line that is to change does not stand in `nginx.conf` as it is known here.
    """
    text = TEMPLATE.read_text(encoding="utf-8")
    for old, new in _changes(front, nginx=nginx):
        if text.count(old) != 1:
            raise NoFront(f"{TEMPLATE}: {old!r} stands there {text.count(old)} times, not once")
        text = text.replace(old, new)
    return text


def _changes(front: Front, *, nginx: tuple[int, ...]) -> list[tuple[str, str]]:
    old_http2 = nginx < HTTP2_DIRECTIVE
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"    {kind}_temp_path {front.run / kind};\n" for kind in kinds)
    port = "" if front.https == 443 else f":{front.https}"
    return [
        ("pid /run/nginx.pid;", f"pid {front.run / 'nginx.pid'};"),
        ("    server_tokens off;\n", f"    server_tokens off;\n{folders}"),
        ("        server web:8000;\n", _servers(front.web)),
        ("        server devices:8000;\n", _servers(front.devices)),
        *_listens(front.address, 80, front.http, ""),
        *_listens(front.address, 443, front.https, " ssl http2" if old_http2 else " ssl"),
        ("        http2 on;\n", "" if old_http2 else "        http2 on;\n"),
        ("https://$host$request_uri", f"https://$host{port}$request_uri"),
        ("/etc/nginx/tls/fullchain.pem", str(front.tls / "fullchain.pem")),
        ("/etc/nginx/tls/privkey.pem", str(front.tls / "privkey.pem")),
    ]


def _servers(ports: Sequence[int]) -> str:
    return "".join(f"        server 127.0.0.1:{port};\n" for port in ports)


def _listens(address: str, known: int, port: int, how: str) -> list[tuple[str, str]]:
    words = " ssl" if known == 443 else ""
    four = f"        listen {known}{words} default_server;\n"
    six = f"        listen [::]:{known}{words} default_server;\n"
    new_four = f"        listen {address + ':' if address else ''}{port}{how} default_server;\n"
    new_six = f"        listen [::]:{port}{how} default_server;\n" if not address and socket.has_ipv6 else ""
    return [(four, new_four), (six, new_six)]
