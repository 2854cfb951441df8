"""Where the time of requests goes: `python -m benchmarks.profiling APPLICATION`, JSON in, JSON out.

cProfile in this process, without a server: good for shares, not for absolute times, because each call of a
function costs more under it. `python -m benchmarks --profile` runs it.
"""

import cProfile
import io
import json
import pstats
import sys
import time
from typing import Any

from benchmarks.statements import Application, load, read

WARM_UP = 20
LINES = 45
SHOWN_OF_SQL = 300


def profile(application: Application, requests: list[dict[str, Any]]) -> str:
    """The statements of one request, and the dearest functions of all, as text.

    Functions come twice: by the time of all they call, and by their own. The first requests fill caches and
    do not count.
    """
    # Processor time of this thread: waiting for PostgreSQL is not what the code can be made quicker in.
    profiler, text = cProfile.Profile(time.thread_time), io.StringIO()
    for place, request in enumerate(map(read, requests)):
        if place == WARM_UP - 1:
            text.writelines(f"  {sql[:SHOWN_OF_SQL]}\n" for sql in application.statements(request))
        elif place < WARM_UP:
            application.answer(request)
        else:
            profiler.enable()
            application.answer(request)
            profiler.disable()
    found = pstats.Stats(profiler, stream=text).strip_dirs()
    text.write(f"{len(requests) - WARM_UP} requests\n")
    for order in ("cumulative", "tottime"):
        found.sort_stats(order).print_stats(LINES)
    return text.getvalue()


if __name__ == "__main__":
    server = load(sys.argv[1])
    given: dict[str, list[dict[str, Any]]] = json.load(sys.stdin)
    json.dump({name: profile(server, requests) for name, requests in given.items()}, sys.stdout)
