"""Limits hold with Redis, without it, and across the moments in which it goes and comes back."""

import socket
import threading
from collections.abc import Iterator

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from portal.core import caches as own_caches
from portal.core import throttle
from portal.core.throttle import Limit, RateLimited
from tests import factories
from tests.factories import NOW, PASSWORD

LIMIT = Limit(name="away", times=3, seconds=3600)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def _remembers_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(own_caches, "_away_until", 0.0)
    own_caches._own.clear()
    yield
    own_caches._own.clear()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, _remembers_nothing: None) -> None:
    """The cache of production, and no Redis at its address."""
    gone = own_caches.RedisOrOwn(
        f"redis://127.0.0.1:{closed_port()}/0",
        {"OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1}},
    )
    monkeypatch.setattr(vars(caches)["_connections"], "default", gone, raising=False)


@pytest.mark.usefixtures("away")
class TestWhileRedisIsAway:
    def test_limits_hold_in_each_process(self) -> None:
        for _ in range(3):
            throttle.hit(LIMIT, "user:1", now=NOW)

        with pytest.raises(RateLimited):
            throttle.hit(LIMIT, "user:1", now=NOW)
        throttle.hit(LIMIT, "user:2", now=NOW)
        assert own_caches.redis_is_away()

    def test_people_sign_in_and_guessing_is_held_up(self, client: Client, db: None) -> None:
        alice = factories.make_user(password=PASSWORD)
        right = {"email": alice.email, "password": PASSWORD, "act_key": "k"}
        for _ in range(10):
            client.post(reverse("sign-in"), {**right, "password": "wrong"})
        held_up = client.post(reverse("sign-in"), right)
        assert held_up.status_code == 429
        assert "_auth_user_id" not in client.session

        other = factories.make_user(name="Other", password=PASSWORD)
        assert client.post(reverse("sign-in"), {**right, "email": other.email}).status_code == 302

    def test_a_nonce_is_still_good_once(self) -> None:
        cache = caches["default"]

        assert cache.add("nonce:x", 1, timeout=60)
        assert not cache.add("nonce:x", 1, timeout=60)


@pytest.mark.usefixtures("_remembers_nothing")
class TestARedisThatHangs:
    def test_costs_its_time_out_once_and_not_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It takes connections and says nothing; every connection is counted."""
        connections: list[socket.socket] = []
        with socket.create_server(("127.0.0.1", 0)) as server:

            def take() -> None:
                try:
                    while True:
                        connections.append(server.accept()[0])
                except OSError:
                    return

            taking = threading.Thread(target=take, daemon=True)
            taking.start()
            hanging = own_caches.RedisOrOwn(
                f"redis://127.0.0.1:{server.getsockname()[1]}/0",
                {"OPTIONS": {"socket_connect_timeout": 0.1, "socket_timeout": 0.1}},
            )
            assert [hanging.add(f"key-{number}", 1) for number in range(50)] == [True] * 50
            server.shutdown(socket.SHUT_RDWR)
        taking.join(5)
        counted = len(connections)
        for connection in connections:
            connection.close()
        assert 1 <= counted <= 8

    def test_it_is_asked_again_after_some_seconds(self, away: None, monkeypatch: pytest.MonkeyPatch) -> None:
        cache = caches["default"]
        cache.set("a", 1)
        assert own_caches.redis_is_away()

        monkeypatch.setattr(own_caches, "_away_until", own_caches._away_until - own_caches.ASKED_AGAIN_AFTER)

        assert not own_caches.redis_is_away()
        assert cache.get("a") == 1  # it asks, finds it away once more, and has kept its own
        assert own_caches.redis_is_away()
