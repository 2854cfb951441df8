"""`manage.py work`: the one worker process of the embedded default."""

import signal
import threading
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils.module_loading import autodiscover_modules

from portal.core import clock, outbox, schedule, signs

LOOK_AT_SCHEDULE = timedelta(minutes=1)


class Command(BaseCommand):
    help = (
        "Work off the outbox and keep the schedule, without Celery and Redis. Ends on SIGTERM or Ctrl-C, "
        "after the job at hand."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when nothing is due")
        parser.add_argument("--pause", type=float, default=1.0, help="seconds between looks (default 1)")

    def handle(self, *, once: bool, pause: float, **options: Any) -> None:
        autodiscover_modules("tasks")  # brings the handlers
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        look_again = clock.now()
        while not stop.is_set():
            if look_again <= clock.now():
                look_again = clock.now() + LOOK_AT_SCHEDULE
                schedule.ask(now=clock.now())
                for kind in (signs.WORKER, signs.SCHEDULE):
                    signs.give(kind, now=clock.now())
            if outbox.work_off(clock=clock.now):
                continue
            if once:
                return
            connection.close_if_unusable_or_obsolete()
            stop.wait(pause)
