"""What `deploy/by_hand.py` starts: the whole production on one machine, and that it comes back."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.supervisor import Supervisor
from tests.production import secrets_in_use
from tests.production.site import Site
from tests.production.visitor import Letters

# The short form of the faults starts all of it as well, every day.
pytestmark = [pytest.mark.serial, pytest.mark.long]
PATIENCE = 30.0


def until(comes: Callable[[], bool], *, what: str, never: Callable[[], bool] = lambda: False) -> None:
    """Wait for something that takes its time, and during which something else must never be."""
    deadline = time.monotonic() + PATIENCE
    while not comes():
        assert not never(), f"before {what}"
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
    def test_serves_pages_and_devices_over_tls_and_brings_back_what_is_killed(
        self, site: Site, letters: Letters
    ) -> None:
        stocked = site.stock(devices=3, keys=3)

        _answers_browsers_over_tls_only(site)
        _refuses_large_bodies_at_the_door(site)
        _believes_no_caller_about_the_address(site, stocked)
        _serves_devices(site)
        _tells_those_inside_alone(site)
        in_use = secrets_in_use.use_all(site, stocked, letters)
        _goes_on_degraded_without_redis(site)
        _brings_back_a_worker_that_is_killed(site)
        _leaves_no_orphan_when_a_parent_is_killed(site)
        _serves_devices(site)
        assert "right" in site.manage("ledger", "verify")

        _goes_over_to_a_release_without_a_pause(site)
        _answers_for_nobody_while_the_web_is_away(site, in_use)
        _wrote_no_secret_down(site, in_use)
        _follows_a_request_into_its_jobs(site)

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


def _tells_those_inside_alone(site: Site) -> None:
    """Both pools and the worker, at their own ports; nginx passes nothing on."""
    for path in ("/readyz", "/metrics"):
        assert site.ask("GET", path)[0] == 404
    until(lambda: _readiness(site)["state"] == "ready", what="every part is ready")
    [web] = site.ports.web
    assert 'license_portal_part_ready{part="database"} 1.0' in _metrics(web)
    assert 'route="sign-in",status="200"' in _metrics(web)
    devices = _metrics(site.ports.devices)
    assert re.search(r'fetches_total{outcome="new"} [1-9]', devices)
    assert re.search(r'requests_total{method="POST",route="device/v1/licenses",status="200"} [1-9]', devices)
    assert "part_ready" not in devices, "what rows tell is told by the web pool"
    until(lambda: 'outcome="done"' in _metrics(site.ports.worker), what="the worker tells of its jobs")


def _goes_on_degraded_without_redis(site: Site) -> None:
    """Pages are read and devices fetch; only what waits for the worker waits."""
    supervisor = site.production.supervisor
    supervisor.halt("redis")
    answer = _readiness(site)
    assert (answer["state"], answer["parts"]["redis"]) == ("degraded", "degraded")
    assert _answers(site)
    found = site.fleet("--seconds", "1", "--poll", "0.5", "--acknowledgements", "0")
    assert found["unexpected"] == {}
    supervisor.resume("redis")
    supervisor.wait_until_ready("redis")
    until(lambda: _readiness(site)["state"] == "ready", what="every part is ready again")


def _goes_over_to_a_release_without_a_pause(site: Site) -> None:
    """While pools put new workers in the place of the old ones, every request is answered."""
    supervisor = site.production.supervisor
    groups = {name: supervisor.pid(name) for name in ("web-1", "devices")}
    old = {name: members(pid) - {pid} for name, pid in groups.items()}

    site.production.renew()

    until(
        lambda: _answers(site) and not any(old[name] & members(pid) for name, pid in groups.items()),
        what="the old workers are gone",
        never=lambda: not _answers(site),
    )
    assert {name: supervisor.pid(name) for name in groups} == groups


def _answers_for_nobody_while_the_web_is_away(site: Site, in_use: Mapping[str, str]) -> None:
    """nginx says so, and neither its answer nor its log tells whose link that was."""
    site.production.supervisor.halt("web-1")
    status, _headers, body = site.ask("GET", f"/new-password/1-{in_use['key of the reset']}?a=b")
    assert status == 502
    assert in_use["key of the reset"].encode() not in body
    site.production.supervisor.resume("web-1")
    site.production.supervisor.wait_until_ready("web-1")


def _wrote_no_secret_down(site: Site, in_use: Mapping[str, str]) -> None:
    """In no log of any process: not ours, not nginx's, not the database's."""
    logs = {name: site.log(name) for name in site.production.supervisor.names()}
    assert set(logs) == {"postgres", "redis", "web-1", "devices", "worker", "beat", "nginx"}
    assert all(logs.values()), "each has written something"
    assert len(in_use) > 18
    found = [(secret, name) for secret in in_use for name, log in logs.items() if in_use[secret] in log]
    assert found == []


def _follows_a_request_into_its_jobs(site: Site) -> None:
    """One id, made by nginx, in its log, in that of the web, and in that of the worker."""
    forgot = re.search(r'"POST /forgot-password" 302 .* ([0-9a-f]{32})$', site.log("nginx"), re.MULTILINE)
    assert forgot, "somebody forgot a password"
    for name in ("web-1", "worker"):
        assert f'"request_id": "{forgot[1]}"' in site.log(name), name


def _metrics(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    assert list(text_string_to_metric_families(text))
    return text


def _readiness(site: Site) -> dict[str, Any]:
    with urlopen(f"http://127.0.0.1:{site.ports.web[0]}/readyz", timeout=10) as answer:
        found = json.loads(answer.read())
    return {"state": found["state"], "parts": {part["name"]: part["state"] for part in found["parts"]}}


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
