"""What commands share that call an operation in the operator's name."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import BaseCommand, CommandError

from portal.core import acts
from portal.core.acts import Caller
from portal.core.errors import DomainError


class OperatorCommand(BaseCommand):
    """A command whose refusals are told in one line, with their code, under exit code 1."""

    def caller(self, reason: str = "") -> Caller:
        """The operator at the prompt: in histories the command stands for whoever ran it."""
        name = type(self).__module__.rpartition(".")[2]
        return Caller(scope="command", key=acts.new_key(), name=f"command {name}", reason=reason)

    @contextmanager
    def refusals_told(self) -> Iterator[None]:
        """:raises CommandError: something inside was refused."""
        try:
            yield
        except DomainError as error:
            raise CommandError(f"{error.headline} {error.detail} [{error.code}]") from error
