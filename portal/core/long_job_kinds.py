"""Kinds of long jobs: what does a slice, and who may have it done (portal.core.long_jobs)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.utils.functional import Promise

from portal.core.models import LongJob


@dataclass(frozen=True, kw_only=True)
class Slice:
    """What a slice did.

    rows: how many rows of `total`.
    over: whether nothing is left.
    content: bytes that the result goes on with; the result is all of them in a row.
    rest: where the next slice goes on; JSON, in words of the kind.
    """

    rows: int
    over: bool
    content: bytes = b""
    rest: Mapping[str, Any] = field(default_factory=dict)


class Worker(Protocol):
    """Does a slice in the transaction it is called in, which holds the job: about a second of work."""

    def __call__(self, job: LongJob, *, now: datetime) -> Slice: ...


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of work.

    label: what people read.
    may: whether the owner of the job may still have it done and see what comes of it: rights end.
    secret: the result is encrypted while it is kept, and erased soon after it was first taken.
    partial: what the slices wrote can be taken even if the job failed or was cancelled.
    """

    name: str
    label: str | Promise
    work: Worker
    may: Callable[[LongJob], bool]
    secret: bool = False
    partial: bool = False


_kinds: dict[str, Kind] = {}


def kind(
    name: str,
    *,
    label: str | Promise,
    may: Callable[[LongJob], bool],
    secret: bool = False,
    partial: bool = False,
) -> Callable[[Worker], Worker]:
    """Register the function below as what does a slice of long jobs of this kind (see `Kind`)."""

    def register(work: Worker) -> Worker:
        assert name not in _kinds, f"two kinds named {name}"
        _kinds[name] = Kind(name=name, label=label, work=work, may=may, secret=secret, partial=partial)
        return work

    return register


def kinds() -> set[str]:
    """The names of all kinds that are known to this process."""
    return set(_kinds)


def kind_of(job: LongJob) -> Kind:
    """The kind of a job."""
    return _kinds[job.kind]
