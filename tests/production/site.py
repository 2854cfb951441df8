"""A production of a test's own: settings, secrets and a certificate as an operator makes them, and data."""

import json
import secrets
import socket
import ssl
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.factory.authority import make_authority, pem
from appliance.factory.devices import hardware_ids, make_identity, write_identity
from deploy import commands
from deploy.places import Places, Ports
from deploy.production import ROOT, Production

PREFIX = "00-90-33"
Answer = tuple[int, Mapping[str, str], bytes]


class Site:
    """Settings in `folder`, a production made of them, and what a test asks of it from outside.

    `more` are further lines of portal.env.
    """

    def __init__(
        self,
        folder: Path,
        *,
        web: int = 1,
        more: Mapping[str, str] | None = None,
        postgres_settings: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.said: list[str] = []
        """What the supervisor told."""
        self.ports = Ports(
            http=free_port(),
            https=free_port(),
            web=tuple(free_port() for _ in range(web)),
            devices=free_port(),
            redis=free_port(),
            worker=free_port(),
        )
        self.origin = f"https://localhost:{self.ports.https}"
        self.write_settings(more or {})
        self.production = Production(
            Places(settings=folder, state=folder / "state"),
            self.ports,
            address="127.0.0.1",
            postgres_settings=postgres_settings,
            say=self.said.append,
        )
        self._context = ssl.create_default_context(cafile=str(folder / "tls" / "fullchain.pem"))

    def write_settings(self, more: Mapping[str, str]) -> None:
        """portal.env, secrets/ and tls/, as the operations guide has them made."""
        settings = {
            "PORTAL_ID": "https://portal.invalid/production",
            "PORTAL_ORIGINS": self.origin,
            "MAIL_HOST": "127.0.0.1",
            "MAIL_PORT": "9",  # nobody listens there: mails wait
            "MAIL_SECURITY": "none",
            "MAIL_FROM": "Portal <portal@portal.invalid>",
            **more,
        }
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.folder / "portal.env").write_text(lines, encoding="utf-8")
        write_secrets(self.folder)
        (self.folder / "tls").mkdir(mode=0o700)
        _write_certificate(self.folder / "tls")

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A request through nginx, and its answer: status, headers by small letters, body."""
        line = HTTPSConnection("localhost", self.ports.https, context=self._context, timeout=20)
        try:
            line.request(method, path, body=body, headers=dict(headers or {}))
            answer = line.getresponse()
            found: dict[str, str] = {}
            for name, value in answer.getheaders():
                found[name.lower()] = ", ".join(filter(None, [found.get(name.lower()), value]))
            return answer.status, found, answer.read()
        finally:
            line.close()

    def sign_in(self, email: str, password: str, headers: Mapping[str, str]) -> str:
        """Sign in by the form, as a browser; returns the Cookie header of whoever is in."""
        _status, got, page = self.ask("GET", "/sign-in", headers=headers)
        token = page.decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        said = {"email": email, "password": password, "act_key": secrets.token_hex(16)}
        form = urlencode({"csrfmiddlewaretoken": token, **said})
        cookie = got["set-cookie"].partition(";")[0]
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Referer": self.origin, "Cookie": cookie}
        status, got, _body = self.ask("POST", "/sign-in", form.encode(), {**headers, **sent})
        assert status == 302, "signing in failed"
        return "sessionid=" + got["set-cookie"].partition("sessionid=")[2].partition(";")[0]

    def manage(self, *words: str, given: str = "", more: Mapping[str, str] | None = None) -> str:
        """What a command of manage.py says; it must succeed."""
        return self._said_by("manage.py", *words, given=given, more=more)

    def stock(self, *, devices: int, keys: int = 0) -> dict[str, Any]:
        """Keys of documents, the catalogue, a company with licenses, devices and activation keys.

        The identities of the devices are in `folder/identities`.
        """
        authority = make_authority("Example Networks", now=datetime.now(UTC))
        ids = list(hardware_ids(prefix=PREFIX, count=devices))
        for hardware_id in ids:
            identity = make_identity(authority, hardware_id, kind="P-256", now=datetime.now(UTC))
            write_identity(self.folder / "identities", identity)
        wanted = {"anchor": pem(authority.root).decode(), "devices": ids, "keys": keys}
        roots = {"ROOT_KEYS_PASSPHRASE": secrets.token_urlsafe(48)}
        given = json.dumps({**wanted, "roots": str(self.folder / "roots")})
        made: dict[str, Any] = json.loads(
            self._said_by("-m", "tests.production.stock", given=given, more=roots)
        )
        return made

    def fleet(self, *words: str) -> dict[str, Any]:
        """Let the devices fetch through nginx, and return what the portal answered."""
        done = subprocess.run(
            [
                *(sys.executable, "-m", "appliance.fleet", "--json", "--portal", self.origin),
                *("--identities", str(self.folder / "identities"), *words),
            ],
            cwd=ROOT,
            env={"SSL_CERT_FILE": str(self.folder / "tls" / "fullchain.pem"), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def log(self, name: str) -> str:
        """What a process wrote so far."""
        return self.production.places.log(name).read_text(encoding="utf-8", errors="replace")

    def _said_by(self, *words: str, given: str, more: Mapping[str, str] | None) -> str:
        done = self.production.run(["python", *words], given=given, more=more)
        assert done.returncode == 0, done.stderr
        return done.stdout


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_secrets(folder: Path) -> dict[str, Path]:
    """A file for each secret, as the operations guide has them made, by the name of its setting."""
    place = folder / "secrets"
    place.mkdir(mode=0o700)
    for file in (*commands.SECRETS.values(), commands.POSTGRES_PASSWORD):
        is_key = file in {"delivery-keys", "second-factor-keys"}
        key = urlsafe_b64encode(secrets.token_bytes(32)).decode()
        text = key if is_key else "" if file == "mail-password" else secrets.token_urlsafe(48)
        (place / file).write_text(text, encoding="ascii")
    return {name: place / file for name, file in commands.SECRETS.items()}


def _write_certificate(folder: Path) -> None:
    """A certificate for localhost that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "privkey.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
