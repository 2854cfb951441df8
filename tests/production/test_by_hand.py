"""What `deploy/by_hand.py` starts: the whole production on one machine, and that it comes back."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from deploy.supervisor import Supervisor
from tests.production.site import Site

pytestmark = pytest.mark.serial
PATIENCE = 30.0


def until(comes: Callable[[], bool], *, what: str) -> None:
    """Wait for something that takes its time."""
    deadline = time.monotonic() + PATIENCE
    while not comes():
        assert time.monotonic() < deadline, f"in {PATIENCE:.0f} s not: {what}"
        threading.Event().wait(0.05)


def members(group: int) -> set[int]:
    """The processes of a group."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(words[2]) == group and words[0] != "Z":
                found.add(int(entry.name))
    return found


class TestTheProductionStartedByHand:
    def test_serves_pages_and_devices_over_tls_and_brings_back_what_is_killed(self, site: Site) -> None:
        stocked = site.stock(devices=3)

        _answers_browsers_over_tls_only(site)
        _refuses_large_bodies_at_the_door(site)
        _believes_no_caller_about_the_address(site, stocked)
        _serves_devices(site)
        _brings_back_a_worker_that_is_killed(site)
        _leaves_no_orphan_when_a_parent_is_killed(site)
        _serves_devices(site)
        assert "right" in site.manage("ledger", "verify")

        groups = {site.production.supervisor.pid(name) for name in site.production.supervisor.names()}
        site.production.stop()
        assert not any(members(group) for group in groups), "something outlived the end"


def _answers_browsers_over_tls_only(site: Site) -> None:
    status, headers, body = site.ask("GET", "/sign-in")
    assert status == 200
    assert b"<h1" in body
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload"
    style = re.findall(r'href="(/static/[^"]+\.css)"', body.decode())[0]
    assert site.ask("GET", style)[0] == 200, "static files have been collected"

    line = HTTPConnection("localhost", site.ports.http, timeout=10)
    line.request("GET", "/sign-in?next=/")
    answer = line.getresponse()
    assert (answer.status, answer.getheader("Location")) == (301, f"{site.origin}/sign-in?next=/")
    line.close()


def _refuses_large_bodies_at_the_door(site: Site) -> None:
    for path, kib in (("/device/v1/licenses", 64), ("/api/v1/transfers", 256)):
        status, headers, body = site.ask("POST", path, b"x" * (kib * 1024 + 1))
        assert status == 413
        assert headers["content-type"] == "application/problem+json"
        assert json.loads(body)["code"] == "too-large"
    assert "413" not in site.log("devices") + site.log("web-1"), "no worker heard of them"


def _believes_no_caller_about_the_address(site: Site, stocked: dict[str, Any]) -> None:
    """The page of a person's sessions shows where they come from."""
    claimed = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    cookie = site.sign_in(stocked["email"], stocked["password"], claimed)
    status, _headers, body = site.ask("GET", "/account/sessions", headers={**claimed, "Cookie": cookie})
    assert status == 200
    assert b"127.0.0.1" in body
    assert b"203.0.113.9" not in body


def _serves_devices(site: Site) -> None:
    found = site.fleet("--seconds", "1", "--poll", "0.3")
    assert found["unexpected"] == {}
    answers = found["acts"]["fetch"]["answers"]
    assert set(answers) <= {"200", "204"}
    assert sum(answers.values()) >= 3


def _brings_back_a_worker_that_is_killed(site: Site) -> None:
    """granian itself replaces a worker; its parent stays."""
    parent = site.production.supervisor.pid("web-1")
    victims = members(parent) - {parent}
    for pid in victims:
        os.kill(pid, signal.SIGKILL)

    until(lambda: not victims & members(parent), what="the workers are gone")
    until(lambda: _answers(site), what="the page is back")
    assert site.production.supervisor.pid("web-1") == parent
    assert site.production.supervisor.starts("web-1") == 1


def _leaves_no_orphan_when_a_parent_is_killed(site: Site) -> None:
    """Workers of a killed granian would go on answering; the supervisor ends the group and starts another."""
    supervisor = site.production.supervisor
    for name in ("web-1", "devices", "worker", "redis", "nginx", "postgres"):
        group = supervisor.pid(name)
        before = members(group)
        assert group in before

        supervisor.send(name, signal.SIGKILL)

        until(partial(_is_another, supervisor, name, group), what=f"{name} is started again")
        assert not members(group), f"orphans of {name}"
    for name in supervisor.names():
        supervisor.wait_until_ready(name)
    until(lambda: _answers(site), what="the page is back")


def _is_another(supervisor: Supervisor, name: str, pid: int) -> bool:
    return supervisor.pid(name) not in (0, pid)


def _answers(site: Site) -> bool:
    try:
        return site.ask("GET", "/sign-in")[0] == 200
    except OSError:
        return False
