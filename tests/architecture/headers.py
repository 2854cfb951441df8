"""What every answer of the portal tells browsers, whoever asks and whatever is refused (docs/security.md)."""

from typing import Any

SAID = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
DIRECTIVES = ("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'")


def unprotected(response: Any) -> list[str]:
    """What an answer lacks, in words; nothing if it lacks nothing."""
    headers = response.headers
    lacks = [f"{name}: {value}" for name, value in SAID.items() if headers.get(name) != value]
    policy = headers.get("Content-Security-Policy", "")
    if "default-src 'none'" not in policy or "unsafe" in policy or "*" in policy or "http" in policy:
        lacks.append(f"a strict policy, not {policy!r}")
    # What people uploaded opens in a sandbox, and is no page.
    if "sandbox" not in policy and not all(directive in policy for directive in DIRECTIVES):
        lacks.append(f"all directives, not {policy!r}")
    if "geolocation=()" not in headers.get("Permissions-Policy", ""):
        lacks.append("Permissions-Policy")
    if not headers.get("Cache-Control"):
        lacks.append("Cache-Control")
    careless = (
        cookie
        for cookie in response.cookies.values()
        if cookie["samesite"] != "Lax" or not (cookie["httponly"] or cookie.key == "csrftoken")
    )
    return [*lacks, *(f"a careful cookie {cookie.key}" for cookie in careless)]
