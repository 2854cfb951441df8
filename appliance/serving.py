"""Serving the device's web page with granian, on this machine only unless told otherwise."""

import os
import sys
from pathlib import Path
from typing import Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from appliance.access import read_secret
from appliance.device import Device
from appliance.refusals import Refusal

HOME_VARIABLE: Final = "APPLIANCE_HOME"
_KILL_TIMEOUT: Final = 30


def _has_no_password(home: Path) -> bool:
    try:
        return read_secret(home) is None
    except Refusal:
        # The page says what is wrong, and lets nobody in.
        return False


def serve(device: Device, home: Path, *, address: str, port: int) -> int:
    """Serve the pages until a signal ends the process, and return the exit code.

    One worker: a device is used by one person at a time, and its home has one lock anyway.
    """
    # The worker is a process of its own; the environment is how it learns which device it is.
    os.environ[HOME_VARIABLE] = str(home.absolute())
    sys.stdout.write(f"Appliance {device.home.identity.hardware_id} at http://{address}:{port}/\n")
    if _has_no_password(home):
        sys.stdout.write("No password yet: whoever opens the page first sets it, or `password` does.\n")
    sys.stdout.flush()
    Granian(
        "appliance.wsgi:application",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=2,
        http=HTTPModes.http1,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_KILL_TIMEOUT,
        log_level=LogLevels.warning,
    ).serve()
    return 0
