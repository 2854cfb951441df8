"""What can be refused, and how a refusal is told.

    DomainError
    ├── NotFound         there is nothing of that name for this person
    ├── Conflict         the state of things does not allow it (now)
    ├── Forbidden        this person or device may not do it
    ├── Invalid          what was given cannot be read or makes no sense
    ├── Unauthenticated  who asks is not known
    ├── Throttled        too often; later
    ├── LengthRequired   a body without Content-Length
    ├── TooLarge         a body over the limit
    └── Unavailable      the portal cannot do it at the moment; nothing was changed

Each refusal is a class of its own beside the function that raises it, with a stable kebab-case `code`, a
`title` that says what happened, a `why` that says what the rule behind it is good for, and a `way_out` that
says what to do next (mission rule 36). `why` stands on the help page of the code alone, so it names no facts;
`source` says where the rule is written down, if it is: "mission rule 12", "trust.md 5" or "RFC 9110, section
15.5.6". `facts` are numbers and names for the sentences and for machines; they never hold secrets.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

UNSEEN = _(
    "What does not exist and what you may not see get the same answer. So nobody can find out by trying "
    "what others have."
)
"""Why somebody without a right and somebody with a wrong number are told the same."""


class DomainError(Exception):
    """A refusal. Raise one of the classes derived from the kinds below, never this one."""

    code: ClassVar[str] = ""
    title: ClassVar[str | Promise] = ""
    why: ClassVar[str | Promise] = ""
    way_out: ClassVar[str | Promise] = ""
    source: ClassVar[str] = ""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.code)

    @property
    def headline(self) -> str:
        """The title in the active language, with the facts filled in."""
        return str(self.title) % self.facts if self.facts else str(self.title)

    @property
    def detail(self) -> str:
        """The way out in the active language, with the facts filled in."""
        return str(self.way_out) % self.facts if self.facts else str(self.way_out)


class NotFound(DomainError):
    pass


class Conflict(DomainError):
    pass


class Forbidden(DomainError):
    pass


class Invalid(DomainError):
    pass


class Unauthenticated(DomainError):
    pass


class Throttled(DomainError):
    """Facts hold `seconds`, after which the next try is worth while."""


class LengthRequired(DomainError):
    pass


class TooLarge(DomainError):
    pass


class Unavailable(DomainError):
    pass


KINDS: tuple[type[DomainError], ...] = (
    NotFound,
    Conflict,
    Forbidden,
    Invalid,
    Unauthenticated,
    Throttled,
    LengthRequired,
    TooLarge,
    Unavailable,
)


def every_refusal(base: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """All refusals that can be raised: the classes with a code, wherever they are defined."""
    for refusal in base.__subclasses__():
        if refusal.code:
            yield refusal
        yield from every_refusal(refusal)
