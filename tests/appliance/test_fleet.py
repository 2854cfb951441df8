"""The parts of the fleet: what it reads of HTTP, how it counts, and which runs it refuses."""

import asyncio
import json
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.factory.authority import make_authority
from appliance.factory.devices import make_identity, write_identity
from appliance.fleet.__main__ import main
from appliance.fleet.plan import is_this_machine, read_plan
from appliance.fleet.portal import kind_of
from appliance.fleet.tally import Tally, percentile, table
from appliance.fleet.wire import MAX_BODY_BYTES, Answer, TimeIsUp, Wire, WireError

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Server:
    """Gives one answer a request, each as it is told, and hangs up after those that say `!`."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.answers = list(answers)
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while self.answers:
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            answer = self.answers.pop(0)
            writer.write(answer.removesuffix(b"!"))
            await writer.drain()
            if answer.endswith(b"!"):
                break
        writer.close()


async def ask(server: Server, times: int) -> list[Answer]:
    """Ask so many times, one after the other."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        wire = Wire(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", 1)
        try:
            return [await wire.send("GET", "/") for _ in range(times)]
        finally:
            await wire.close()


def got(server: Server, times: int) -> list[Answer]:
    return asyncio.run(ask(server, times))


class TestWire:
    def test_keeps_its_connection(self) -> None:
        server = Server([HELLO, HELLO])

        assert [answer.body for answer in got(server, 2)] == [b"hello", b"hello"]
        assert server.connections == 1

    def test_opens_another_when_the_kept_one_was_closed_meanwhile(self) -> None:
        server = Server([HELLO + b"!", HELLO])

        assert [answer.body for answer in got(server, 2)] == [b"hello", b"hello"]
        assert server.connections == 2

    def test_does_not_use_one_again_that_the_portal_wants_closed(self) -> None:
        server = Server([HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), HELLO])

        got(server, 2)

        assert server.connections == 2

    def test_reads_answers_in_chunks(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunked = head + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n"

        [first, second] = got(Server([chunked, HELLO]), 2)

        assert first.body == second.body == b"hello"

    def test_knows_that_204_has_no_body_whatever_it_says(self) -> None:
        nothing = b"HTTP/1.1 204 No Content\r\nReplay-Nonce: abc\r\nContent-Length: 5\r\n\r\n"

        [first, second] = got(Server([nothing, HELLO]), 2)

        assert (first.status, first.body, first.headers["replay-nonce"]) == (204, b"", "abc")
        assert second.body == b"hello"

    def test_sends_nothing_any_more_once_the_time_is_up(self) -> None:
        wire = Wire("http://127.0.0.1:9", 1, until=time.monotonic() - 1)

        with pytest.raises(TimeIsUp):
            asyncio.run(wire.send("GET", "/"))

    @pytest.mark.parametrize(
        ("answer", "says"),
        [
            (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"),
            (b"HTTP/1.1 OK\r\n\r\n", "no HTTP"),
            (b"HTTP/1.1 200 OK\r\n\r\nhello", "no HTTP"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), "no HTTP"),
            (b"HTTP/1.1 200 OK\r\nA: %s\r\n\r\n" % (b"a" * 50_000), "no HTTP"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel!", "connection"),
            (b"!", "connection"),
        ],
        ids=["ssh", "no status", "no length", "too large", "head too large", "cut off", "hung up"],
    )
    def test_says_in_a_word_why_there_is_no_answer(self, answer: bytes, says: str) -> None:
        with pytest.raises(WireError, match=says):
            got(Server([answer]), 1)


class TestTally:
    @pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (99, 99), (100, 100), (0, 1)])
    def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
        self, percent: int, value: int
    ) -> None:
        assert percentile(range(1, 101), percent) == value

    def test_one_value_is_every_percentile(self) -> None:
        assert [percentile([0.2], percent) for percent in (1, 50, 99)] == [0.2] * 3

    def test_names_what_nobody_expected(self) -> None:
        tally = Tally()
        tally.answered("fetch", "204", 0.010, expected=True)
        tally.answered("fetch", "403 device-blocked", 0.030, expected=False)
        tally.failed("return", "timeout")
        tally.began_turn(0.5)

        found = {"devices": 1, "longest_wait_ms": 0.0, **tally.as_json(seconds=4.0)}

        assert found["unexpected"] == {"fetch: 403 device-blocked": 1, "return: timeout": 1}
        assert found["acts"]["fetch"]["answers"] == {"204": 1, "403 device-blocked": 1}
        assert found["acts"]["fetch"]["ms"] == {"p50": 10.0, "p95": 30.0, "p99": 30.0, "max": 30.0}
        assert (found["requests_per_second"], found["turns"], found["latest_ms"]) == (0.5, 1, 500.0)
        assert "UNEXPECTED  1 x fetch: 403 device-blocked" in table(found)

    def test_a_refusal_is_named_by_its_code_and_anything_else_by_its_status(self) -> None:
        problem = json.dumps({"type": "https://portal.example/problems/bad-nonce"}).encode()

        assert kind_of(Answer(400, {}, problem, 0.0)) == "400 bad-nonce"
        assert kind_of(Answer(502, {}, b"<html>", 0.0)) == "502"
        assert kind_of(Answer(400, {}, b'{"type": "/problems/NO CODE"}', 0.0)) == "400"
        assert kind_of(Answer(200, {}, problem, 0.0)) == "200"


@pytest.fixture
def identities(tmp_path: Path) -> Path:
    """A folder with one device."""
    now = datetime.now(UTC)
    identity = make_identity(
        make_authority("Example Networks", now=now), "00-90-33-00-00-01", kind="P-256", now=now
    )
    write_identity(tmp_path / "identities", identity)
    return tmp_path / "identities"


class TestRefusals:
    @pytest.mark.parametrize(
        "words",
        [
            ["--portal", "https://portal.example.com"],
            ["--portal", "ftp://localhost"],
            ["--portal", "http://localhost:8000/device"],
            ["--portal", "http://localhost", "--offenses", "unknown-device"],
            ["--portal", "http://localhost", "--offenses", "rudeness"],
            ["--portal", "http://localhost", "--returns", "1.1"],
            ["--portal", "http://localhost", "--poll", "0"],
            ["--portal", "http://localhost", "--seconds", "nan"],
            ["--portal", "http://localhost", "--devices", "20001"],
        ],
        ids=" ".join,
    )
    def test_a_run_that_makes_no_sense_is_wrong_usage(self, words: list[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            read_plan(["--identities", "identities", *words])
        assert ended.value.code == 2

    def test_another_machine_is_called_if_one_says_so(self) -> None:
        plan = read_plan(["--identities", "i", "--elsewhere", "--portal", "https://portal.example.com/"])
        assert plan.portal == "https://portal.example.com"

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "127.8.9.1", "[::1]:8000"])
    def test_this_machine_is_known_by_its_names(self, host: str) -> None:
        assert is_this_machine(f"http://{host}")

    @pytest.mark.parametrize("host", ["localhost.example.com", "10.0.0.1", "127.0.0.1.example.com", "[::2]"])
    def test_others_are_not(self, host: str) -> None:
        assert not is_this_machine(f"http://{host}")

    def test_without_a_portal_nothing_runs(
        self, identities: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
            portal = f"http://127.0.0.1:{taken.getsockname()[1]}"

            assert main(["--portal", portal, "--identities", str(identities)]) == 2

        assert "connection" in capsys.readouterr().err

    def test_without_devices_nothing_runs(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--portal", "http://127.0.0.1:9", "--identities", str(tmp_path)]) == 2
        assert "no identity" in capsys.readouterr().err
