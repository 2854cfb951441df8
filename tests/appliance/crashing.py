"""Run one command of the appliance and end the process, as a loss of power would, at its n-th durable step.

`python -m tests.appliance.crashing N ARGUMENT...`; N of 0 lets it run through and tells the number of steps.
"""

import os
import signal
import sys

from appliance.cli import main


def run(last_step: int, arguments: list[str]) -> int:
    steps = 0

    def before_step(_step: str) -> None:
        nonlocal steps
        steps += 1
        if steps == last_step:
            # Nothing of the process gets to clean up: no exception, no exit handler, no flush.
            os.kill(os.getpid(), signal.SIGKILL)

    code = main(arguments, before_step=before_step)
    sys.stdout.write(f"steps {steps}\n")
    return code


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), sys.argv[2:]))
