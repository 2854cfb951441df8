"""Journeys in which every kind of secret that people and programs have is made, used, and misused."""

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from deploy import commands
from tests.production.site import Site
from tests.production.visitor import Letters, Visitor

DORA, ERIN = "dora@example.com", "erin@example.com"


def use_all(site: Site, stocked: Mapping[str, Any], letters: Letters) -> dict[str, str]:
    """Walk through them, and return every secret that was in use, by what it is."""
    found = {
        file: (site.folder / "secrets" / file).read_text().strip()
        for file in (*commands.SECRETS.values(), commands.POSTGRES_PASSWORD)
    }
    found["password of Redis"] = site.production.environment["REDIS_URL"].split(":")[2].partition("@")[0]
    found |= _of_a_person(site, letters)
    found |= _of_programs(site, stocked)
    return {name: secret for name, secret in found.items() if secret}


def _of_a_person(site: Site, letters: Letters) -> dict[str, str]:
    """Registers, forgets the password, signs in, invites a colleague, makes a token, misspells a key."""
    dora, first, second = Visitor(site), secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    dora.get("/register")
    names = {"forename": "Dora", "surname": "Dietz", "email": DORA}
    assert "mail-sent" in dora.post("/register", {**names, "password1": first, "terms": "on"})
    confirm = letters.link_for(DORA, at="/confirm-address/")
    dora.get(confirm)
    assert dora.post(confirm, {}) == "/sign-in"

    dora.get("/forgot-password")
    dora.post("/forgot-password", {"email": DORA})
    reset = letters.link_for(DORA, at="/new-password/")
    form = dora.get(reset)
    dora.get(form)
    assert "chosen" in dora.post(form, {"password1": second})

    dora.get("/sign-in")
    assert "<h1" in dora.post("/sign-in", {"email": DORA, "password": first}), "it is not the password now"
    assert dora.post("/sign-in", {"email": DORA, "password": second}) == "/"

    dora.get("/companies/new")
    company = dora.post("/companies/new", {"name": "Dora Data"})
    assert company.startswith("/")
    number = _number_of_company(dora)
    dora.get(f"/companies/{number}/members")
    dora.post(f"/companies/{number}/members", {"email": ERIN, "role": "member"})
    invitation = letters.link_for(ERIN, at="/invitations/link/")
    assert Visitor(site).get(invitation)
    return {
        "first password": first,
        "second password": second,
        "key of the confirmation": confirm.split("/")[2],
        "key of the reset": reset.split("/")[2].partition("-")[2],
        "token of the invitation": invitation.split("/")[3],
        "session": dora.cookies["sessionid"],
        "CSRF token": dora.cookies["csrftoken"],
    }


def _number_of_company(dora: Visitor) -> str:
    found = re.search(r'href="/companies/(\d+)', dora.get("/"))
    assert found, "the first page leads to the company"
    return found[1]


def _of_programs(site: Site, stocked: Mapping[str, Any]) -> dict[str, str]:
    """Keys are activated, mistyped, sent where they do not belong; tokens too; an order brings new keys."""
    token, order_token, [key, other, third, *_] = stocked["token"], stocked["vendor_token"], stocked["keys"]
    made: dict[str, str] = {"API token": token, "token of the vendor": order_token}
    body = {"code": key, "project": stocked["project"]}
    assert _program(site, "POST", "/api/v1/keys/activate", token, body)[0] == 200
    assert _program(site, "POST", "/api/v1/keys/activate", token, body | {"code": f"{other[:-1]}!"})[0] >= 400
    _program(site, "GET", f"/api/v1/keys/{other}?code={other}", token, None)
    _program(site, "GET", f"/api/v1/token?token={token}", token[:-1] + "x", None)
    visitor = Visitor(site)
    visitor.get(f"/activate?code={third}")
    visitor.get(f"/{third}")

    claim = {"hardware_id": stocked["taken"]}
    status, answer = _program(
        site, "POST", f"/api/v1/projects/{stocked['project']}/claim-codes", token, claim
    )
    assert status == 201
    made["claim code"] = answer["code"]

    line = {"product": "Port", "version": 14, "quantity": 1}
    order = {"number": "SO-1", "reference": "PO 1", "customer": "Example", "lines": [line]}
    status, answer = _program(site, "POST", "/api/v1/orders", order_token, order)
    assert status == 201
    return (
        made
        | {"activated key": key, "misspelt key": other, "key in an address": third}
        | {f"ordered key {number}": one["code"] for number, one in enumerate(answer["keys"])}
    )


def _program(site: Site, method: str, path: str, token: str, body: Any) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(8)}
    if body is not None:
        headers["Content-Type"] = "application/json"
    sent = None if body is None else json.dumps(body).encode()
    status, _headers, content = site.ask(method, path, sent, headers)
    return status, json.loads(content)
