"""What `ledger verify` asks of moves and bridges (mission rules 25 to 29), for licenses.verification."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import F, Max, OuterRef, Q, Subquery, Sum

from licenses import document, queries
from licenses.models import Grant, Holder, LicenseDocument, LogLine, Move, Transfer
from licenses.models.moves import OPEN_FOR
from portal.core import strict_json
from portal.core.models import Act

CHUNK = 2000


def bridges_are_counted_against_open_moves() -> Iterator[str]:
    """Each bridge in effect stands on one live license of the broken device of an open move, is of the same
    quantity, is on that move's replacement, and ends within 42 days of its request."""
    as_of = _as_of()
    if as_of is None:
        return
    live = Grant.objects.filter(
        license_class=Grant.Class.BRIDGE, state=Grant.State.LIVE, expires_at__gt=as_of
    ).select_related("bridge__move", "bridge_of")
    for grant in live.iterator(CHUNK):
        bridge = getattr(grant, "bridge", None)
        if bridge is None:
            yield f"bridge {grant.pk} is counted against no move"
            continue
        move, source = bridge.move, grant.bridge_of
        assert source is not None, "a CHECK of the table"
        if (
            (bridge.source_id, source.state, source.license_class)
            != (source.pk, Grant.State.LIVE, Grant.Class.BOUGHT)
            or (source.product_id, source.quantity, source.device_id)
            != (grant.product_id, grant.quantity, move.broken_id)
            or (move.state, move.replacement_id) != (Move.State.OPEN, grant.device_id)
        ):
            yield f"bridge {grant.pk} stands on no live license of an open move to its device"
        if grant.expires_at != bridge.ends_at or bridge.ends_at > move.requested_at + OPEN_FOR:
            yield f"bridge {grant.pk} ends at {grant.expires_at}, which its move does not allow"


def what_moved_away_arrived() -> Iterator[str]:
    """What an act ended as moved it transferred from that device to another one, product by product."""
    arrived = (
        Transfer.objects.filter(
            act=OuterRef("ended_by"),
            product=OuterRef("product"),
            source__device=OuterRef("device"),
            destination__kind=Holder.Kind.DEVICE,
        )
        .values("act")
        .annotate(quantity=Sum("quantity"))
        .values("quantity")
    )
    left = (
        Grant.objects.filter(state=Grant.State.MOVED)
        .values("ended_by", "product", "device")
        .annotate(units=Sum("quantity"), arrived=Subquery(arrived))
        .filter(Q(arrived__isnull=True) | ~Q(arrived=F("units")))
        .order_by()
    )
    for row in left.iterator(CHUNK):
        yield (
            f"act {row['ended_by']} ended {row['units']} of product {row['product']} as moved, and "
            f"transferred {row['arrived']}"
        )


def lines_say_when_bridges_end() -> Iterator[str]:
    """What the log says of a bridge's end is what the document of its act said."""
    lines = (
        LogLine.objects.filter(grant__bridge_of__isnull=False)
        .select_related("grant", "leaf")
        .order_by("leaf_id", "pk")
    )
    leaf, ends = None, {}
    for line in lines.iterator(CHUNK):
        assert line.grant is not None, "filtered"
        if line.leaf_id != leaf:
            leaf, ends = line.leaf_id, _ends_in(line.leaf.document_sha256)
        grant = queries.grant_id(line.grant)
        if grant in ends and ends[grant] != strict_json.loads(bytes(line.line), max_bytes=65536)["exp"]:
            yield f"line {line.pk} names another end of bridge {grant} than the document of its act"


def _ends_in(sha256: bytes | memoryview | None) -> dict[str, int | None]:
    row = LicenseDocument.objects.filter(payload_sha256=bytes(sha256)).first() if sha256 else None
    try:
        items = document.LicenseDocumentV1.from_payload(bytes(row.payload)).items if row else ()
    except document.MalformedDocument:
        return {}  # another check says so
    return {item.id: item.expires_at for item in items}


def _as_of() -> datetime | None:
    """The latest moment that the books know of: what had ended by then is in effect no more."""
    latest: dict[str, Any] = Act.objects.aggregate(at=Max("at"))
    at: datetime | None = latest["at"]
    return at


CHECKS = (
    bridges_are_counted_against_open_moves,
    what_moved_away_arrived,
    lines_say_when_bridges_end,
)
