"""What a name of a person is: accounts are for natural persons, so not a team's (mission rule 1)."""

import re

from django.utils.translation import gettext_lazy as _

from portal.core.errors import Invalid

LONGEST = 100

# Letters of any script with marks, and what stands between them: O'Brien, Müller-Lüdenscheidt, St. John.
# Nothing a mail program would turn into a link: the name stands in mails, and whoever registers chooses it.
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f]|[ .,'’ʼ·\-])*")
_NO_PERSON = {
    "admin", "administrator", "company", "gmbh", "helpdesk", "hotline", "inc", "info", "ltd", "office",
    "sales", "support", "team", "vertrieb",
}  # fmt: skip
_WEB = re.compile(r"\w\.\w")


class NameOfAPersonNeeded(Invalid):
    code = "name-of-a-person-needed"
    title = _("This is not the name of a person.")
    why = _(
        "The history says who did what. That helps only if an account belongs to one person who can be asked."
    )
    way_out = _(
        "Enter your own forename and surname, in letters: an account belongs to one person, not to a team."
    )
    source = "mission rule 1"


def read(text: str) -> str:
    """One part of a person's name, with its blanks in order.

    :raises NameOfAPersonNeeded: it is empty, too long, holds digits or signs that are in no name, or names a
        team or a company.
    """
    name = " ".join(text.split())
    if not 0 < len(name) <= LONGEST or not _NAME.fullmatch(name) or _WEB.search(name):
        raise NameOfAPersonNeeded
    if _NO_PERSON & set(re.findall(r"\w+", name.casefold())):
        raise NameOfAPersonNeeded
    return name
