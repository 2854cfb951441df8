"""The compose file, the Dockerfile and the script by hand start the same processes with the same settings."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import commands, front
from deploy.front import Front
from portal.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PINNED = re.compile(r"[a-z]+:[0-9][0-9.]*-(slim-)?bookworm|license-portal:local")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


class TestTheComposeFile:
    def test_starts_what_the_script_by_hand_starts(self, compose: dict[str, Any]) -> None:
        wanted = {
            "migrate": commands.migrate(),
            "web": commands.granian(commands.WEB),
            "devices": commands.granian(commands.DEVICES),
            "worker": commands.worker(),
            "beat": commands.beat(),
            "postgres": commands.postgres(),
            "redis": commands.redis(),
        }
        services = compose["services"]
        assert {name: services[name]["command"] for name in wanted} == wanted
        assert set(services) == {*wanted, "nginx"}

    def test_gives_each_secret_as_a_file_that_the_example_names(self, compose: dict[str, Any]) -> None:
        portal = compose["x-portal"]
        files = {f"{name}_FILE": f"/run/secrets/{file}" for name, file in commands.SECRETS.items()}
        assert {name: path for name, path in portal["environment"].items() if "_FILE" in name} == files
        assert set(portal["secrets"]) == set(commands.SECRETS.values())
        assert compose["secrets"] == {
            name: {"file": f"secrets/{name}"}
            for name in (*commands.SECRETS.values(), commands.POSTGRES_PASSWORD)
        }
        example = (DEPLOY / "portal.env.example").read_text(encoding="utf-8")
        for name in compose["secrets"]:
            assert name in example, f"portal.env.example does not say how to make {name}"

    def test_pins_every_image(self, compose: dict[str, Any], dockerfile: str) -> None:
        images = [service["image"] for service in compose["services"].values()]
        images += re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
        assert len(images) > 5
        for image in images:
            assert PINNED.fullmatch(image), image

    def test_gives_no_process_of_the_portal_more_than_it_needs(self, compose: dict[str, Any]) -> None:
        for name in ("migrate", "web", "devices", "worker", "beat"):
            service = compose["services"][name]
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
        published = {name for name, service in compose["services"].items() if "ports" in service}
        assert published == {"nginx"}, "nothing but nginx is reached from outside"


class TestTheDockerfile:
    def test_serves_the_web_pool_unless_told_otherwise(self, dockerfile: str) -> None:
        [words] = re.findall(r"^CMD (\[.*?\])$", dockerfile, re.MULTILINE | re.DOTALL)
        assert json.loads(words.replace("\\\n", " ")) == commands.granian(commands.WEB)

    def test_copies_every_package_that_the_portal_is_made_of(self, dockerfile: str) -> None:
        copied = set(re.findall(r"^COPY (\w+) \w+$", dockerfile, re.MULTILINE))
        apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
        assert copied == {"portal", *apps}
        ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        assert {f"!{name}" for name in copied} <= set(ignored), "what is copied must reach the builder"

    def test_gives_no_setting_that_the_portal_does_not_know(self, dockerfile: str) -> None:
        given = set(re.findall(r"(?<!\S)([A-Z][A-Z_]+)=", dockerfile.partition("compileall")[2]))
        sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "portal").glob("*.py"))
        assert given
        for name in given:
            assert f'"{name}"' in sources, name


class TestTheExampleSettings:
    def test_name_every_setting_that_there_is(self) -> None:
        """Those that a place sets itself stand in compose.yaml or the Dockerfile."""
        read = (ROOT / "portal/settings.py").read_text() + (ROOT / "portal/account_settings.py").read_text()
        methods = "|".join(name for name in vars(Environment) if not name.startswith("_"))
        names = set(re.findall(rf'environment\.(?:{methods})\(\s*"([A-Z_]+)"', read))
        assert len(names) > 30
        places = "".join((DEPLOY / name).read_text() for name in ("portal.env.example", "compose.yaml"))
        places += (ROOT / "Dockerfile").read_text()
        assert {name for name in names if not re.search(rf"\b{name}(_FILE)?\b", places)} == set()


class TestTheRulesOfNginx:
    def test_are_those_of_the_container_but_for_names_of_places(self) -> None:
        """Putting the container's places back gives the container's file, for either way to say HTTP/2."""
        template = front.TEMPLATE.read_text(encoding="utf-8")
        of_the_container = Front(
            address="",
            http=80,
            https=443,
            web=[8000],
            devices=[8000],
            tls=Path("/etc/nginx/tls"),
            run=Path("/run"),
        )

        made = front.configuration(of_the_container, nginx=(1, 28, 0))

        changed = set(made.splitlines()) ^ set(template.splitlines())
        assert all("_temp_path" in line or line.strip().startswith("server ") for line in changed), changed
        older = front.configuration(of_the_container, nginx=(1, 22, 1))
        assert "http2 on;" not in older
        assert "listen 443 ssl http2 default_server;" in older
