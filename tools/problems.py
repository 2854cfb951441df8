"""The page of all refusals, docs/problems.md: `python -m tools.problems [--check]`.

It is written from the refusals themselves, in English. Run it after adding a refusal or changing its words.
"""

import argparse
import os
import pkgutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "problems.md"
# The appliance is a program of its own, with refusals of its own.
PACKAGES = ("portal.core", "accounts", "devices", "licenses", "orders", "support")
HEAD = """\
# Refusals

<!-- Written by `python -m tools.problems` from the code; do not edit. -->

Whatever the portal refuses, it says with one of these codes: in the browser at the foot of the message, over
REST and to devices as a problem document (RFC 9457) of the media type `application/problem+json`:

    {"type": "/problems/insufficient-licenses", "title": "Not enough licenses: 6 of Port 14 wanted, 5 free.",
     "status": 409, "detail": "Take at most 5, transfer more into this balance, or activate another key.",
     "code": "insufficient-licenses", "product": "Port 14", "wanted": 6, "available": 5}

Decide by `code`: it stays. `title` says what happened, `detail` the way out, both in the reader's language;
`type` leads to a page that also says why there is such a rule. Words in braces below are facts; they are
members of the document as well. A refusal changed nothing. New codes may come; treat one you do not know by
its `status`.

| code | status | what happened | why | the way out |
|---|---|---|---|---|
"""


def import_everything() -> None:
    """Import all modules of the portal, so that every refusal is known."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if ".migrations" not in module.name:
                import_module(module.name)


def page() -> str:
    """The page as it should be. Django is set up."""
    import_everything()
    # These need Django's settings, which `main` has to prepare first.
    from django.utils import translation  # noqa: PLC0415

    from accounts.api.reference import in_braces, status_of  # noqa: PLC0415
    from portal.core.errors import every_refusal  # noqa: PLC0415

    with translation.override("en"):
        rows = [
            (
                f"`{refusal.code}`",
                str(status_of(refusal)),
                in_braces(refusal.title),
                f"{refusal.why} ({refusal.source})" if refusal.source else str(refusal.why),
                in_braces(refusal.way_out),
            )
            for refusal in sorted(every_refusal(), key=lambda refusal: refusal.code)
        ]
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> int:
    """Write the page; with --check only look whether it is as it should be, and return 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m tools.problems", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the page is old")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="license-portal-problems-") as folder:
        os.environ.update(DJANGO_SETTINGS_MODULE="portal.settings", DEMO="1", DATA_DIR=folder)
        import django  # noqa: PLC0415 - the settings are read from the environment prepared above

        django.setup()
        wanted = page()
    if options.check:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        return 0 if current == wanted else 1
    PAGE.write_text(wanted, encoding="utf-8")
    print(f"{PAGE.name}: {wanted.count(chr(10)) - HEAD.count(chr(10))} refusals")
    return 0


if __name__ == "__main__":
    sys.exit(main())
