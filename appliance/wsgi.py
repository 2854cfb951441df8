"""The device's web page as WSGI application; it also keeps the device's time while it runs."""

import logging
import os
import threading
from pathlib import Path
from typing import Final

from django.core.wsgi import get_wsgi_application

from appliance.device import Device
from appliance.refusals import Refusal
from appliance.serving import HOME_VARIABLE

# Not setdefault: whoever starts the device may have the portal's settings in the environment.
os.environ["DJANGO_SETTINGS_MODULE"] = "appliance.settings"
application = get_wsgi_application()

_SETTLE_INTERVAL: Final = 60.0
_log = logging.getLogger("appliance")


def _keep_time(home: Path) -> None:
    """Write running time down and do resets that are due while nobody looks (mission rules 14 and 34)."""
    pause, interval = threading.Event(), _SETTLE_INTERVAL
    while not pause.wait(interval):
        interval = _SETTLE_INTERVAL
        try:
            left = Device(home).status().test_mode_left
            if left is not None:
                # Its end is kept to the second, although nobody looks.
                interval = min(interval, max(1.0, left))
        except (Refusal, OSError):
            # The page says the same to whoever opens it; the next round may find the home mended.
            _log.exception("the device's time was not written down")


threading.Thread(target=_keep_time, args=(Path(os.environ[HOME_VARIABLE]),), daemon=True, name="time").start()
