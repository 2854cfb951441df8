"""What support has to look at. Nothing here refuses or suspends by itself (trust.md 3)."""

from datetime import datetime
from typing import Any

from devices.models import Alert, Device


def alert(kind: Alert.Kind, *, device: Device, subject: str, now: datetime, **facts: Any) -> None:
    """Tell support, once for each cause. Part of the caller's transaction."""
    Alert.objects.bulk_create(
        [Alert(kind=kind, device=device, subject=subject, at=now, facts=facts)], ignore_conflicts=True
    )
