"""A mail server on loopback that speaks SMTP (RFC 5321), takes down what it accepts, and can refuse."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail but each `refuse_every`-th, which it refuses for now; 0 refuses none.

    `taken` holds the Message-IDs of what was accepted, in order; a mail is in it before its sender hears so.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, refuse_every: int = 0, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.refuse_every = refuse_every
        self.asked = 0
        self.taken: list[str] = []
        self.lock = threading.Condition()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def decide(self, message: bytes) -> bool:
        """Whether to take a mail."""
        [message_id] = re.findall(rb"^Message-ID: (<\S+>)\r$", message, re.MULTILINE)
        with self.lock:
            self.asked += 1
            if self.refuse_every and self.asked % self.refuse_every == 0:
                return False
            self.taken.append(message_id.decode())
            self.lock.notify_all()
            return True

    def wait_for(self, count: int, *, seconds: float) -> bool:
        """Wait until so many were taken."""
        with self.lock:
            return self.lock.wait_for(lambda: len(self.taken) >= count, timeout=seconds)

    def handle_error(self, request: object, client_address: object) -> None:
        """A sender that was killed in the middle of a sentence is no mistake."""


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 loopback")
        while line := self.rfile.readline():
            word = line.strip().upper()
            if word == b"DATA":
                self._say("354 go on")
                taken = self.server.decide(self._message())
                self._say("250 taken" if taken else "451 not now")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _message(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise ConnectionResetError  # the sender died before the last dot: there is no mail
            lines.append(line)
        return b"".join(lines)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def mail_server(*, refuse_every: int = 0, port: int = 0) -> Iterator[MailServer]:
    """One that listens."""
    with MailServer(refuse_every=refuse_every, port=port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
