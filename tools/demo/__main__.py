"""`python -m tools.demo`: start portal, worker and appliance, show a license on its way, wait for Ctrl-C."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import processes
from tools.demo import story
from tools.demo.partner import PortalRefusal
from tools.demo.servers import ServerRefusal, Servers, free_port
from tools.demo.setting import Setting, SettingRefusal

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: Sequence[str]) -> int:
    """Run the demo and return the exit code: 0 after Ctrl-C, 1 with a clear line if something is missing."""
    options = _parser().parse_args(arguments)
    processes.unwind_on_signals()
    try:
        with Servers() as servers:
            portal_port = free_port(options.portal_port)
            setting = Setting(
                root=ROOT,
                data=options.data.resolve(),
                portal_port=portal_port,
                appliance_port=free_port(options.appliance_port, taken={portal_port}),
            )
            demo = setting.prepare(fresh_appliance=options.fresh_appliance)
            servers.start_portal(setting)
            story.tell(setting, demo)
            servers.start_appliance(setting)
            _say_where(setting, demo)
            if not options.once:
                servers.wait()
    except KeyboardInterrupt:
        print("\nStopped. The data stays in", options.data)
        return 0
    except (SettingRefusal, ServerRefusal, PortalRefusal, story.StoryRefusal) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def _say_where(setting: Setting, demo: story.DemoData) -> None:
    print(f"\nPortal     {setting.portal_address}")
    print(f"API        {setting.portal_address}/api/v1/reference")
    print(f"Appliance  {setting.appliance_address}")
    print(f"Mails      {setting.mails}  (what the portal sends, a file for each)")
    print(f"\nSign in with the password {demo.password} as")
    for email, role in demo.people.items():
        print(f"  {email:<20} {role}")
    print("The appliance asks for a password of its own: at first the same one.")
    spare = [code for number, code in demo.keys.items() if code and number != story.ORDER]
    if spare:
        print("\nActivation keys to try")
        for code in spare:
            print(f"  {code}")
    print("\nCtrl-C stops everything that was started here.", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make run", description="The portal with demo data beside a device."
    )
    parser.add_argument("--data", type=Path, default=ROOT / "var", help="where everything is kept (var)")
    parser.add_argument("--portal-port", type=int, default=8000, help="the next free one from here on")
    parser.add_argument("--appliance-port", type=int, default=8001, help="the next free one from here on")
    parser.add_argument("--fresh-appliance", action="store_true", help="make the device anew")
    parser.add_argument("--once", action="store_true", help="end when the story is told")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
