"""Nothing that was acknowledged is lost or done twice, whatever happens; all comes back by itself.

Real processes behind nginx, two web nodes, under load from a fleet and a partner's programs (load.py beside
this). docs/reliability.md has the counts of the long form.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.production import faults
from tests.production.load import Partner, books, fleet
from tests.production.site import Site

pytestmark = pytest.mark.serial

Fault = Callable[[Site], None]
MORE = 40
"""Requests acknowledged before and after each fault."""

FAULTS: dict[str, Fault] = {
    "kill -9 of a web node": lambda site: faults.kill("web-1", site=site),
    "kill -9 of both web nodes": lambda site: faults.kill("web-1", "web-2", site=site),
    "kill -9 of one granian worker": faults.kill_a_web_worker,
    "kill -9 of the device pool": lambda site: faults.kill("devices", site=site),
    "kill -9 of the worker": lambda site: faults.kill("worker", site=site),
    "kill -9 of beat": lambda site: faults.kill("beat", site=site),
    "kill -9 of Redis": lambda site: faults.kill("redis", site=site),
    "kill -9 of nginx": lambda site: faults.kill("nginx", site=site),
    "Redis flushed": faults.flush_redis,
    "Redis away for 5 s": faults.take_redis_away,
    "PostgreSQL restarted": faults.restart_postgresql,
    "PostgreSQL ended at once (SIGQUIT)": faults.end_postgresql_at_once,
    "kill -9 of PostgreSQL": lambda site: faults.kill("postgres", site=site),
    "connections exhausted for 5 s": faults.exhaust_connections,
    "a lock on all balances for 5 s": faults.hold_a_lock,
    "the disk of PostgreSQL full for 5 s": faults.fill_the_disk,
}


@pytest.fixture
def make_site(folder: Path) -> Iterator[Callable[..., Site]]:
    """Two web nodes, and limits that a partner's programs do not meet."""
    made: list[Site] = []

    def make(**more: Any) -> Site:
        site = Site(folder, web=2, more={"KEY_LOOKUPS_PER_HOUR": "1000000"}, **more)
        made.append(site)
        site.production.start()
        return site

    yield make
    for site in made:
        site.production.stop()


def proven(site: Site, partner: Partner) -> dict[str, Any]:
    """End the load, and hold all of it against the books."""
    partner.stop()
    found = books(site, partner)
    assert partner.refused == []
    assert partner.changed == []
    for what in ("missing", "twice", "unasked"):
        assert found[what] == [], what
    assert found["wrong"] == ""
    assert found["activated"] == found["acknowledged"].get("activation", 0)
    return found


def fetched_again(site: Site) -> None:
    """Every device is served as ever."""
    found = site.fleet("--seconds", "2", "--poll", "0.5")
    assert found["unexpected"] == {}


class TestUnderLoad:
    def test_a_web_node_the_worker_and_redis_are_killed(self, make_site: Callable[..., Site]) -> None:
        site = make_site(postgres_settings=("fsync=off",))
        partner = Partner(site, site.stock(devices=6, keys=60))
        partner.start()
        with fleet(site, "--seconds", "3", "--poll", "0.5"):
            partner.wait_for_more(10)
            faults.kill("web-1", "worker", "redis", site=site)
            partner.wait_for_more(30)

        proven(site, partner)
        fetched_again(site)

    @pytest.mark.long
    def test_every_fault_in_turn(
        self, make_site: Callable[..., Site], folder: Path, record_property: Callable[[str, object], None]
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("a small disk for PostgreSQL to fill is mounted by root")
        with faults.small_disk(folder / "state" / "postgresql", mebibytes=400):
            site = make_site(postgres_settings=("max_wal_size=64MB", "min_wal_size=32MB"))
            partner = Partner(site, site.stock(devices=30, keys=700))
            partner.start()
            rows = [self._one(name, fault, site, partner) for name, fault in FAULTS.items()]
            found = proven(site, partner)
            fetched_again(site)
            site.production.stop()
        for row in rows:
            record_property(row[0], row[1])
        record_property("acknowledged, each once in the books", json.dumps(found["acknowledged"]))

    @staticmethod
    def _one(name: str, fault: Fault, site: Site, partner: Partner) -> tuple[str, str]:
        partner.wait_for_more(MORE)
        partner.gap_until_now()
        before, troubled = len(partner.acknowledged), partner.troubles.copy()
        with fleet(site, "--seconds", "6", "--poll", "0.5", "--returns", "0.02") as served:
            began = time.monotonic()
            fault(site)
            partner.wait_for_more(MORE)
        for process in site.production.supervisor.names():
            site.production.supervisor.wait_until_ready(process)
        partner.wait_for_more(MORE)
        took = time.monotonic() - began
        [devices] = served
        told = {
            "acknowledged": len(partner.acknowledged) - before,
            "seconds": round(took, 1),
            "longest gap s": round(partner.gap_until_now(), 1),
            "sent again after": dict(partner.troubles - troubled),
            "device requests": devices["requests"],
            "devices sent again after": devices["unexpected"],
        }
        return name, json.dumps(told)


def test_nothing_is_left_out() -> None:
    """Each process of the production is killed in one of the faults."""
    killed = " ".join(FAULTS)
    for word in ("a web node", "the device pool", "the worker", "beat", "Redis", "nginx", "PostgreSQL"):
        assert f"kill -9 of {word}" in killed
