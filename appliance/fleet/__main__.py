"""`python -m appliance.fleet --portal URL --identities DIR ...`: run a fleet, and say what was answered.

Exit codes: 0 every answer was one to be expected, 1 some were not, 2 wrong usage, no devices or no portal.
"""

import asyncio
import json
import sys
from collections.abc import Sequence

from appliance.fleet.driving import gather, run
from appliance.fleet.plan import read_plan
from appliance.fleet.tally import table
from appliance.refusals import Refusal


def main(arguments: Sequence[str]) -> int:
    """Run a fleet and return the exit code."""
    plan = read_plan(arguments)
    try:
        found = asyncio.run(run(plan, gather(plan)))
    except (Refusal, OSError, ValueError) as error:
        sys.stderr.write(f"not run: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    text = json.dumps(found, indent=1) if plan.json else table(found)
    sys.stdout.write(f"{text}\n")
    return 1 if found["unexpected"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
