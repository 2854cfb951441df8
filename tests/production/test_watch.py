"""The example dashboard and alert rules speak of metrics, codes and acts that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from licenses import gauges
from portal.core import clock, metrics

ROOT = Path(__file__).resolve().parents[2]
WATCH = ROOT / "deploy" / "watch"
SUFFIXES = ("_total", "_bucket", "_count", "_sum")

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((WATCH / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = groups[0]["rules"]
    return found


@pytest.fixture(scope="module")
def expressions(rules: list[dict[str, Any]]) -> list[str]:
    panels = json.loads((WATCH / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(shown) > 10
    return [*shown, *(rule["expr"] for rule in rules)]


def _without_suffix(name: str) -> str:
    return next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)


def test_every_metric_that_they_name_exists_and_every_one_that_exists_is_shown(
    expressions: list[str],
) -> None:
    told = metrics.exposition(lambda: gauges.of_rows(now=clock.now())).decode()
    there = {family.name for family in text_string_to_metric_families(told)}
    # When a counter was made stands beside it under a name of its own, once it has counted.
    there = {name for name in there if name.startswith("license_portal_") and not name.endswith("_created")}

    named = {_without_suffix(name) for one in expressions for name in re.findall(r"license_portal_\w+", one)}

    assert named == there


def test_every_label_value_that_they_name_exists(expressions: list[str]) -> None:
    codes = set(re.findall(r"`([a-z-]+)`", (ROOT / "docs/problems.md").read_text(encoding="utf-8")))
    sources = "".join(
        path.read_text(encoding="utf-8")
        for app in ("accounts", "devices", "licenses", "orders")
        for path in (ROOT / app).glob("*.py")
    )
    together = " ".join(expressions)
    named_codes = set(re.findall(r'code="([^"]+)"', together))
    operations = set(re.findall(r'operation="([^"]+)"', together))
    assert named_codes
    assert named_codes <= codes
    assert operations
    for operation in operations:
        assert f'operation="{operation}"' in sources, operation


def test_every_alert_says_what_it_means_and_what_to_do(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        assert re.fullmatch(r"LicensePortal[A-Z]\w+", rule["alert"])
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert all(rule["annotations"][name].endswith(".") for name in ("summary", "todo")), rule["alert"]


def test_prometheus_asks_the_ports_at_which_the_compose_file_answers() -> None:
    [job] = yaml.safe_load((WATCH / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
    worker_port = compose["x-portal"]["environment"]["METRICS_PORT"]
    assert job["static_configs"][0]["targets"] == ["web:8000", "devices:8000", f"worker:{worker_port}"]
