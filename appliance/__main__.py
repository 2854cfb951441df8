"""`python -m appliance --home DIR COMMAND`."""

import sys

from appliance.cli import main

sys.exit(main(sys.argv[1:]))
