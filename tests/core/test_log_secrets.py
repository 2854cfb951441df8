"""Lines of the log, as they are written: what opens something is not in them."""

import logging

import pytest
import structlog


def line(message: str, *arguments: str) -> str:
    """What the handler of the settings makes of a record, like those that Django writes."""
    [handler] = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    ]
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, message, arguments, None)
    return handler.format(record)


class TestLines:
    @pytest.mark.parametrize(
        "page", ["confirm-address", "new-password", "invitations/link", "customers/link", "calendar"]
    )
    def test_the_key_of_a_mails_link_is_left_out(self, page: str) -> None:
        written = line("%s: %s", "Not Found", f"/{page}/MQ:1abc:key-of-a-link")

        assert f"Not Found: /{page}/[link]" in written
        assert "key-of-a-link" not in written

    def test_an_activation_key_is_left_out(self) -> None:
        assert "DP8DP-DQCGK" not in line("looked for %s", "DP8DP-DQCGK-1EH1R-8TXEC-99TNV")

    def test_the_rest_stays(self) -> None:
        assert "Not Found: /companies/7" in line("%s: %s", "Not Found", "/companies/7")
