"""Where a request came from: what the client claims counts for nothing."""

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from portal.core.addresses import address_of


def request_of(peer: str, forwarded: str = "") -> str | None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return address_of(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


class TestWithoutProxies:
    def test_it_is_the_peer(self) -> None:
        assert request_of("192.0.2.1") == "192.0.2.1"

    def test_a_claim_counts_for_nothing(self) -> None:
        assert request_of("192.0.2.1", "198.51.100.7") == "192.0.2.1"

    @pytest.mark.parametrize("peer", ["", "unix:", "not an address"])
    def test_a_peer_without_address_has_none(self, peer: str) -> None:
        assert request_of(peer) is None


class TestBehindProxies:
    def test_it_is_what_our_proxy_saw(self, settings: LazySettings) -> None:
        settings.TRUSTED_PROXIES = 1

        assert request_of("127.0.0.1", "198.51.100.7") == "198.51.100.7"

    def test_entries_before_it_are_the_clients_own(self, settings: LazySettings) -> None:
        settings.TRUSTED_PROXIES = 1

        assert request_of("127.0.0.1", "203.0.113.9, 198.51.100.7") == "198.51.100.7"

    def test_two_proxies_are_two_entries(self, settings: LazySettings) -> None:
        settings.TRUSTED_PROXIES = 2

        assert request_of("127.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.1") == "198.51.100.7"

    def test_who_came_past_the_proxies_is_the_peer(self, settings: LazySettings) -> None:
        settings.TRUSTED_PROXIES = 2

        assert request_of("192.0.2.1", "198.51.100.7") == "192.0.2.1"

    @pytest.mark.parametrize("forwarded", ["garbage", "198.51.100.7:443", "<script>"])
    def test_what_is_no_address_is_none(self, settings: LazySettings, forwarded: str) -> None:
        settings.TRUSTED_PROXIES = 1

        assert request_of("127.0.0.1", forwarded) is None

    def test_an_ipv6_address_has_its_short_form(self, settings: LazySettings) -> None:
        settings.TRUSTED_PROXIES = 1

        assert request_of("::1", "2001:DB8:0:0:0:0:0:1") == "2001:db8::1"
