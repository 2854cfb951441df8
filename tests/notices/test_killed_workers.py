"""No mail is lost, and none repeats without a kill: a real worker, a real mail server, SIGKILL."""

import random
from collections import Counter
from pathlib import Path

import pytest

from accounts import mails
from accounts.mails import Letter
from accounts.models import Mail
from portal.core import clock, outbox
from tests.mail_server import mail_server
from tests.notices.killing import kill, start_worker, time_passes


def write(count: int) -> set[str]:
    """So many notices; returns their Message-IDs."""
    letters = [
        Letter(to=f"reader.{number}@example.com", language="de", context={"owner": None})
        for number in range(count)
    ]
    return {
        mail.message_id
        for mail in mails.write_all("account/email/password_changed", letters, now=clock.now())
    }


def send_with_kills(folder: Path, *, notices: int, kills: int, seed: int) -> Counter[str]:
    """Send notices through a server that refuses every third, killing the worker again and again.

    Returns how often each Message-ID was taken by the server.
    """
    dice = random.Random(seed)
    with mail_server(refuse_every=3) as server:
        done_before_end = sorted(dice.sample(range(1, notices - 1), kills))
        for kill_after in done_before_end:
            worker = start_worker(server, folder)
            try:
                reached = server.wait_for(kill_after, seconds=0.2)
                for _look in range(400):
                    if reached:
                        break
                    time_passes()
                    reached = server.wait_for(kill_after, seconds=0.2)
                assert reached, f"{len(server.taken)} of {kill_after} were taken: the worker stands still"
                # A little further into whatever it does now.
                server.wait_for(notices * 2, seconds=dice.uniform(0, 0.02))
            finally:
                kill(worker)
            time_passes(worker_is_dead=True)
        worker = start_worker(server, folder)
        try:
            for _look in range(400):
                if not Mail.objects.filter(state=Mail.State.QUEUED).exists():
                    break
                time_passes()
                server.wait_for(notices * 2, seconds=0.2)
        finally:
            kill(worker)
        return Counter(server.taken)


def judge(taken: Counter[str], written: set[str], *, kills: int) -> int:
    """None lost, none invented, at most one repeat a kill. Returns the number of repeats."""
    assert set(taken) == written, "none is lost, and a repeat has the Message-ID of the first"
    repeats = taken.total() - len(written)
    assert repeats <= kills, f"{repeats} repeats by {kills} kills"
    assert set(Mail.objects.values_list("state", flat=True)) == {"sent"}
    return repeats


@pytest.mark.serial
@pytest.mark.django_db(transaction=True)
class TestKilledWorkers:
    def test_three_kills_lose_none_of_150(self, tmp_path: Path) -> None:
        written = write(150)

        taken = send_with_kills(tmp_path, notices=150, kills=3, seed=7)

        judge(taken, written, kills=3)

    @pytest.mark.long
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_twenty_kills_lose_none_of_a_thousand(
        self, tmp_path: Path, seed: int, record_property: pytest.FixtureRequest
    ) -> None:
        written = write(1000)

        taken = send_with_kills(tmp_path, notices=1000, kills=20, seed=seed)

        repeats = judge(taken, written, kills=20)
        record_property("repeats after 20 kills", repeats)  # type: ignore[operator]

    def test_a_worker_that_died_after_the_servers_answer_repeats_under_the_same_message_id(
        self, tmp_path: Path
    ) -> None:
        [message_id] = write(1)
        mail = Mail.objects.get()
        with mail_server() as server:
            for life in range(2):
                # What a kill between the server's answer and the commit leaves behind: the row still waits.
                Mail.objects.filter(pk=mail.pk).update(
                    state=Mail.State.QUEUED, ended_at=None, next_try_at=mail.written_at
                )
                outbox.put_all("send-mail", [{"mail_id": mail.pk}], now=clock.now())
                worker = start_worker(server, tmp_path)
                try:
                    assert server.wait_for(life + 1, seconds=30)
                finally:
                    kill(worker)
                time_passes(worker_is_dead=True)
            assert set(server.taken) == {message_id}
